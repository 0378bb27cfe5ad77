"""The app as a person starts it, in a process and a home of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import httpx

from heliograph.store import (
    Recording,
    Run,
    Store,
    load_recording,
    load_run,
    load_runs,
    recording_path,
    save_participant,
)

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 20.0


class AppServer:
    """`streamlit run app.py`; a context manager that starts it and ends it. `settings` are the app's own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.settings = settings
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.log_file = home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> AppServer:
        self.begin()
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def begin(self) -> None:
        """Start the process and return at once."""
        foreign = ("THYMIA_", "HELIOGRAPH_", "STREAMLIT_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        command += ["--server.headless", "true", "--server.showEmailPrompt", "false"]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**clean, "HELIOGRAPH_HOME": str(self.home), **self.settings},
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.process is not None and self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/_stcore/health", trust_env=False).is_success:
                    return
            time.sleep(0.1)
        self.stop(signal.SIGKILL)
        raise AssertionError(f"the server did not start:\n{self.log}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process and wait for its end; by force when it doesn't end by itself."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop within {STOP_TIMEOUT_S} s of {how.name}") from None

    def restart(self, how: signal.Signals) -> None:
        self.stop(how)
        self.begin()
        self.wait()

    @contextlib.contextmanager
    def store(self, workspace: str = "sandbox") -> Iterator[Store]:
        """The store that the server works with, opened beside it."""
        store = Store.open(self.home / workspace, workspace=workspace, synthetic=workspace == "sandbox")
        try:
            yield store
        finally:
            store.close()

    def add_participant(self, label: str) -> int:
        """Somebody who is in the workspace already; returns the number that stands in addresses."""
        with self.store() as store:
            return save_participant(
                store, label=label, date_of_birth="1990-01-01", birth_sex="FEMALE", language="en-GB", accent=None
            )

    def runs_of(self, participant_id: int) -> list[Run]:
        """All runs of a participant, oldest first."""
        with self.store() as store:
            runs = [load_run(store, row.id) for row in load_runs(store, limit=1000)]
        return sorted((run for run in runs if run.participant_id == participant_id), key=lambda run: run.id)

    def recording_of(self, run: Run) -> tuple[Recording, Path]:
        """A run's recording and its file."""
        assert run.recording_id is not None
        with self.store() as store:
            recording = load_recording(store, run.recording_id)
            return recording, recording_path(store, recording)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
