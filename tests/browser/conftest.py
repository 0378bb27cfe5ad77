"""A real server on a free port, a real Chromium with a microphone that plays a known file."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SPEECH = ROOT / "data" / "samples" / "jfk.flac"
RATE = 48_000
START_TIMEOUT_S = 60
QUIET_FLAGS = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
]
# Chromium and Streamlit say these by themselves; whatever else stands in the console is ours.
FOREIGN_CONSOLE = (
    "/_stcore/",
    "favicon",
    "preload",
    "WebGL",
    "GPU stall",
    "Slow network",
    "iframe which has both",
    "Feature",
)


class Server:
    """`streamlit run app.py` as a person starts it, in a home of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.settings = settings
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.log = home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("THYMIA_", "HELIOGRAPH_"))
        }
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        command += ["--server.headless", "true", "--server.showEmailPrompt", "false"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**clean, "HELIOGRAPH_HOME": str(self.home), **self.settings},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/_stcore/health", trust_env=False).is_success:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """End the process and return how many seconds that took."""
        assert self.process is not None
        asked = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(timeout=20)
        return time.monotonic() - asked

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def microphone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped speech sample as the 48 kHz mono WAV that Chromium's fake microphone plays, over and over."""
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    write_wav(path, load_mono(SPEECH, RATE), RATE)
    return path


@pytest.fixture
def launch(playwright: Playwright, microphone_file: Path) -> Iterator[Callable[..., Browser]]:
    """Start a Chromium; `microphone` is the file it hears, None for a browser that refuses the microphone."""
    running: list[Browser] = []

    def start(microphone: Path | None = microphone_file, *extra: str) -> Browser:
        flags = [*QUIET_FLAGS, *extra]
        if microphone is not None:
            flags += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
            flags += [f"--use-file-for-fake-audio-capture={microphone}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("HELIOGRAPH_CHROMIUM") or None, args=flags
        )
        running.append(browser)
        return browser

    yield start
    for browser in running:
        browser.close()


@pytest.fixture
def page(launch: Callable[..., Browser]) -> Iterator[Page]:
    """A page whose own console errors and uncaught exceptions fail the test."""
    context = launch().new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    troubles = watch_console(opened)
    yield opened
    assert troubles == []


def watch_console(page: Page) -> list[str]:
    troubles: list[str] = []

    def note(message: ConsoleMessage) -> None:
        said = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not any(word in said for word in FOREIGN_CONSOLE):
            troubles.append(said)

    page.on("console", note)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    return troubles


def load_mono(path: Path, rate: int) -> np.ndarray:
    """All samples of a recording as int16 at `rate`, shape (n,)."""
    resampler = av.AudioResampler("s16", "mono", rate)
    parts = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray() for part in resampler.resample(frame)]
    parts += [part.to_ndarray() for part in resampler.resample(None)]
    return np.concatenate(parts, axis=1)[0]


def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
