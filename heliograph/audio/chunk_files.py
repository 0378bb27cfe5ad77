"""The pieces of a take that came by HTTP, as files: `chunks/000012.s16` holds the thirteenth second.

Every piece but the last is exactly one second long, so a piece's number says where in the take it belongs, and a
missing one leaves a hole of known place and length. Samples are mono, little-endian, 16 or 24 bits wide.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CHUNKS_FOLDER = "chunks"
WIDTHS = (16, 24)
_NAME = re.compile(r"(\d{6})\.s(16|24)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece on disk; `samples` is its length."""

    index: int
    bits: int
    samples: int

    @property
    def file_name(self) -> str:
        return f"{self.index:06d}.s{self.bits}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples `start` up to and without `end` of a take."""

    start: int
    end: int


def load_chunks(take_folder: Path) -> dict[int, Chunk]:
    """List a take's pieces by number; what is no whole number of samples, or no piece at all, is left out."""
    found: dict[int, Chunk] = {}
    for path in (take_folder / CHUNKS_FOLDER).iterdir():
        matched = _NAME.fullmatch(path.name)
        if matched is None:
            continue
        index, bits = int(matched[1]), int(matched[2])
        samples, rest = divmod(path.stat().st_size, bits // 8)
        if samples and not rest:
            found[index] = Chunk(index, bits, samples)
    return found


def store_chunk(take_folder: Path, chunk: Chunk, data: bytes) -> None:
    """Write a piece so that it appears whole or not at all, and survives a power cut on return."""
    folder = take_folder / CHUNKS_FOLDER
    temporary = folder / f".{chunk.file_name}.{os.getpid()}.part"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / chunk.file_name)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def load_chunk_bytes(take_folder: Path, chunk: Chunk) -> bytes:
    return (take_folder / CHUNKS_FOLDER / chunk.file_name).read_bytes()


def unpack_samples(data: bytes, bits: int) -> NDArray[np.int32]:
    """Samples as integers of their own width, −2^(bits−1) to 2^(bits−1) − 1."""
    if bits == 16:
        return np.frombuffer(data, dtype="<i2").astype(np.int32)
    octets = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3).astype(np.int32)
    joined: NDArray[np.int32] = ((octets[:, 0] << 8) | (octets[:, 1] << 16) | (octets[:, 2] << 24)) >> 8
    return joined


def count_samples(chunks: Mapping[int, Chunk], rate_hz: int, announced: int | None = None) -> int:
    """Length of the take: as the recorder announced it, else up to the end of the last piece there is."""
    there = max((chunk.index * rate_hz + chunk.samples for chunk in chunks.values()), default=0)
    return max(there, announced or 0)


def find_holes(chunks: Mapping[int, Chunk], rate_hz: int, samples: int) -> list[Stretch]:
    """The stretches of a take of that length for which there is no piece, in order and joined where they touch."""
    holes: list[Stretch] = []
    for start in range(0, samples, rate_hz):
        chunk = chunks.get(start // rate_hz)
        end = min(start + rate_hz, samples)
        there = start + (chunk.samples if chunk else 0)
        if there >= end:
            continue
        if holes and holes[-1].end == there:
            holes[-1] = Stretch(holes[-1].start, end)
        else:
            holes.append(Stretch(there, end))
    return holes


def describe_stretches(holes: Sequence[Stretch], rate_hz: int) -> str:
    """Where sound is missing, such as `12.00-15.00, 31.00-32.00` (seconds); empty for none."""
    return ", ".join(f"{hole.start / rate_hz:.2f}-{hole.end / rate_hz:.2f}" for hole in holes)


def join_chunks(
    take_folder: Path, chunks: Mapping[int, Chunk], rate_hz: int, samples: int, bits: int
) -> NDArray[np.int32]:
    """The first `samples` of the take at `bits` a sample, silence where a piece is missing."""
    whole = np.zeros(samples, dtype=np.int32)
    for chunk in chunks.values():
        start = chunk.index * rate_hz
        piece = unpack_samples(load_chunk_bytes(take_folder, chunk), chunk.bits)[: max(0, samples - start)]
        whole[start : start + piece.size] = piece << (bits - chunk.bits)
    return whole


def compute_whole_hash(digests: Iterable[bytes]) -> str:
    """One hash for a take: SHA-256 over the SHA-256 of its pieces in order, as hex."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def sync_folder(folder: Path) -> None:
    """Force a folder's entries onto the disk."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
