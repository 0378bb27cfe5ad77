"""What is known of a take beside its sound: its `take.json`, and how it ended."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from .chunk_files import sync_folder

SPOOL_RATE_HZ = 48_000
FACTS_FILE = "take.json"
_FORMAT_VERSION = 1


class TakeEnd(StrEnum):
    """How a take ended; CUT_OFF is what remains on disk when the process died."""

    STOPPED = "stopped"
    FULL_LENGTH = "full_length"
    CONNECTION_LOST = "connection_lost"
    ABANDONED = "abandoned"
    SERVER_STOPPED = "server_stopped"
    STORAGE_FAILED = "storage_failed"
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True)
class TakeFacts:
    """What is known of a take beside its sound; `filled_s` is the silence put in for what the network lost.

    For a take in pieces `lost_samples` is what the recorder itself filled in, `announced_samples` the length it
    gave at the end (None before), `skipped_samples` what by the clock is missing without anything put in its
    place, and `processing` what it said of the microphone.
    """

    started_utc: str
    participant_note: str = ""
    sample_rate_hz: int = SPOOL_RATE_HZ
    filled_s: float = 0.0
    wall_clock_s: float = 0.0
    end: TakeEnd = TakeEnd.CUT_OFF
    lost_samples: int = 0
    announced_samples: int | None = None
    skipped_samples: int = 0
    processing: Mapping[str, str] = field(default_factory=dict)


def read_facts(folder: Path) -> TakeFacts:
    """What stands in a take's `take.json`; the folder's time alone when that is lost or damaged.

    OSError when it can't be read right now: whose take it is must not be forgotten for that.
    """
    path = folder / FACTS_FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return TakeFacts(
            started_utc=str(stored["started_utc"]),
            participant_note=str(stored["participant_note"]),
            sample_rate_hz=int(stored["sample_rate_hz"]),
            filled_s=float(stored["filled_s"]),
            wall_clock_s=float(stored["wall_clock_s"]),
            end=TakeEnd(stored["end"]),
            lost_samples=int(stored.get("lost_samples", 0)),
            announced_samples=stored.get("announced_samples"),
            skipped_samples=int(stored.get("skipped_samples", 0)),
            processing={str(name): str(value) for name, value in stored.get("processing", {}).items()},
        )
    except (FileNotFoundError, ValueError, OverflowError, KeyError, TypeError, AttributeError):
        # The sound is worth keeping when a power cut took the facts: the folder's time stands in.
        return TakeFacts(started_utc=_format_utc(datetime.fromtimestamp(folder.stat().st_mtime, UTC)))


def write_facts(folder: Path, facts: TakeFacts) -> None:
    """Replace a take's `take.json`; the new one survives a power cut on return."""
    text = json.dumps({"version": _FORMAT_VERSION, **asdict(facts)}, ensure_ascii=False)
    temporary = folder / f"{FACTS_FILE}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FACTS_FILE)
    sync_folder(folder)


def now_utc() -> str:
    return _format_utc(datetime.now(UTC))


def _format_utc(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"
