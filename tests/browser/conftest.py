"""Real servers on free ports, and a real Chromium with a microphone that plays a known file.

Chromium and the server that no test restarts are shared by the folder; every test has a window of its own. What
any page says on the console, and every address it asks for, is watched for every test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from heliograph.__main__ import find_browser
from tests.browser.microphones import FAKE_RATE_HZ, RATE_HZ, load_mono, write_wav
from tests.browser.servers import ROOT, AppServer
from tests.browser.watch import Watch

SPEECH = ROOT / "data" / "samples" / "jfk.flac"
DEEPER_RATE_HZ = RATE_HZ * 11 // 10
REPEATS = 12  # At the file's end Chromium's microphone stumbles for some milliseconds; no test records so long.
STEP_TIMEOUT_MS = 30_000
FLAGS = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
]
FAKE_MICROPHONE = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]

OpenWindow = Callable[..., Page]


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """For this folder only: two Playwrights can't run in one thread, and other folders start their own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def microphone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped speech sample, over and over, as the 48 kHz mono WAV that the fake microphone plays."""
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    write_wav(path, np.tile(load_mono(SPEECH), REPEATS))
    return path


@pytest.fixture(scope="package")
def deeper_microphone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another person's microphone: the same sample played a tenth slower."""
    path = tmp_path_factory.mktemp("microphone") / "deeper.wav"
    write_wav(path, np.tile(load_mono(SPEECH, DEEPER_RATE_HZ), REPEATS))
    return path


@pytest.fixture(scope="package")
def launch(playwright: Playwright, microphone_file: Path) -> Iterator[Callable[..., Browser]]:
    """Start a Chromium; `microphone` is the file it hears, None for a browser that refuses the microphone."""
    running: list[Browser] = []

    def start(*flags: str, microphone: Path | None = microphone_file) -> Browser:
        heard = [*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*FLAGS, *heard, *root, *flags])
        running.append(browser)
        return browser

    yield start
    for browser in running:
        browser.close()


@pytest.fixture(scope="package")
def browser(launch: Callable[..., Browser]) -> Browser:
    """The Chromium that tests share, each with windows of its own; its microphone plays `microphone_file`."""
    return launch()


@pytest.fixture(scope="package")
def exact_browser(launch: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A Chromium whose fake microphone plays a file at the microphone's own rate."""
    path = tmp_path_factory.mktemp("microphone") / "own_rate.wav"
    write_wav(path, np.tile(load_mono(SPEECH, FAKE_RATE_HZ), REPEATS), FAKE_RATE_HZ)
    return launch(microphone=path)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the windows of this test said and asked for; any complaint or foreign address fails the test."""
    watched = Watch()
    yield watched
    assert watched.complaints == []
    assert watched.foreign == []


@pytest.fixture
def open_window(browser: Browser, watch: Watch) -> Iterator[OpenWindow]:
    """Open a window without history, in the shared Chromium or another; closed at the end of the test."""
    windows: list[BrowserContext] = []

    def start(
        other: Browser | None = None, *, width: int = 1280, height: int = 900, scheme: str = "light"
    ) -> Page:
        context = (other or browser).new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            timezone_id="UTC",
        )
        windows.append(context)
        context.set_default_timeout(STEP_TIMEOUT_MS)
        page = context.new_page()
        watch.follow(page)
        return page

    yield start
    for window in windows:
        window.close()


@pytest.fixture
def page(open_window: OpenWindow) -> Page:
    """A window as wide as a laptop's."""
    return open_window()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app in its sandbox workspace, shared by all tests that don't restart it."""
    with AppServer(tmp_path_factory.mktemp("home")) as running:
        yield running
