"""Stores with participants and recordings, a sandbox in a process of its own, and a thymia in memory."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heliograph.store import (
    Recording,
    RecordingFacts,
    RecordingSource,
    Store,
    save_participant,
    save_recording,
)
from tests.runs.lab import Lab

ROOT = Path(__file__).parents[2]
KEY = "sandbox-key"


def make_wav(number: int, seconds: float = 0.1) -> bytes:
    """A silent WAV file, different for every number: it ends in an error at the service, after real work there."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(number.to_bytes(8, "little") + bytes(int(32_000 * seconds)))
    return file.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store for synthetic scores."""
    with Store.open(tmp_path / "workspace", workspace="sandbox", synthetic=True) as opened:
        yield opened


@pytest.fixture
def participant_id(store: Store) -> int:
    """One participant."""
    return save_participant(
        store, label="P-001", date_of_birth="1990-01-01", birth_sex="FEMALE", language="en-GB", accent=None
    )


@pytest.fixture
def make_recording(store: Store, tmp_path: Path) -> Callable[[int], Recording]:
    """Recordings by number; the same number is the same audio."""

    def make(number: int = 0) -> Recording:
        file = tmp_path / f"{number}.wav"
        file.write_bytes(make_wav(number))
        facts = RecordingFacts(media_type="audio/wav", source=RecordingSource.UPLOAD)
        return save_recording(store, file, facts=facts)

    return make


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start `python -m thymia_api.sandbox` with more options; returns its address."""
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str) -> str:
        command = [sys.executable, "-m", "thymia_api.sandbox", "--port", "0", "--api-key", KEY, "--inspect"]
        process = subprocess.Popen(
            [*command, "--state", str(tmp_path / f"sandbox-{len(processes)}"), *options],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        processes.append(process)
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address is not None
        return address[0]

    yield start
    for process in processes:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def lab(store: Store, participant_id: int, make_recording: Callable[[int], Recording]) -> Lab:
    """Steps of runs against a thymia in memory."""
    return Lab(store, participant_id, make_recording)
