"""Level and speech of a take in pieces for whoever looks at it: from the disk, as far as there is no hole."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thymia_api.speech import SPEECH_SAMPLE_RATE_HZ, SpeechMeter

from .capture import CaptureSnapshot
from .chunk_files import Chunk, load_chunk_bytes, unpack_samples
from .frames import SpeechFeed
from .levels import CLIP_LEVEL, LevelMeter

_BLOCKS = 10  # to a second: what the level meter is made for


class ChunkMeter:
    """Listens when it is asked to, so that a piece is taken in as fast as it is stored; any thread may ask."""

    def __init__(self, take_folder: Path, rate_hz: int) -> None:
        self._folder = take_folder
        self._rate_hz = rate_hz
        self._lock = threading.Lock()
        self._levels = LevelMeter()
        self._speech = SpeechMeter()
        self._feed = SpeechFeed(SPEECH_SAMPLE_RATE_HZ, from_hz=rate_hz)
        self._next = self._samples = self._clipped = 0
        self._is_whole = False

    def listen(self, chunks: Mapping[int, Chunk], *, whole: bool) -> CaptureSnapshot:
        """Listen to what follows without a hole (0.1 s for 20 s of sound) and tell what was heard so far.

        `whole`: nothing comes after these. What can't be read, as it may just have been removed, waits.
        """
        with self._lock:
            with suppress(OSError):
                while (chunk := chunks.get(self._next)) is not None:
                    self._hear(unpack_samples(load_chunk_bytes(self._folder, chunk), chunk.bits), chunk.bits)
            if whole and self._next == len(chunks) and not self._is_whole:
                self._is_whole = True
                self._speech.feed(self._feed.flush())
                self._speech.finish()
            return CaptureSnapshot(
                elapsed_s=self._samples / self._rate_hz,
                speech_s=self._speech.speech_s,
                level_dbfs=self._levels.level_dbfs,
                peak_dbfs=self._levels.peak_dbfs,
                noise_dbfs=self._levels.noise_dbfs,
                heard=self._levels.heard,
                clipped_share=self._clipped / self._samples if self._samples else 0.0,
                samples=self._samples,
            )

    def _hear(self, samples: NDArray[np.int32], bits: int) -> None:
        levels = (samples / float(1 << (bits - 1))).astype(np.float32)
        for block in np.array_split(levels, _BLOCKS):
            self._levels.feed(block, self._rate_hz)
        self._clipped += int(np.count_nonzero(np.abs(levels) >= CLIP_LEVEL))
        self._speech.feed(self._feed.convert((samples >> (bits - 16)).astype(np.int16)))
        self._samples += samples.size
        self._next += 1


__all__ = ["ChunkMeter"]
