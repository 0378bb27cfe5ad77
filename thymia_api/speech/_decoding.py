"""Files of the six formats to samples, bounded in memory and time, with one error for everything unreadable.

The demuxer is forced to the format that the first bytes name, the file is handed over as an object (no
protocol, no playlist, no reference to another file can be opened), and only known audio codecs are decoded.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import av
import av.logging
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from ._containers import FORMAT_NAMES, HEAD_BYTES, MEDIA_TYPES, RecordingFormat, identify_format, read_wav_shortage
from ._errors import UnreadableReason, UnreadableRecordingError
from ._meters import MAX_DURATION_S, SPEECH_SAMPLE_RATE_HZ

DECODE_LIMIT_S = 2 * MAX_DURATION_S
"""Where decoding stops when the caller names no limit: far beyond what thymia takes, easy on memory."""

_MIN_RATE_HZ, _MAX_RATE_HZ = 4_000, 192_000
_MAX_CHANNELS = 16
_MAX_DECODE_SECONDS = 60.0  # of wall time: a whole 6-minute file takes about 1 s
_MAX_FAILED_SHARE = 0.05  # of packets: one bad packet in a long file is a click, more is another recording
_MISSING_TOLERANCE_S, _MISSING_SHARE = 0.25, 0.01
_CODECS = {"aac", "alac", "flac", "libopus", "mp3", "mp3float", "opus", "speex", "libspeex", "vorbis"}
_CODEC_FAMILIES = ("pcm_", "adpcm_")
# MP3 states a guess at best, Ogg's length is read from its end; FFmpeg trims a WAV's to what is there.
_STATING_LENGTH = {RecordingFormat.FLAC, RecordingFormat.MP4, RecordingFormat.WEBM}
_ANY_FORMAT = "FLAC, MP3, MP4, Ogg, WebM or WAV"


@dataclass(frozen=True, slots=True, eq=False)
class DecodedRecording:
    """A recording as samples (float32 mono in −1…1, at its own rate and at 16 kHz) and the file's own facts.

    `duration_s` is the whole recording's length; when decoding stopped at the limit (`is_cut`) it is the
    length that the file states, or at least the decoded part. `failed_packets` counts pieces that could not
    be decoded.
    """

    samples: NDArray[np.float32]
    samples_16k: NDArray[np.float32]
    format: RecordingFormat
    media_type: str
    codec: str
    duration_s: float
    sample_rate_hz: int
    channels: int
    is_cut: bool
    failed_packets: int


def decode_recording(source: Path | bytes, *, max_s: float | None = None) -> DecodedRecording:
    """Decode the first audio stream of a file in one of the six formats, whatever its name; video is ignored.

    Stops at `max_s` seconds (None: `DECODE_LIMIT_S`), so an hours-long file costs no more than that. Blocking
    (about 4 ms per second of audio): call it from a thread. Raises `UnreadableRecordingError`, and nothing
    else, for what can't be read.
    """
    limit_s = DECODE_LIMIT_S if max_s is None else max_s
    if limit_s <= 0:
        raise ValueError(f"max_s must be positive, not {max_s}.")
    # Another library may have switched FFmpeg's printing to stderr on; a broken file is no news for a log.
    av.logging.set_libav_level(av.logging.PANIC)
    if isinstance(source, bytes):
        return _decode_stream(io.BytesIO(source), limit_s)
    try:
        with source.open("rb") as file:
            return _decode_stream(file, limit_s)
    except OSError as error:
        message = f"The file can't be opened: {error.strerror or error}."
        raise UnreadableRecordingError(message, reason=UnreadableReason.UNREADABLE_FILE) from error


def _decode_stream(file: BinaryIO, limit_s: float) -> DecodedRecording:
    head = file.read(HEAD_BYTES)
    file_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not head:
        raise UnreadableRecordingError("The file is empty.", reason=UnreadableReason.EMPTY)
    kind = identify_format(head)
    if kind is None:
        raise UnreadableRecordingError(
            f"This is not a {_ANY_FORMAT} file, whatever its name says.", reason=UnreadableReason.UNKNOWN_FORMAT
        )
    if kind is RecordingFormat.WAV and (missing := read_wav_shortage(head, file_bytes)) > _MISSING_SHARE:
        raise UnreadableRecordingError(
            f"The WAV file is incomplete: {missing:.0%} of the sound it announces is missing.",
            reason=UnreadableReason.INCOMPLETE,
        )
    try:
        with av.open(file, "r", format=kind.value, metadata_errors="replace") as container:
            return _decode_container(container, kind, limit_s)
    except UnreadableRecordingError:
        raise
    # PyAV maps FFmpeg's errors to many built-in types (ValueError, OSError, PermissionError, MemoryError…).
    except (av.FFmpegError, ValueError, OSError, ArithmeticError, LookupError, MemoryError) as error:
        raise _damaged(kind) from error


def _decode_container(container: InputContainer, kind: RecordingFormat, limit_s: float) -> DecodedRecording:
    if not container.streams.audio:
        raise UnreadableRecordingError(
            f"The {FORMAT_NAMES[kind]} file has no sound track.", reason=UnreadableReason.NO_AUDIO
        )
    stream = container.streams.audio[0]
    codec = stream.codec_context.name if stream.codec_context is not None else "unknown"
    if codec not in _CODECS and not codec.startswith(_CODEC_FAMILIES):
        raise UnreadableRecordingError(
            f"The sound in this {FORMAT_NAMES[kind]} file is coded as {codec}, which is not supported.",
            reason=UnreadableReason.UNSUPPORTED_AUDIO,
        )
    collector = _Collector(kind, limit_s)
    packets = failed = 0
    deadline = time.monotonic() + _MAX_DECODE_SECONDS
    for frames in _decode_packets(container, stream):
        packets += 1
        failed += frames is None
        for frame in frames or ():
            collector.take(frame)
        if collector.is_full:
            break
        if time.monotonic() > deadline:
            raise UnreadableRecordingError(
                "Reading the file takes too long; it is probably damaged.", reason=UnreadableReason.TOO_SLOW
            )
    if collector.decoded_s == 0 or failed > max(1, packets * _MAX_FAILED_SHARE):
        raise _damaged(kind)
    stated_s = _read_stated_duration_s(container, stream)
    if not collector.is_full and kind in _STATING_LENGTH and stated_s is not None:
        _check_complete(kind, stated_s, collector.decoded_s)
    samples = collector.join()
    decoded_s = samples.size / collector.rate_hz
    return DecodedRecording(
        samples=samples,
        samples_16k=_resample(samples, collector.rate_hz, SPEECH_SAMPLE_RATE_HZ),
        format=kind,
        media_type=MEDIA_TYPES[kind],
        codec=codec.removesuffix("float").removeprefix("lib"),
        duration_s=max(decoded_s, stated_s or 0.0) if collector.is_full else decoded_s,
        sample_rate_hz=collector.rate_hz,
        channels=collector.channels,
        is_cut=collector.is_full,
        failed_packets=failed,
    )


def _decode_packets(container: InputContainer, stream: AudioStream) -> Iterator[list[AudioFrame] | None]:
    """Yield the frames of each packet; None for one that can't be decoded."""
    for packet in container.demux(stream):
        try:
            yield stream.codec_context.decode(packet)
        except av.EOFError:
            return
        except (av.FFmpegError, ValueError):
            yield None


