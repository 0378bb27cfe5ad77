"""One person's recording from WebRTC frames: microphone check, recording, finished.

`push` runs on the event loop and only appends to a queue; one thread per capture does everything else about ten
times a second: mixing, gap filling, writing to the spool, metering. Other threads steer through `begin`,
`request_stop`, `finish`, `abandon` and look at `snapshot`. The thread is no daemon and still never holds up the
exit: it ends when the take ends, when frames stay away, and when the main thread is gone.
"""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from thymia_api.speech import SPEECH_SAMPLE_RATE_HZ, SpeechMeter

from .errors import CaptureError, SpoolError
from .frames import FrameLine, SpeechFeed
from .levels import CLIP_LEVEL, FLOOR_DBFS, HeardLevel, LevelMeter
from .spool import SpooledTake, TakeWriter, discard_take
from .take_facts import SPOOL_RATE_HZ, TakeEnd

MAX_TAKE_S = 170.0
"""Recording stops by itself here: thymia takes 180 s, and a take must not fail for its last second."""
POST_ROLL_S = 0.4
"""How long recording goes on after the click: what was said before it is still on its way through the network."""
CONNECTION_LOST_S = 15.0
"""A recording whose frames stay away this long is over (a shorter outage is filled with silence)."""
IDLE_CHECK_S = 60.0
"""A microphone check whose frames stay away this long gives its thread back."""

_TICK_S = 0.1
_SYNC_S = 1.0
_STOP_GRACE_S = 0.02  # a frame may have its time of arrival and not be in the queue yet
_LOST_BEFORE_STOP_S = 1.0
_CLIP_SAMPLE = round(CLIP_LEVEL * 32768)
_MAX_WAITING_FRAMES = 15_000  # five minutes of frames: only a hanging disk gets there
logger = logging.getLogger(__name__)


class CapturePhase(StrEnum):
    """Where a capture is."""

    MONITORING = "monitoring"
    RECORDING = "recording"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class CaptureSnapshot:
    """A capture at one instant. `problem` is a sentence for the person, `end` how the take ended (or None).

    `elapsed_s` is the length of the sound (filled gaps included), `wall_clock_s` the time over which it arrived;
    `level_dbfs`, `peak_dbfs` and `heard` follow the last moments, `clipped_share` counts over the whole take.
    """

    phase: CapturePhase = CapturePhase.MONITORING
    elapsed_s: float = 0.0
    speech_s: float = 0.0
    level_dbfs: float = FLOOR_DBFS
    peak_dbfs: float = FLOOR_DBFS
    noise_dbfs: float = FLOOR_DBFS
    heard: HeardLevel = HeardLevel.NOTHING
    missing_s: float = 0.0
    clipped_share: float = 0.0
    samples: int = 0
    wall_clock_s: float = 0.0
    last_frame_age_s: float | None = None
    is_stopping: bool = False
    end: TakeEnd | None = None
    problem: str | None = None


