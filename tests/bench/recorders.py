"""(c) What 1, 2, 5 and 10 people recording at once cost the server, and whether any of their sound is missing.

Browsers run on the same machine and take most of it; only the server's own processor time is counted.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from heliograph.audio.spool import load_takes
from tests.bench.browsers import launch
from tests.bench.start import cpu_s
from tests.browser.journeys import open_record, start_recording
from tests.browser.microphones import load_mono, write_wav
from tests.browser.servers import ROOT, AppServer

SPEECH = ROOT / "data" / "samples" / "jfk.flac"
GROUPS = (1, 2, 5, 10)
MEASURED_S = 20.0


class TooManyBrowsersError(Exception):
    """This machine can't bring so many browsers to recording."""


def open_recorder(context: BrowserContext, server: AppServer, label: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(120_000)
    open_record(page, server, label)
    start_recording(page)
    return page


def measure(people: int, microphone: Path) -> tuple[float, float, float]:
    """Share of a core used by the server while recording, worst missing share, longest clock error in s."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        home = Path(name)
        server = AppServer(home)
        server.begin()
        server.wait()
        browser = launch(playwright, microphone)
        try:
            try:
                pages = [open_recorder(browser.new_context(), server, f"P-{number}") for number in range(people)]
            except (PlaywrightError, AssertionError) as error:
                raise TooManyBrowsersError from error
            assert server.process is not None
            before = cpu_s(server.process.pid)
            time.sleep(MEASURED_S)
            share = (cpu_s(server.process.pid) - before) / MEASURED_S
            for page in pages:
                page.close()
        finally:
            browser.close()
            server.stop()
        takes = load_takes(home / "sandbox" / "spool")
        assert len(takes) == people
        missing = max(take.missing_share for take in takes)
        drift = max(abs(take.facts.wall_clock_s - take.duration_s) for take in takes)
        return share, missing, drift


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        microphone = Path(name) / "speech.wav"
        write_wav(microphone, load_mono(SPEECH))
        print("recorders   server, % of a core   per recorder   missing, %   clock against samples, s")
        for people in GROUPS:
            try:
                share, missing, drift = measure(people, microphone)
            except TooManyBrowsersError:
                print(f"{people:9}   NOT MEASURED: so many browsers did not get to recording here", flush=True)
                continue
            print(
                f"{people:9}   {100 * share:20.1f}   {100 * share / people:12.1f}"
                f"   {100 * missing:10.2f}   {drift:24.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
