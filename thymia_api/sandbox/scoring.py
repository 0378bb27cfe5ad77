"""Synthetic scores. THEY MEAN NOTHING CLINICALLY: made up, so that software can be built and tried without a key.

Each biomarker is a sum on the log-odds scale, squeezed into [0, 1]: a personal level drawn from the label, a
slow drift over weeks, made-up effects of sleep, of hours awake and of measurable voice features, and noise.
All randomness is seeded from the label, the recording's hash and the metadata: same input, same scores.
The buckets are cut from the continuous values at 0.25, 0.5 and 0.75.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from thymia_api.sandbox._requests import parse_local
from thymia_api.sandbox.voice import VoiceFeatures

BIOMARKERS = ("Distress", "Stress", "Exhaustion", "SleepPropensity", "LowSelfEsteem")
BUCKET_LEVELS = (0.0, 0.33, 0.66, 1.0)
SCORED_FIELDS = ("user", "language", "accent", "sleepTime", "wakeTime", "recordingTime")
"""Fields of a request that the scores depend on; tags, deletion and the activity's type are none of them."""

_STRAIN_WEIGHTS = {
    "Distress": 0.28, "Stress": 0.28, "Exhaustion": 0.2, "SleepPropensity": 0.09, "LowSelfEsteem": 0.15,
}  # fmt: skip
_USUAL_SLEEP_H = 7.5
_USUAL_AWAKE_H = 8.0
_MAX_SLEEP_H = 16.0
_MAX_AWAKE_H = 48.0

# Log-odds a unit of each input: an hour of sleep missed, an hour awake beyond the usual, and for the voice
# one "typical difference" (see `_standardise`), in the order distress, stress, exhaustion, sleep, esteem.
_EFFECTS: Mapping[str, tuple[float, float, float, float, float]] = {
    "sleep_missed_h": (0.06, 0.08, 0.20, 0.30, 0.03),
    "awake_extra_h": (0.01, 0.01, 0.06, 0.09, 0.00),
    "speech_rate": (0.05, 0.12, -0.12, -0.10, -0.06),
    "pauses": (0.05, 0.00, 0.10, 0.10, 0.08),
    "pitch_variation": (-0.10, -0.03, -0.10, -0.08, -0.10),
    "level": (0.02, 0.08, -0.08, -0.05, -0.12),
}


def compute_scores(
    request: Mapping[str, Any], recording_sha256: str, voice: VoiceFeatures
) -> dict[str, dict[str, float]]:
    """The eleven scores of one recording by wire name, each `{"value": number}`; synthetic, see above."""
    label = request["user"]["userLabel"]
    inputs = _compute_inputs(request, voice)
    session = _session_time(request)
    noise = _noise_source(request, recording_sha256)
    shared_noise = noise.gauss(0, 0.14)
    continuous: dict[str, float] = {}
    for position, name in enumerate(BIOMARKERS):
        log_odds = compute_personal_level(label, name) + _compute_drift(label, name, session)
        log_odds += sum(value * _EFFECTS[key][position] for key, value in inputs.items())
        log_odds += shared_noise + noise.gauss(0, 0.20)
        continuous[name] = round(1 / (1 + math.exp(-log_odds)), 4)
    strain = sum(_STRAIN_WEIGHTS[name] * value for name, value in continuous.items()) + noise.gauss(0, 0.015)
    scores = {"mentalStrain": round(min(1.0, max(0.0, strain)), 4)}
    for name, value in continuous.items():
        scores[f"{name[0].lower()}{name[1:]}"] = compute_bucket(value)
        scores[f"uniform{name}"] = value
    return {name: {"value": value} for name, value in scores.items()}


def compute_bucket(value: float) -> float:
    """The bucket of a continuous value: four of equal width."""
    return BUCKET_LEVELS[min(3, int(value * 4))]


def compute_personal_level(label: str, biomarker: str) -> float:
    """The log-odds around which one label's values lie; a part of it is shared by all its biomarkers."""
    shared = _source("level", label).gauss(0, 0.45)
    return -0.55 + shared + _source("level", label, biomarker).gauss(0, 0.40)


def _compute_drift(label: str, biomarker: str, session: datetime | None) -> float:
    if session is None:  # no time was sent: the same input has to give the same scores on any day
        return 0.0
    day = session.toordinal() + session.hour / 24
    source = _source("drift", label, biomarker)
    waves = ((source.uniform(17, 29), 0.12), (source.uniform(45, 80), 0.16))
    return sum(size * math.sin(2 * math.pi * (day / period + source.random())) for period, size in waves)


def _compute_inputs(request: Mapping[str, Any], voice: VoiceFeatures) -> dict[str, float]:
    asleep, awake = (_parse(request, name) for name in ("sleepTime", "wakeTime"))
    recorded = _parse(request, "recordingTime")
    inputs = {"sleep_missed_h": 0.0, "awake_extra_h": 0.0}
    if asleep and awake and 0 < (slept_h := _hours(asleep, awake)) <= _MAX_SLEEP_H:
        inputs["sleep_missed_h"] = min(6.0, max(-2.0, _USUAL_SLEEP_H - slept_h))
    if awake and recorded and 0 <= (awake_h := _hours(awake, recorded)) <= _MAX_AWAKE_H:
        inputs["awake_extra_h"] = min(16.0, max(-6.0, awake_h - _USUAL_AWAKE_H))
    pitch = voice.pitch_sd_semitones
    return inputs | {
        "speech_rate": _standardise(voice.speech_rate_hz, 4.5, 1.0),
        "pauses": _standardise(voice.pause_share, 0.2, 0.12),
        "pitch_variation": 0.0 if pitch is None else _standardise(pitch, 3.0, 1.0),
        "level": _standardise(voice.level_dbfs, -24.0, 8.0),
    }


def _standardise(value: float, usual: float, difference: float) -> float:
    return min(2.5, max(-2.5, (value - usual) / difference))


def _session_time(request: Mapping[str, Any]) -> datetime | None:
    return _parse(request, "recordingTime") or _parse(request, "wakeTime")


def _parse(request: Mapping[str, Any], name: str) -> datetime | None:
    text = request.get(name)
    return parse_local(text) if text is not None else None


def _hours(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 3600


def _noise_source(request: Mapping[str, Any], recording_sha256: str) -> random.Random:
    scored = {name: request[name] for name in SCORED_FIELDS if name in request}
    return _source("noise", json.dumps(scored, sort_keys=True), recording_sha256)


def _source(*parts: str) -> random.Random:
    text = json.dumps(parts)
    return random.Random(hashlib.sha256(text.encode()).digest())
