"""How recordings come in: kept on disk and measured first, then waiting until somebody submits or discards them.

Every way in (a take of the live recorder, the built-in recorder, a file) ends in the same stored recording with
the same facts, and what a crash left half way is found again by `load_unfinished`.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from heliograph.audio.chunk_files import describe_stretches
from heliograph.audio.chunk_registry import hold_chunk_take
from heliograph.audio.errors import SpoolError
from heliograph.audio.flac import write_flac
from heliograph.audio.inspection import inspect_file, inspect_take
from heliograph.audio.quality import Quality, QualityRow
from heliograph.audio.spool import INCOMING_PREFIX, SpooledTake, discard_take, load_take, load_takes
from heliograph.audio.take_facts import TakeEnd
from heliograph.audio.verdicts import judge_quality
from heliograph.audio.waveform import compute_peaks
from heliograph.store import (
    Recording,
    RecordingFacts,
    RecordingSource,
    Store,
    discard_waiting_recording,
    from_utc_text,
    load_recording,
    load_waiting_recordings,
    save_recording,
    to_utc_text,
)
from thymia_api.speech import decode_recording

__all__ = [
    "Unfinished",
    "compute_rows",
    "discard_recording",
    "discard_unfinished",
    "find_beginning",
    "keep_file",
    "keep_take",
    "keep_unfinished",
    "load_beginning",
    "load_unfinished",
    "load_waveform",
    "noted_participant",
]

# Browsers are asked to switch these off; only the lossless recorder tells whether they did.
_PROCESSING = {"echo_cancellation": "unknown", "noise_suppression": "unknown", "auto_gain_control": "unknown"}
LONGEST_KEPT = timedelta(days=366)  # What a browser says it kept for longer was dated by a clock that stood wrong.


@dataclass(frozen=True)
class Unfinished:
    """A take in the spool, or a stored recording that has not been submitted; `participant_id` None: not known.

    `started_utc` is when the recording began, or came in where that is not known.
    """

    key: str
    participant_id: int | None
    started_utc: str
    duration_s: float
    cut_off: bool
    item: SpooledTake | Recording


def keep_take(store: Store, take: SpooledTake, *, participant_id: int | None) -> Recording:
    """Measure a finished take, keep it as verified FLAC, and only then let go of the spool. Takes about a second.

    What its browser sends meanwhile is refused for the moment, so that nothing is accepted that would be lost.
    Raises `AudioError` or `StoreError`; the take is still in the spool then. So it is with a take that was made
    for another participant.
    """
    with _hold(take) as held:
        whose = noted_participant(held)
        if participant_id is not None and whose not in (participant_id, None):
            raise SpoolError("This recording belongs to another participant: choose that one, then review it.")
        measured = inspect_take(held)
        path = write_flac(held, held.folder / "take.flac")
        facts = _facts(
            measured.quality,
            media_type="audio/flac",
            source=RecordingSource.LOSSLESS if held.in_chunks else RecordingSource.WEBRTC,
            channels=1,
            wall_clock_s=held.facts.wall_clock_s or None,
            processing=_describe_processing(held),
        )
        recording = save_recording(store, path, facts=facts, participant_id=participant_id or whose)
        discard_take(held)
    return recording


@contextmanager
def _hold(take: SpooledTake) -> Iterator[SpooledTake]:
    """The take with all that has arrived of it; until it is let go of, its browser is told to wait."""
    if not take.in_chunks:
        yield take
        return
    spool_folder = take.folder.parent
    with hold_chunk_take(spool_folder, take.token):
        yield load_take(spool_folder, take.token)


def keep_file(store: Store, data: bytes, *, source: RecordingSource, participant_id: int | None) -> Recording:
    """Measure a file of one of the six formats and keep it byte for byte; raises `AudioError` or `StoreError`.

    What can't be read as a recording is not kept. The same file again is the same recording.
    """
    found = inspect_file(data)
    store.spool_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    incoming = store.spool_folder / f"{INCOMING_PREFIX}{secrets.token_hex(8)}"
    try:
        incoming.touch(mode=0o600)
        incoming.write_bytes(data)
        facts = _facts(
            found.quality,
            media_type=found.recording.media_type,
            source=source,
            channels=found.recording.channels,
            wall_clock_s=None,
        )
        return save_recording(store, incoming, facts=facts, participant_id=participant_id)
    finally:
        incoming.unlink(missing_ok=True)


def load_unfinished(
    store: Store, *, exclude_takes: Collection[str] = (), exclude_recordings: Collection[str] = ()
) -> list[Unfinished]:
    """Everything that was recorded and neither submitted nor discarded, oldest first."""
    takes = [
        Unfinished(
            take.token,
            noted_participant(take),
            find_beginning(take),
            take.duration_s,
            take.facts.end not in (TakeEnd.STOPPED, TakeEnd.FULL_LENGTH),
            take,
        )
        for take in load_takes(store.spool_folder, exclude=exclude_takes)
    ]
    recordings = [
        Unfinished(
            recording.id[:12],
            participant_id,
            to_utc_text(began) if (began := load_beginning(recording)) else recording.created_utc,
            recording.facts.duration_s or 0.0,
            False,
            recording,
        )
        for recording, participant_id in load_waiting_recordings(store)
        if recording.id not in exclude_recordings
    ]
    return sorted([*takes, *recordings], key=lambda found: found.started_utc)


def keep_unfinished(store: Store, found: Unfinished, *, participant_id: int) -> Recording:
    """Make an unfinished one ready for review; raises `AudioError` or `StoreError`."""
    if isinstance(found.item, Recording):
        return load_recording(store, found.item.id)
    return keep_take(store, found.item, participant_id=participant_id)


def discard_unfinished(store: Store, found: Unfinished) -> None:
    """Remove it for good; raises `AudioError` or `StoreError`."""
    if isinstance(found.item, Recording):
        discard_recording(store, found.item.id)
    elif found.item.in_chunks:
        with hold_chunk_take(found.item.folder.parent, found.item.token):
            discard_take(found.item)
    else:
        discard_take(found.item)


def discard_recording(store: Store, recording_id: str) -> None:
    """Remove a recording that waits; one that a run refers to only stops waiting."""
    discard_waiting_recording(store, recording_id)


def find_beginning(take: SpooledTake) -> str:
    """When a take began, in UTC: by its browser's clock, or when this server first heard of it.

    A browser may send a recording days later, and then only its own clock knows; one that is fast is not believed.
    """
    started_utc = take.facts.started_utc
    try:
        told = datetime.fromisoformat(take.facts.processing.get("began_utc", ""))
        kept_for = from_utc_text(started_utc) - told
        return to_utc_text(told) if timedelta() <= kept_for <= LONGEST_KEPT else started_utc
    except (TypeError, ValueError, OverflowError):  # Told without its zone, or no time at all.
        return started_utc


def load_beginning(recording: Recording) -> datetime | None:
    """When a stored recording began (aware); None where nobody knows, as for a file."""
    try:
        began = datetime.fromisoformat(recording.facts.processing.get("began_utc", ""))
    except ValueError:
        return None
    return began if began.tzinfo else None


def compute_rows(recording: Recording) -> list[QualityRow]:
    """The rows of the review, from what was measured when the recording came in."""
    facts = recording.facts
    return judge_quality(
        Quality(
            speech_s=facts.speech_s or 0.0,
            duration_s=facts.duration_s or 0.0,
            level_dbfs=facts.level_dbfs if facts.level_dbfs is not None else -120.0,
            peak_dbfs=facts.peak_dbfs if facts.peak_dbfs is not None else -120.0,
            clipped_share=facts.clipped_share or 0.0,
            snr_db=facts.snr_db,
            bandwidth_hz=facts.bandwidth_hz,
            missing_share=facts.missing_share or 0.0,
            sample_rate_hz=facts.sample_rate_hz or 0,
            snr_note="too little silence or speech",
        ),
        source=facts.source,
    )


def load_waveform(path: Path, columns: int) -> tuple[list[float], list[float]]:
    """Lowest and highest sample of each of `columns` stretches, scaled so that the loudest reaches 1."""
    lows, highs = compute_peaks(decode_recording(path).samples, columns)
    scale = max(float(abs(lows).max(initial=0.0)), float(abs(highs).max(initial=0.0)), 1e-6)
    return [float(low) / scale for low in lows], [float(high) / scale for high in highs]


def _facts(
    quality: Quality,
    *,
    media_type: str,
    source: RecordingSource,
    channels: int,
    wall_clock_s: float | None,
    processing: Mapping[str, str] = _PROCESSING,
) -> RecordingFacts:
    return RecordingFacts(
        media_type=media_type,
        source=source,
        duration_s=quality.duration_s,
        speech_s=quality.speech_s,
        level_dbfs=quality.level_dbfs,
        peak_dbfs=quality.peak_dbfs,
        clipped_share=quality.clipped_share,
        snr_db=quality.snr_db,
        bandwidth_hz=quality.bandwidth_hz,
        missing_share=quality.missing_share,
        sample_rate_hz=quality.sample_rate_hz,
        channels=channels,
        wall_clock_s=wall_clock_s,
        processing=processing,
    )


def _describe_processing(take: SpooledTake) -> dict[str, str]:
    """What the recorder told of the microphone, when it began, how it ended, and where it has holes (seconds)."""
    told = {
        **_PROCESSING,
        **take.facts.processing,
        "began_utc": find_beginning(take),
        "ended": take.facts.end.value,
    }
    if take.holes:
        told["missing_stretches_s"] = describe_stretches(take.holes, take.facts.sample_rate_hz)
    return told


def noted_participant(take: SpooledTake) -> int | None:
    """Whose take it is, by the note that was made when it was begun; None: not known."""
    note = take.facts.participant_note
    return int(note) if note.isdigit() else None
