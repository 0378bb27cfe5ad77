"""What the sandbox makes of a recording: each error code for its real cause, warnings, scores."""

from pathlib import Path

import numpy as np
import pytest

from tests.sandbox.recordings import ENCODINGS, RATE_HZ, SAMPLE, encode, make_speech
from tests.sandbox.servers import BODY, RUNS, wait_for
from thymia_api.sandbox import SandboxSettings, processing
from thymia_api.sandbox._rows import RunRow


def _evaluate(tmp_path: Path, content: bytes):
    path = tmp_path / "any.recording"
    path.write_bytes(content)
    run = RunRow(
        id="1", kind="upload", user_label="P001", request=BODY, delete_data=False, recordings_only=False,
        activity_token=None, activity_expires_s=None, created_s=0, run_s=0, completed_s=None,
        recording_name=path.name, recording_sha256="00", recording_bytes=1, status=None, error_code=None,
        error_reason=None, warnings=None, results=None, deletion_due_s=None,
    )  # fmt: skip
    return processing.evaluate_recording(run, path, SandboxSettings(api_key="k"))


def _noise(duration_s: float, level: float) -> np.ndarray:
    return (np.random.default_rng(1).normal(0, level, int(duration_s * RATE_HZ))).astype(np.float32)


@pytest.mark.parametrize("kind", ENCODINGS)
def test_each_of_the_six_formats_is_scored(tmp_path, kind):
    """16 s of a person speaking end in COMPLETE_OK whatever the container."""
    outcome = _evaluate(tmp_path, encode(make_speech(16), kind))
    assert (outcome.status, outcome.error_reason, outcome.warnings) == ("COMPLETE_OK", None, [])


@pytest.mark.parametrize(
    "content", [b"", b"just text, renamed to .wav\n" * 100, b"RIFF\x00\x00\x00\x00WAVE", b"\0" * 9999]
)
def test_what_is_no_recording_is_an_invalid_format(tmp_path, content):
    """A renamed text file, nothing at all, a header alone."""
    assert _evaluate(tmp_path, content).error_code == "ERR_RECORDING_INVALID_FORMAT"


def test_nine_seconds_of_speech_are_too_short(tmp_path):
    """Speech counts, not audio: 59 s with 7.6 s of speech are too short; the reason says so."""
    silence = np.zeros(24 * RATE_HZ, dtype=np.float32)
    long_pauses = np.concatenate([silence, make_speech(11), silence])
    for samples in (make_speech(12.5), long_pauses):
        outcome = _evaluate(tmp_path, encode(samples))
        assert outcome.error_code == "ERR_RECORDING_TOO_SHORT"
        assert "s of speech" in outcome.error_reason


def test_a_second_beyond_three_minutes_is_too_long(tmp_path):
    """181 s are refused, 180 s are not."""
    assert _evaluate(tmp_path, encode(make_speech(181), "flac")).error_code == "ERR_RECORDING_TOO_LONG"
    assert _evaluate(tmp_path, encode(make_speech(180), "flac")).status == "COMPLETE_OK"


@pytest.mark.parametrize(
    "samples", [np.zeros(20 * RATE_HZ, dtype=np.float32), _noise(20, 0.1)], ids=["silence", "noise"]
)
def test_no_speech_at_all_fails_the_transcription(tmp_path, samples):
    """Silence and noise hold no speech, however long they are."""
    assert _evaluate(tmp_path, encode(samples)).error_code == "ERR_TRANSCRIPTION_FAILED"


def test_a_recording_both_silent_and_too_long_is_too_long(tmp_path):
    """The first cause in the documented order is the run's error."""
    silence = np.zeros(185 * RATE_HZ, dtype=np.float32)
    assert _evaluate(tmp_path, encode(silence, "flac")).error_code == "ERR_RECORDING_TOO_LONG"


