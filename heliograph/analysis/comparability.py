"""Where two neighbouring results of one participant cannot be compared as they stand: another microphone or way of
recording, or other facts about the person, on which thymia's levels are benchmarked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from heliograph.analysis.baseline import RESULT

__all__ = ["find_breaks"]

NARROW_BAND_HZ = 4000
"""Telephone speech ends at 3.4 kHz (ITU-T G.712) and is sampled at 8 kHz: above 4 kHz it has nothing."""
BANDWIDTH_RATIO = 1.5
"""Half as much again; the steps from telephone (3.4 kHz) to wideband (7 kHz, ITU-T G.722) and on are twofold."""
SNR_CHANGE_DB = 10
"""Ten times the noise: another room, distance or microphone rather than another day."""
SPEECH_RATIO = 2
"""An average over twice the speech varies some 30 % less: the two results are unlike in precision."""

STEP_WORDS = {
    "echo_cancellation": "echo cancellation",
    "noise_suppression": "noise suppression",
    "auto_gain_control": "automatic gain",
    "voice_isolation": "voice isolation",
}
PERSON_COLUMNS = {
    "language": "language",
    "accent": "accent",
    "date_of_birth": "date of birth",
    "birth_sex": "birth sex",
}
COMPARED = ("kind", "source", "processing", "bandwidth_hz", "snr_db", "speech_s", *PERSON_COLUMNS)
_SAID = {True: "on", False: "off", "on": "on", "off": "off"}


def find_breaks(frame: pd.DataFrame) -> pd.DataFrame:
    """Find the results that differ markedly from the one before in how they were recorded or in who is described.

    Parameters
    ----------
    frame : pandas.DataFrame
        Runs of one participant in any order: `run_id`, `session_local` and, as far as known, `kind`, `source`,
        `processing` (JSON text), `bandwidth_hz`, `snr_db`, `speech_s`, `language`, `accent`, `date_of_birth`,
        `birth_sex`. Where the frame has a `state`, only completed results are looked at. Not changed.

    Returns
    -------
    pandas.DataFrame
        One row a break, by time: `run_id` and `at` of the first result after it, `run_id_before` and `at_before`,
        `about` ("recording", "person" or "both") and `reasons`, a tuple of texts such as "bandwidth: 11.0 to
        3.5 kHz". They quote what people typed (the accent): escape them.

    Notes
    -----
    A rule of thumb, not a test; the limits are constants of this module. Each result is compared with the one
    before it. What is not known on one side is no change, except an accent that is given or taken away.
    """
    rows = frame if "state" not in frame else frame[frame["state"] == RESULT]
    compared = rows[["run_id", *(name for name in COMPARED if name in rows)]]
    rows = compared.assign(at=pd.to_datetime(rows["session_local"])).sort_values(["at", "run_id"], kind="stable")
    found: list[dict[str, Any]] = []
    before: dict[Any, Any] | None = None
    for row in rows.to_dict("records"):
        if before is not None:
            recording = tuple(_compare_recordings(before, row))
            person = tuple(_compare_people(before, row))
            if recording or person:
                about = "both" if recording and person else "recording" if recording else "person"
                found.append({
                    "run_id": int(row["run_id"]), "at": row["at"], "run_id_before": int(before["run_id"]),
                    "at_before": before["at"], "about": about, "reasons": recording + person,
                })  # fmt: skip
        before = row
    columns = ["run_id", "at", "run_id_before", "at_before", "about", "reasons"]
    return pd.DataFrame(found, columns=columns)


def _compare_recordings(before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[str]:
    source, sources = _read_source(before), _read_source(after)
    if source and sources and source != sources:
        yield f"source: {source} to {sources}"
    steps, now = _read_processing(before), _read_processing(after)
    for name, words in STEP_WORDS.items():
        if name in steps and name in now and steps[name] != now[name]:
            yield f"{words}: {steps[name]} to {now[name]}"
    for name, check, words in (
        ("bandwidth_hz", _is_other_bandwidth, "bandwidth: {0:.1f} to {1:.1f} kHz"),
        ("snr_db", _is_other_snr, "signal to noise: {0:.0f} to {1:.0f} dB"),
        ("speech_s", _is_other_length, "speech: {0:.0f} to {1:.0f} s"),
    ):
        values = before.get(name), after.get(name)
        if not any(value is None or pd.isna(value) for value in values):
            old, new = (float(value) for value in values if value is not None)
            if check(old, new):
                scale = 1000 if name == "bandwidth_hz" else 1
                yield words.format(old / scale, new / scale)


def _compare_people(before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[str]:
    for name, words in PERSON_COLUMNS.items():
        if name not in before:
            continue
        old, new = (None if pd.isna(row[name]) else str(row[name]) for row in (before, after))
        if old != new and (name == "accent" or (old and new)):
            yield f"{words}: {old or 'none given'} to {new or 'none given'}"


def _is_other_bandwidth(old: float, new: float) -> bool:
    low, high = sorted((old, new))
    return high > BANDWIDTH_RATIO * low or low < NARROW_BAND_HZ <= high


def _is_other_snr(old: float, new: float) -> bool:
    return abs(new - old) > SNR_CHANGE_DB


def _is_other_length(old: float, new: float) -> bool:
    low, high = sorted((old, new))
    return high > SPEECH_RATIO * low


def _read_source(row: dict[Any, Any]) -> str | None:
    """How the recording came about; an activity of thymia's own has no recording here."""
    if row.get("kind") == "activity":
        return "activity"
    source = row.get("source")
    return source if isinstance(source, str) and source else None


def _read_processing(row: dict[Any, Any]) -> dict[str, str]:
    """The browser's steps that are known to have been on or off."""
    try:
        steps = json.loads(row.get("processing") or "{}")
    except (TypeError, ValueError):
        return {}
    known = steps if isinstance(steps, dict) else {}
    return {
        name: _SAID[value] for name, value in known.items() if isinstance(value, str | bool) and value in _SAID
    }
