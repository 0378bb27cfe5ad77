"""A recording to an outcome, as the service does it: readable, not too long, speech found, enough of it, scored.

Causes are looked for in this order, and the first one found is the run's error: a recording that is both
3.5 minutes long and silent is too long.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from thymia_api.sandbox._rows import COMPLETE_ERROR, COMPLETE_OK, Outcome, RunRow
from thymia_api.sandbox.scoring import compute_scores
from thymia_api.sandbox.settings import FaultKind, SandboxSettings
from thymia_api.sandbox.voice import VoiceFeatures, compute_voice
from thymia_api.speech import (
    MAX_DURATION_S,
    MIN_SPEECH_S,
    UnreadableRecordingError,
    decode_recording,
    measure_speech,
)

MAX_CLIPPED_SHARE = 0.001
"""Share of samples at full scale above which a recording is called clipped."""
MIN_SNR_DB = 10.0
"""Signal-to-noise ratio below which a recording is called noisy."""


def evaluate_recording(run: RunRow, path: Path, settings: SandboxSettings) -> Outcome:
    """The outcome of a run on the recording in `path`. Blocking; about 15 ms per second of audio."""
    if FaultKind.RUN_ERROR in settings.fault_kinds:
        chance = random.Random(f"{settings.fault_seed}:{run.id}").random()
        if chance < settings.fault_rate:
            return _failed("ERR_INTERNAL", "Injected by the sandbox (run-error)")
    try:
        recording = decode_recording(path, max_s=MAX_DURATION_S + 1)
    except UnreadableRecordingError as error:
        return _failed("ERR_RECORDING_INVALID_FORMAT", str(error))
    if recording.duration_s > MAX_DURATION_S:
        reason = f"Recording of {recording.duration_s:.1f} s is longer than {MAX_DURATION_S:.0f} s"
        return _failed("ERR_RECORDING_TOO_LONG", reason)
    speech = measure_speech(recording.samples_16k)
    if not speech.segments:
        return _failed("ERR_TRANSCRIPTION_FAILED", f"No speech found in {recording.duration_s:.1f} s of audio")
    if speech.speech_s < MIN_SPEECH_S:
        reason = f"Recording contains {speech.speech_s:.1f} s of speech; {MIN_SPEECH_S:.0f} s are needed"
        return _failed("ERR_RECORDING_TOO_SHORT", reason)
    voice = compute_voice(recording.samples, recording.samples_16k, speech.segments)
    section: dict[str, Any] = {
        "startSecs": 0.0,
        "finishSecs": round(recording.duration_s, 3),
        "transcript": (
            "[Sandbox transcript: synthetic, no speech recognition was run."
            f" {speech.speech_s:.1f} s of speech were detected in {len(speech.segments)} stretches.]"
        ),
    }
    section |= compute_scores(run.request, run.recording_sha256 or "", voice)
    return Outcome(status=COMPLETE_OK, warnings=_list_warnings(voice), results={"sections": [section]})


def _list_warnings(voice: VoiceFeatures) -> list[str]:
    warnings = []
    if voice.clipped_share > MAX_CLIPPED_SHARE:
        warnings.append(f"Audio is clipped: {voice.clipped_share:.1%} of the samples are at full scale")
    if voice.snr_db < MIN_SNR_DB:
        warnings.append(f"Audio is noisy: signal-to-noise ratio of {voice.snr_db:.0f} dB")
    return warnings


def _failed(code: str, reason: str) -> Outcome:
    return Outcome(status=COMPLETE_ERROR, error_code=code, error_reason=reason)