class Capture:
    """Records one take into `spool_folder/token`; `participant_note` (no name) tells later whose take it is."""

    def __init__(
        self, spool_folder: Path, *, token: str, participant_note: str = "", max_s: float = MAX_TAKE_S
    ) -> None:
        self.token = token
        self._spool_folder = spool_folder
        self._participant_note = participant_note
        self._max_samples = round(max_s * SPOOL_RATE_HZ)
        self._frames: deque[tuple[float, AudioFrame]] = deque()
        self._wake = threading.Event()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begin_at: float | None = None
        self._stop_at: float | None = None
        self._stop_end = TakeEnd.STOPPED
        self._last_frame_at: float | None = None
        self._snapshot = CaptureSnapshot()
        self._take: SpooledTake | None = None

    def push(self, frame: AudioFrame) -> None:
        """Take the next frame; returns at once (microseconds), from any one thread; ignored when finished."""
        if self._done.is_set() or len(self._frames) >= _MAX_WAITING_FRAMES:
            return
        now = time.monotonic()
        self._last_frame_at = now
        self._frames.append((now, frame))
        if self._thread is None:
            self._start_thread()

    def begin(self, *, participant_note: str | None = None) -> None:
        """Start recording at the next frame; calling it again changes nothing."""
        with self._lock:
            if participant_note is not None and self._begin_at is None:
                self._participant_note = participant_note
            if self._begin_at is None:
                self._begin_at = time.monotonic()

    def request_stop(self, *, post_roll_s: float = POST_ROLL_S) -> None:
        """Stop `post_roll_s` from now and return at once; the first request counts."""
        self._stop(TakeEnd.STOPPED, post_roll_s)

    def finish(self, timeout: float = 5.0) -> SpooledTake:
        """Stop if that was not asked for yet, wait, and return the take; blocks up to `timeout` seconds.

        The take's `facts.end` tells a normal end from a lost connection or a full disk. CaptureError when nothing
        was recorded or the thread did not end in time (then call again).
        """
        self._stop(TakeEnd.STOPPED, 0.0)
        if not self._join(timeout):
            raise CaptureError("The recording is still being written; try again in a moment.")
        if self._take is None:
            raise CaptureError(self._snapshot.problem or "Nothing was recorded: no sound arrived.")
        return self._take

    def abandon(self, timeout: float = 5.0) -> SpooledTake | None:
        """The page was left: end now and return what was recorded, which stays in the spool (None: nothing)."""
        self._stop(TakeEnd.ABANDONED, 0.0)
        self._join(timeout)
        return self._take

    def snapshot(self) -> CaptureSnapshot:
        """Tell how it is going; cheap and safe from any thread."""
        last = self._last_frame_at
        age_s = None if last is None else time.monotonic() - last
        return replace(
            self._snapshot,
            last_frame_age_s=age_s,
            is_stopping=self._stop_at is not None and not self._done.is_set(),
        )

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is None and not self._done.is_set():
                self._thread = threading.Thread(target=self._run, name=f"capture-{self.token}", daemon=False)
                with _registry_lock:
                    _live[self.token] = self
                self._thread.start()

    def _stop(self, end: TakeEnd, post_roll_s: float) -> None:
        with self._lock:
            if self._stop_at is None:
                self._stop_at = time.monotonic() + post_roll_s
                self._stop_end = end
            if self._thread is None:
                self._conclude(None)
        self._wake.set()

    def _join(self, timeout: float) -> bool:
        if not self._done.wait(timeout):
            return False
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return True

    def _conclude(self, take: SpooledTake | None, *, problem: str | None = None) -> None:
        self._take = take
        end = take.facts.end if take is not None else self._snapshot.end or self._stop_end
        self._snapshot = replace(
            self._snapshot,
            phase=CapturePhase.FINISHED,
            end=end,
            problem=problem or _PROBLEMS.get(end),
            level_dbfs=FLOOR_DBFS,
            peak_dbfs=FLOOR_DBFS,
        )
        self._frames.clear()
        with _registry_lock:
            if _live.get(self.token) is self:
                del _live[self.token]
        self._done.set()

    # --- everything below runs in the capture's own thread ---

    def _run(self) -> None:
        recorder: _Recorder | None = None
        end: TakeEnd | None = None
        problem: str | None = None
        try:
            recorder = _Recorder(self._spool_folder, self.token, self._max_samples)
            while end is None:
                self._wake.wait(_TICK_S)
                self._wake.clear()
                now = time.monotonic()
                end = self._work(recorder, now) or self._find_end(recorder, now)
        except SpoolError as error:
            end, problem = TakeEnd.STORAGE_FAILED, str(error)
        except Exception:
            logger.exception("Capture %s failed", self.token)
            end, problem = TakeEnd.CUT_OFF, "The recorder failed; what was recorded so far is kept."
        take = None
        if recorder is not None:
            take = recorder.close(end)
            self._publish(recorder)
        self._snapshot = replace(self._snapshot, end=end)
        self._conclude(take, problem=problem)

    def _work(self, recorder: "_Recorder", now: float) -> TakeEnd | None:
        begin_at, stop_at = self._begin_at, self._stop_at
        blocks = 0
        while self._frames:
            arrived, frame = self._frames.popleft()
            if stop_at is not None and arrived > stop_at:
                break
            if begin_at is not None and arrived >= begin_at and not recorder.is_recording:
                recorder.begin(self._participant_note)
            recorder.take(frame, arrived)
            blocks += 1
            if recorder.is_full:
                return TakeEnd.FULL_LENGTH
        recorder.process(now)
        if blocks or recorder.is_recording:
            self._publish(recorder)
        return None

    def _find_end(self, recorder: "_Recorder", now: float) -> TakeEnd | None:
        age_s = now - (self._last_frame_at or now)
        if self._stop_at is not None and now >= self._stop_at + _STOP_GRACE_S:
            lost = recorder.is_recording and age_s - (now - self._stop_at) > _LOST_BEFORE_STOP_S
            return TakeEnd.CONNECTION_LOST if lost else self._stop_end
        if age_s > (CONNECTION_LOST_S if recorder.is_recording else IDLE_CHECK_S):
            return TakeEnd.CONNECTION_LOST
        return None if threading.main_thread().is_alive() else TakeEnd.SERVER_STOPPED

    def _publish(self, recorder: "_Recorder") -> None:
        meter = recorder.level_meter
        self._snapshot = CaptureSnapshot(
            phase=CapturePhase.RECORDING if recorder.is_recording else CapturePhase.MONITORING,
            elapsed_s=recorder.samples / SPOOL_RATE_HZ,
            speech_s=recorder.speech_s,
            level_dbfs=meter.level_dbfs,
            peak_dbfs=meter.peak_dbfs,
            noise_dbfs=meter.noise_dbfs,
            heard=meter.heard,
            missing_s=recorder.filled_samples / SPOOL_RATE_HZ,
            clipped_share=recorder.clipped / recorder.samples if recorder.samples else 0.0,
            samples=recorder.samples,
            wall_clock_s=recorder.wall_clock_s,
        )


