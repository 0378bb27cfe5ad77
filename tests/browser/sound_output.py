"""A sound output that nobody hears, for computers without one: Firefox runs no AudioContext without."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE_S = 15.0


@contextlib.contextmanager
def silent_output() -> Iterator[dict[str, str]]:
    """Run a PulseAudio of our own with a null sink; yields the environment that leads programs there.

    Without PulseAudio the computer's own output has to do: an empty environment.
    """
    binary = shutil.which("pulseaudio")
    if binary is None:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="sound") as folder:
        at = Path(folder) / "native"
        own = {"HOME": folder, "XDG_RUNTIME_DIR": folder, "PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        modules = [
            f"--load=module-native-protocol-unix socket={at} auth-anonymous=1",
            "--load=module-null-sink rate=48000 channels=2",
        ]
        process = subprocess.Popen(
            [
                binary,
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "--disable-shm=yes",
                *modules,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=own,
        )
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not at.exists():
                assert process.poll() is None, "PulseAudio ended at once"
                assert time.monotonic() < deadline, "PulseAudio does not start"
                time.sleep(0.1)
            yield {"PULSE_SERVER": f"unix:{at}"}
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)
