"""A recording's measured quality put into words: one row a measure, with verdict and advice."""

from thymia_api.speech import MAX_DURATION_S, MIN_SPEECH_S

from .quality import (
    GOOD_SPEECH_S,
    MAX_CLIPPED_SHARE,
    MAX_LEVEL_DBFS,
    MAX_MISSING_SHARE,
    MIN_BANDWIDTH_HZ,
    MIN_LEVEL_DBFS,
    MIN_SNR_DB,
    SNR_CAP_DB,
    Quality,
    QualityRow,
    Verdict,
)

_GAPS_ADVICE = {
    "webrtc": "The network lost sound: use a better connection, or the lossless or the built-in recorder.",
    "lossless": (
        "Sound is missing where a call, a busy computer or a page closed too early got in the way: record again"
        " without that."
    ),
}


def judge_quality(quality: Quality, *, source: str = "") -> list[QualityRow]:
    """Judge each measure, in the order of a review; only too little speech and too much length fail.

    `source` is how the recording came about (as `recordings.source`): what helps against gaps depends on it.
    """
    return [
        _judge_speech(quality),
        _judge_length(quality),
        _judge_level(quality),
        _judge_clipping(quality),
        _judge_snr(quality),
        _judge_bandwidth(quality),
        _judge_gaps(quality, source),
    ]


def _judge_speech(quality: Quality) -> QualityRow:
    value = quality.speech_s
    verdict, advice = Verdict.PASS, ""
    if value < MIN_SPEECH_S:
        verdict = Verdict.FAIL
        advice = f"thymia needs {MIN_SPEECH_S:.0f} s of speech: record again and speak for longer."
    elif value < GOOD_SPEECH_S:
        verdict = Verdict.WARN
        advice = f"Close to thymia's limit of {MIN_SPEECH_S:.0f} s: {GOOD_SPEECH_S:.0f} s or more is safe."
    # Rounded down, so that 9.98 s is not shown as enough.
    return QualityRow("speech", "Speech", value, "s", f"{int(value * 10) / 10:.1f} s", verdict, advice)


def _judge_length(quality: Quality) -> QualityRow:
    value = quality.duration_s
    is_long = value > MAX_DURATION_S
    text = f"{value:.1f} s" if not is_long else f"{-(-value * 10 // 1) / 10:.1f} s"
    advice = f"thymia takes {MAX_DURATION_S:.0f} s at most: trim the recording." if is_long else ""
    verdict = Verdict.FAIL if is_long else Verdict.PASS
    return QualityRow("length", "Length", value, "s", text, verdict, advice)


def _judge_level(quality: Quality) -> QualityRow:
    value = quality.level_dbfs
    verdict, advice = Verdict.PASS, ""
    if value < MIN_LEVEL_DBFS:
        verdict, advice = Verdict.WARN, "Very quiet: move closer to the microphone or raise its level."
    elif value > MAX_LEVEL_DBFS:
        verdict, advice = Verdict.WARN, "Very loud: move away from the microphone or lower its level."
    text = f"{value:.1f} dBFS (peak {quality.peak_dbfs:.1f} dBFS)"
    return QualityRow("level", "Level of the voice", value, "dBFS", text, verdict, advice)


def _judge_clipping(quality: Quality) -> QualityRow:
    value = quality.clipped_share * 100
    is_clipped = quality.clipped_share > MAX_CLIPPED_SHARE
    advice = "The sound is distorted: lower the microphone's level and record again." if is_clipped else ""
    verdict = Verdict.WARN if is_clipped else Verdict.PASS
    return QualityRow("clipping", "Clipping", value, "%", f"{value:.3f} %", verdict, advice)


def _judge_snr(quality: Quality) -> QualityRow:
    label, value = "Signal to noise", quality.snr_db
    if value is None:
        text = f"not measured: {quality.snr_note}"
        advice = "The background noise is not known: leave a second of silence before and after speaking."
        return QualityRow("snr", label, None, "dB", text, Verdict.WARN, advice)
    text = f"{value:.0f} dB or more" if value >= SNR_CAP_DB else f"{value:.1f} dB"
    if value < MIN_SNR_DB:
        advice = "Noisy: find a quieter room or move closer to the microphone."
        return QualityRow("snr", label, value, "dB", text, Verdict.WARN, advice)
    return QualityRow("snr", label, value, "dB", text, Verdict.PASS)


def _judge_bandwidth(quality: Quality) -> QualityRow:
    label, value = "Effective bandwidth", quality.bandwidth_hz
    if value is None:
        advice = "The voice does not stand out from the noise: check the microphone."
        return QualityRow("bandwidth", label, None, "Hz", "not measured", Verdict.WARN, advice)
    is_narrow = value < MIN_BANDWIDTH_HZ
    advice = (
        "Dull, like a telephone: use a wired or built-in microphone, no Bluetooth headset, in a quiet room."
        if is_narrow
        else ""
    )
    verdict = Verdict.WARN if is_narrow else Verdict.PASS
    return QualityRow("bandwidth", label, value, "Hz", f"{value / 1000:.2g} kHz", verdict, advice)


def _judge_gaps(quality: Quality, source: str) -> QualityRow:
    value = quality.missing_share * 100
    has_gaps = quality.missing_share > MAX_MISSING_SHARE
    advice = _GAPS_ADVICE.get(source, "Sound is missing: record again.") if has_gaps else ""
    verdict = Verdict.WARN if has_gaps else Verdict.PASS
    return QualityRow("gaps", "Gaps", value, "%", f"{value:.1f} %", verdict, advice)