class _Recorder:
    """The thread's side of a capture: frames in; meters, counts and the spooled take out."""

    def __init__(self, spool_folder: Path, token: str, max_samples: int) -> None:
        self._spool_folder = spool_folder
        self._token = token
        self._max_samples = max_samples
        self._line = FrameLine()
        self._writer: TakeWriter | None = None
        self._speech = SpeechMeter()
        self._speech_feed = SpeechFeed(SPEECH_SAMPLE_RATE_HZ)
        self._waiting: list[NDArray[np.int16]] = []
        self._first_arrival_s = self._last_arrival_s = 0.0
        self._last_frame_s = 0.0
        self._synced_at = 0.0
        self.level_meter = LevelMeter()
        self.samples = self.filled_samples = self.clipped = 0

    @property
    def is_recording(self) -> bool:
        return self._writer is not None

    @property
    def is_full(self) -> bool:
        return self.is_recording and self.samples >= self._max_samples

    @property
    def speech_s(self) -> float:
        return self._speech.speech_s

    @property
    def wall_clock_s(self) -> float:
        return self._last_arrival_s - self._first_arrival_s + self._last_frame_s if self.is_recording else 0.0

    def begin(self, participant_note: str) -> None:
        self._meter_levels()
        self._line = FrameLine()
        self._writer = TakeWriter(self._spool_folder, self._token, participant_note=participant_note)
        self._first_arrival_s = self._synced_at = time.monotonic()

    def take(self, frame: AudioFrame, arrived_s: float) -> None:
        missing, samples = self._line.take(frame, arrived_s)
        if not self.is_recording:
            self._waiting.append(samples)
            return
        if self.samples == 0:
            self._first_arrival_s = arrived_s
        self._last_arrival_s = arrived_s
        self._last_frame_s = frame.samples / frame.sample_rate
        missing = min(missing, self._max_samples - self.samples)
        if missing:
            self.filled_samples += missing
            self._store(np.zeros(missing, dtype=np.int16))
        self._store(samples[: self._max_samples - self.samples])

    def process(self, now: float) -> None:
        """Write, meter and listen to what came in since the last time; sync about once a second."""
        samples = self._meter_levels()
        if self._writer is None or not samples.size:
            return
        self._writer.append(samples)
        self._speech.feed(self._speech_feed.convert(samples))
        if now - self._synced_at >= _SYNC_S:
            self._synced_at = now
            self._writer.sync(filled_s=self.filled_samples / SPOOL_RATE_HZ, wall_clock_s=self.wall_clock_s)

    def close(self, end: TakeEnd) -> SpooledTake | None:
        if self._writer is None:
            return None
        try:
            self._store(self._line.flush()[: self._max_samples - self.samples])
            self.process(now=0.0)
            self._speech.feed(self._speech_feed.flush())
            self._speech.finish()
        except SpoolError as error:
            logger.warning("The end of take %s could not be stored: %s", self._token, error)
            end = TakeEnd.STORAGE_FAILED
        filled_s = self.filled_samples / SPOOL_RATE_HZ
        take = self._writer.close(end=end, filled_s=filled_s, wall_clock_s=self.wall_clock_s)
        if not take.samples:
            discard_take(take)
            return None
        return take

    def _store(self, samples: NDArray[np.int16]) -> None:
        self.samples += samples.size
        self.clipped += int(np.count_nonzero(np.abs(samples.astype(np.int32)) >= _CLIP_SAMPLE))
        self._waiting.append(samples)

    def _meter_levels(self) -> NDArray[np.int16]:
        if not self._waiting:
            return np.empty(0, dtype=np.int16)
        samples = np.concatenate(self._waiting)
        self._waiting.clear()
        self.level_meter.feed(samples.astype(np.float32) / np.float32(32768), SPOOL_RATE_HZ)
        return samples


_PROBLEMS = {
    TakeEnd.CONNECTION_LOST: "The connection to the microphone was lost; what arrived until then is kept.",
    TakeEnd.SERVER_STOPPED: "The server was stopped; what was recorded until then is kept.",
    TakeEnd.STORAGE_FAILED: "The recording could not be stored to its end.",
}
_live: dict[str, Capture] = {}
_registry_lock = threading.Lock()


def live_tokens() -> frozenset[str]:
    """Tokens of the captures of this process that are not finished."""
    with _registry_lock:
        return frozenset(_live)


def flush_all(timeout: float = 3.0) -> int:
    """End every live capture of this process and keep what was recorded; for the server's shutdown.

    Blocks up to `timeout` seconds (so not on an event loop) and returns how many did not end in time.
    """
    with _registry_lock:
        captures = list(_live.values())
    for capture in captures:
        capture._stop(TakeEnd.SERVER_STOPPED, 0.0)
    deadline = time.monotonic() + timeout
    return sum(not capture._join(max(0.0, deadline - time.monotonic())) for capture in captures)
