"""Synthetic scores: the same for the same input, in range, plausible over time."""

import hashlib
import statistics
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thymia_api.sandbox.scoring import BUCKET_LEVELS, compute_bucket, compute_scores
from thymia_api.sandbox.voice import VoiceFeatures

USUAL = VoiceFeatures(
    speech_s=30, pause_share=0.2, mean_pause_s=0.5, speech_rate_hz=4.5, pitch_sd_semitones=3.0, level_dbfs=-24,
    snr_db=40, clipped_share=0,
)  # fmt: skip
UNIFORM = [
    "uniformDistress",
    "uniformStress",
    "uniformExhaustion",
    "uniformSleepPropensity",
    "uniformLowSelfEsteem",
]


def _request(
    label: str = "P001", *, day: int = 0, slept_h: float = 7.5, awake_h: float = 8.0
) -> dict[str, object]:
    asleep = datetime(2026, 1, 1, 23) + timedelta(days=day)
    awake = asleep + timedelta(hours=slept_h)
    recorded = awake + timedelta(hours=awake_h)
    times = {"sleepTime": asleep, "wakeTime": awake, "recordingTime": recorded}
    user = {"userLabel": label, "dateOfBirth": "1990-01-01", "birthSex": "FEMALE"}
    return {"user": user, "language": "en-GB", **{name: time.isoformat() for name, time in times.items()}}


def _score(name: str, request: dict[str, object], recording: str = "00", voice: VoiceFeatures = USUAL) -> float:
    return compute_scores(request, recording, voice)[name]["value"]


def _mean(name: str, *, voice: VoiceFeatures = USUAL, **times: float) -> float:
    return statistics.mean(_score(name, _request(f"P{n}", **times), str(n), voice) for n in range(200))


def test_the_same_input_gives_the_same_scores():
    """Today, in another process, for ever: the figures of one input are written down here."""
    scores = compute_scores(_request(), "00", USUAL)
    assert scores == compute_scores(_request(), "00", USUAL)
    text = repr(sorted((name, score["value"]) for name, score in scores.items()))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "3da0d501b1387570"


def test_tags_and_deletion_do_not_change_scores_and_the_recording_does():
    """Scores depend on the label, the recording and the metadata that describe the session."""
    request = _request()
    assert compute_scores({**request, "tags": [{"name": "a", "value": "b"}], "deleteData": True}, "00", USUAL) == (
        compute_scores(request, "00", USUAL)
    )
    assert compute_scores(request, "01", USUAL) != compute_scores(request, "00", USUAL)
    assert compute_scores({**request, "accent": "KE"}, "00", USUAL) != compute_scores(request, "00", USUAL)


@given(
    label=st.text(min_size=1, max_size=50),
    slept_h=st.floats(-100, 100),
    awake_h=st.floats(-100, 100),
    pause_share=st.floats(0, 1),
    rate=st.floats(0, 50),
    pitch=st.none() | st.floats(0, 10),
    level=st.floats(-120, 3),
)
def test_every_score_lies_in_its_range(label, slept_h, awake_h, pause_share, rate, pitch, level):
    """Continuous values in [0, 1], buckets one of the four, each bucket that of its continuous value."""
    voice = replace(
        USUAL, pause_share=pause_share, speech_rate_hz=rate, pitch_sd_semitones=pitch, level_dbfs=level
    )
    scores = compute_scores(_request(label, slept_h=slept_h, awake_h=awake_h), "00", voice)
    assert len(scores) == 11
    assert all(0 <= score["value"] <= 1 for score in scores.values())
    for name in UNIFORM:
        bucketed = name.removeprefix("uniform")
        assert scores[bucketed[0].lower() + bucketed[1:]]["value"] == compute_bucket(scores[name]["value"])


def test_buckets_are_quarters():
    """0, 0.33, 0.66 and 1, changing at 0.25, 0.5 and 0.75."""
    assert BUCKET_LEVELS == (0.0, 0.33, 0.66, 1.0)
    values = [0, 0.2499, 0.25, 0.4999, 0.5, 0.7499, 0.75, 1]
    assert [compute_bucket(value) for value in values] == [0, 0, 0.33, 0.33, 0.66, 0.66, 1, 1]


def test_a_short_night_and_a_long_day_raise_sleep_propensity_and_exhaustion():
    """On average over labels, and sleep propensity more than anything else."""
    short_night = {name: _mean(name, slept_h=4) - _mean(name) for name in UNIFORM}
    assert short_night["uniformSleepPropensity"] > 0.12
    assert short_night["uniformExhaustion"] > 0.08
    assert max(short_night, key=short_night.__getitem__) == "uniformSleepPropensity"
    assert _mean("uniformSleepPropensity", awake_h=16) > _mean("uniformSleepPropensity") + 0.08


def test_impossible_times_have_no_effect_of_their_own():
    """Waking before falling asleep is not a night of minus ten hours."""
    assert _mean("uniformSleepPropensity", slept_h=-10) == pytest.approx(_mean("uniformSleepPropensity"), abs=0.05)


def test_voice_features_move_scores():
    """Fewer, slower, flatter and quieter words raise exhaustion and low self-esteem on average."""
    tired = replace(USUAL, pause_share=0.45, speech_rate_hz=3.0, pitch_sd_semitones=1.5, level_dbfs=-36)
    assert _mean("uniformExhaustion", voice=tired) > _mean("uniformExhaustion") + 0.05
    assert _mean("uniformLowSelfEsteem", voice=tired) > _mean("uniformLowSelfEsteem") + 0.05


def test_a_label_keeps_its_level_and_varies_from_day_to_day():
    """Labels differ by more than one label does over 60 days; no label stands still or jumps about."""
    sessions = [
        [compute_scores(_request(f"P{n}", day=day), f"{n}-{day}", USUAL) for day in range(60)] for n in range(30)
    ]
    for name in [*UNIFORM, "mentalStrain"]:
        series = [[scores[name]["value"] for scores in days] for days in sessions]
        within = statistics.mean(statistics.stdev(days) for days in series)
        between = statistics.stdev(statistics.mean(days) for days in series)
        assert 0.02 < within < 0.10
        assert between > within
        halves = [abs(statistics.mean(days[:30]) - statistics.mean(days[30:])) for days in series]
        assert statistics.mean(halves) < within