def test_clipping_and_noise_are_warned_about(tmp_path):
    """The run is COMPLETE_OK all the same, and each warning carries its figure."""
    speech = make_speech(20)
    clipped = _evaluate(tmp_path, encode(speech * 8))
    noisy = _evaluate(tmp_path, encode(speech * 0.5 + _noise(20, float(speech.std()) * 0.25)))
    assert clipped.status == noisy.status == "COMPLETE_OK"
    assert any("clipped" in warning for warning in clipped.warnings)
    assert any("signal-to-noise" in warning for warning in noisy.warnings)
    assert not any("clipped" in warning for warning in noisy.warnings)


def test_a_failure_of_the_sandbox_itself_is_an_internal_error(make_client, monkeypatch, caplog):
    """ERR_INTERNAL, the run is not tried for ever, and the next one is executed."""
    client = make_client()
    real = processing.evaluate_recording
    monkeypatch.setattr(processing, "evaluate_recording", lambda *parts: 1 / 0)
    first, second = (client.post(RUNS, json=BODY).json() for _ in range(2))
    client.put(first["recordingUploadUrl"], content=SAMPLE.read_bytes())
    run = wait_for(client, first["id"])
    assert (run["status"], run["errorCode"]) == ("COMPLETE_ERROR", "ERR_INTERNAL")
    assert "ZeroDivisionError" in run["errorReason"]
    monkeypatch.setattr(processing, "evaluate_recording", real)
    client.put(second["recordingUploadUrl"], content=SAMPLE.read_bytes())
    assert wait_for(client, second["id"])["errorCode"] == "ERR_RECORDING_TOO_SHORT"


def test_runs_can_be_made_to_fail(make_client):
    """The fault `run-error` ends runs in ERR_INTERNAL; only when it is named."""
    client = make_client(fault_rate=1.0, fault_kinds=["run-error"])
    created = client.post(RUNS, json=BODY).json()
    client.put(created["recordingUploadUrl"], content=encode(make_speech(16)))
    assert wait_for(client, created["id"])["errorCode"] == "ERR_INTERNAL"


def test_voice_features_follow_the_voice():
    """Louder, slower, longer pauses, flatter pitch: each shows in its own figure, near what was put in."""
    from thymia_api.sandbox.voice import compute_voice
    from thymia_api.speech import measure_speech

    def measure(samples):
        return compute_voice(samples, samples, measure_speech(samples).segments)

    speech = make_speech(22)
    usual, quiet = measure(speech), measure(speech * np.float32(0.1))
    assert quiet.level_dbfs == pytest.approx(usual.level_dbfs - 20, abs=0.5)
    assert 1.5 < usual.speech_rate_hz < 7
    gap = np.zeros(2 * RATE_HZ, dtype=np.float32)
    with_pause = measure(np.concatenate([speech[: 11 * RATE_HZ], gap, speech[11 * RATE_HZ :]]))
    assert with_pause.pause_share > usual.pause_share + 0.04
    slow = np.interp(np.arange(0, speech.size, 0.6), np.arange(speech.size), speech).astype(np.float32)
    assert measure(slow).speech_rate_hz < usual.speech_rate_hz * 0.85


@pytest.mark.parametrize(("hz", "swing_semitones"), [(120, 0.0), (120, 4.0), (220, 2.0)])
def test_pitch_variation_is_measured_in_semitones(hz, swing_semitones):
    """A harmonic tone whose pitch swings by ±s semitones (sine) has a standard deviation of s/√2."""
    from thymia_api.sandbox.voice import compute_voice

    time_s = np.arange(20 * RATE_HZ) / RATE_HZ
    pitch = hz * 2 ** (swing_semitones * np.sin(2 * np.pi * 0.25 * time_s) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    tone = sum(np.sin(n * phase) / n for n in range(1, 8)).astype(np.float32) * np.float32(0.2)
    voice = compute_voice(tone, tone, [(0.0, 20.0)])
    assert voice.pitch_sd_semitones == pytest.approx(swing_semitones / np.sqrt(2), abs=0.2)
