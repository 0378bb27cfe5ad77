"""Settings of a sandbox: who may call it, where it keeps its state, how fast its time runs, what goes wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit


class FaultKind(StrEnum):
    """What can go wrong with a request. "Acted" says whether the server carried the request out."""

    RATE_LIMIT = "rate-limit"  # 429 with Retry-After; not acted
    HTTP_500 = "http-500"  # not acted
    HTTP_502 = "http-502"  # acted: the gateway lost the answer
    HTTP_503 = "http-503"  # with Retry-After; not acted
    SLOW = "slow"  # acted, answered after slow_seconds
    CUT_BEFORE = "cut-before"  # connection cut, not acted
    CUT_DURING = "cut-during"  # connection cut while the server goes on and acts
    CUT_AFTER = "cut-after"  # acted; cut before the first byte of the answer
    CUT_ANSWER = "cut-answer"  # acted; cut in the middle of the answer's body
    TRUNCATED_JSON = "truncated-json"  # acted; a complete HTTP answer with half of its JSON
    UPLOAD_CUT = "upload-cut"  # cut while the recording is being received; nothing is stored
    RUN_ERROR = "run-error"  # the run itself ends in ERR_INTERNAL; only when it is named


NETWORK_FAULTS: frozenset[FaultKind] = frozenset(FaultKind) - {FaultKind.RUN_ERROR}
"""What is injected when a rate is given and no kinds are named: everything a network does to a request."""


class SandboxSettingsError(ValueError):
    """A setting that a sandbox can't start with; the message names it and says what is allowed."""


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """Everything a sandbox can be told.

    `processing_seconds` and `slow_seconds` are seconds on your own clock; `clock_rate` says how many seconds
    pass on the sandbox's clock meanwhile (upload URLs, activity links, deletion and every time in an answer
    follow the sandbox's clock). `public_url` is the address of the sandbox as its callers see it, including
    any path it is mounted under; without it the request's own Host is used. Without `state_dir` everything is
    kept in a temporary folder and gone with the process.
    """

    api_key: str
    state_dir: Path | None = None
    clock_rate: float = 1.0
    processing_seconds: float = 2.0
    fault_rate: float = 0.0
    fault_kinds: frozenset[FaultKind] = NETWORK_FAULTS
    fault_seed: int = 0
    slow_seconds: float = 3.0
    public_url: str | None = None
    inspect: bool = False

    def __post_init__(self) -> None:
        """Refuse values that can't work, naming the setting."""
        if not self.api_key.strip() or not self.api_key.isascii() or not self.api_key.isprintable():
            raise SandboxSettingsError("api_key: must be printable ASCII characters, at least one")
        if not (math.isfinite(self.clock_rate) and 0 < self.clock_rate <= 1_000_000):
            raise SandboxSettingsError(f"clock_rate: must be above 0 and at most 1000000, not {self.clock_rate}")
        for name in ("processing_seconds", "slow_seconds"):
            seconds = getattr(self, name)
            if not (math.isfinite(seconds) and 0 <= seconds <= 3600):
                raise SandboxSettingsError(f"{name}: must be from 0 to 3600, not {seconds}")
        if not 0 <= self.fault_rate <= 1:
            raise SandboxSettingsError(f"fault_rate: must be from 0 to 1, not {self.fault_rate}")
        object.__setattr__(self, "fault_kinds", parse_fault_kinds(self.fault_kinds))
        if self.public_url is not None:
            parts = urlsplit(self.public_url)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
                raise SandboxSettingsError(f"public_url: must be an http(s) address, not {self.public_url!r}")


def parse_fault_kinds(kinds: Iterable[str]) -> frozenset[FaultKind]:
    """Fault kinds by name; raises `SandboxSettingsError` that lists the known ones."""
    parsed = set()
    for kind in kinds:
        try:
            parsed.add(FaultKind(kind))
        except ValueError:
            known = ", ".join(sorted(FaultKind))
            raise SandboxSettingsError(f"fault_kinds: {kind!r} is none of {known}") from None
    return frozenset(parsed)