class _Collector:
    """Gathers frames as mono float32 at the rate of the first one, up to the limit."""

    def __init__(self, kind: RecordingFormat, limit_s: float) -> None:
        self._kind = kind
        self._limit_s = limit_s
        self._blocks: list[NDArray[np.float32]] = []
        self._samples = 0
        self.rate_hz = 0
        self.channels = 0

    @property
    def decoded_s(self) -> float:
        return self._samples / self.rate_hz if self.rate_hz else 0.0

    @property
    def is_full(self) -> bool:
        return self.decoded_s > self._limit_s

    def take(self, frame: AudioFrame) -> None:
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if not _MIN_RATE_HZ <= rate <= _MAX_RATE_HZ or not 1 <= channels <= _MAX_CHANNELS:
            raise UnreadableRecordingError(
                f"The {FORMAT_NAMES[self._kind]} file has {channels} channels at {rate} Hz: that is no voice.",
                reason=UnreadableReason.UNSUPPORTED_AUDIO,
            )
        if not self.rate_hz:
            self.rate_hz, self.channels = rate, channels
        mono = mix_to_mono(frame)
        if rate != self.rate_hz:  # only in joined or damaged files
            mono = _resample(mono, rate, self.rate_hz)
        self._blocks.append(mono)
        self._samples += mono.size

    def join(self) -> NDArray[np.float32]:
        joined = np.concatenate(self._blocks)
        self._blocks.clear()
        return joined[: int(self._limit_s * self.rate_hz)] if self.is_full else joined


def mix_to_mono(frame: AudioFrame) -> NDArray[np.float32]:
    """Average the channels (FFmpeg's own mix of floats adds 3 dB to equal channels and so can clip)."""
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, frame.layout.nb_channels).T
    if array.dtype == np.uint8:
        scaled = (array.astype(np.float32) - 128) / 128
    elif np.issubdtype(array.dtype, np.integer):
        scaled = array.astype(np.float64) / 2.0 ** (8 * array.dtype.itemsize - 1)
    else:
        scaled = np.nan_to_num(array.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0).clip(-8, 8)
    mono: NDArray[np.float32] = scaled.mean(axis=0).astype(np.float32)
    return mono


def _resample(samples: NDArray[np.float32], rate_hz: int, to_hz: int) -> NDArray[np.float32]:
    if rate_hz == to_hz or not samples.size:
        return samples
    resampler = AudioResampler(format="flt", layout="mono", rate=to_hz)
    blocks: list[NDArray[np.float32]] = []
    for start in range(0, samples.size, rate_hz):
        frame = AudioFrame.from_ndarray(samples[np.newaxis, start : start + rate_hz], format="flt", layout="mono")
        frame.sample_rate = rate_hz
        blocks += [out.to_ndarray()[0].astype(np.float32) for out in resampler.resample(frame)]
    blocks += [out.to_ndarray()[0].astype(np.float32) for out in resampler.resample(None)]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.float32)


def _read_stated_duration_s(container: InputContainer, stream: AudioStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration and len(container.streams) == 1 else None


def _check_complete(kind: RecordingFormat, stated_s: float, decoded_s: float) -> None:
    if stated_s - decoded_s > max(_MISSING_TOLERANCE_S, _MISSING_SHARE * stated_s):
        raise UnreadableRecordingError(
            f"The {FORMAT_NAMES[kind]} file is incomplete: {stated_s:.1f} s announced, {decoded_s:.1f} s there.",
            reason=UnreadableReason.INCOMPLETE,
        )


def _damaged(kind: RecordingFormat) -> UnreadableRecordingError:
    return UnreadableRecordingError(
        f"The file begins like {FORMAT_NAMES[kind]} but can't be decoded; it is damaged.",
        reason=UnreadableReason.DAMAGED,
    )
