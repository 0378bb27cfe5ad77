"""Permits: who holds one may add to one recording for some minutes, and do nothing else.

A permit is text, `<claims>.<signature>`, signed with a key that only this workspace has. The key is a file of the
workspace (0600), so that a permit outlives a restart of the server.

    PermitError   (evidence: .reason)
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .errors import AudioError, SpoolError, storage_errors

PERMIT_LIFETIME_S = 600.0
"""How long a permit lasts at most: the longest take and an outage in it. The page renews what runs out."""

_KEY_FILE = "capture.key"
_KEY_BYTES = 32
_MAX_PERMIT_CHARS = 600
_TAKE = re.compile(r"[A-Za-z0-9_-]{8,80}")
_NOTE = re.compile(r"\d{0,12}")


class PermitProblem(StrEnum):
    """Why a permit is refused."""

    MALFORMED = "malformed"
    FORGED = "forged"
    OTHER_TAKE = "other_take"
    EXPIRED = "expired"


class PermitError(AudioError):
    """A permit does not allow what was asked; `reason` says why."""

    def __init__(self, reason: PermitProblem) -> None:
        super().__init__(f"This permit is not accepted ({reason}).")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Permit:
    """What a permit allows: adding to `take` until `expires_s` (Unix time). `participant_note` is whose it is."""

    take: str
    participant_note: str
    expires_s: float


def is_take_name(text: object) -> bool:
    """Whether a permit can be made out to a take of that name."""
    return isinstance(text, str) and _TAKE.fullmatch(text) is not None


def load_permit_key(workspace_folder: Path) -> bytes:
    """The workspace's key, made at the first call; safe when several processes ask at once."""
    path = workspace_folder / _KEY_FILE
    with storage_errors():
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        raise SpoolError(f"{_KEY_FILE} in the workspace is damaged: remove it, then restart the server.")
    return key


def compute_workspace_name(key: bytes) -> str:
    """A name for the workspace of that key which no other has: what a browser keeps for it is for no other."""
    return hmac.new(key, b"workspace", hashlib.sha256).hexdigest()[:24]


def issue_permit(key: bytes, permit: Permit) -> str:
    """Write a permit; ValueError for a name or note that no take has."""
    if not is_take_name(permit.take) or not _NOTE.fullmatch(permit.participant_note):
        raise ValueError(f"no permit for take {permit.take!r} of {permit.participant_note!r}")
    claims = json.dumps([permit.take, permit.participant_note, round(permit.expires_s)], separators=(",", ":"))
    body = _encode(claims.encode())
    return f"{body}.{_encode(_sign(key, body))}"


def check_permit(key: bytes, text: str, *, take: str, now_s: float) -> Permit:
    """Read a permit for `take`; PermitError unless it is ours, for this take, and not expired."""
    body, dot, signature = text.partition(".")
    if not dot or len(text) > _MAX_PERMIT_CHARS:
        raise PermitError(PermitProblem.MALFORMED)
    try:
        given = base64.b64decode(signature + "=" * (-len(signature) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise PermitError(PermitProblem.MALFORMED) from None
    if not hmac.compare_digest(given, _sign(key, body)):
        raise PermitError(PermitProblem.FORGED)
    name, note, expires_s = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if name != take:
        raise PermitError(PermitProblem.OTHER_TAKE)
    if now_s >= expires_s:
        raise PermitError(PermitProblem.EXPIRED)
    return Permit(name, note, float(expires_s))


def _make_key(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(temporary)  # Fails where another process was first: its key counts.
        except FileExistsError:
            return
    finally:
        temporary.unlink(missing_ok=True)


def _sign(key: bytes, body: str) -> bytes:
    return hmac.new(key, f"heliograph-capture-1:{body}".encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
