"""(c) What 1, 2, 5 and 10 people recording at once cost the server, and whether any of their sound is missing.

Once with WebRTC, once losslessly. Browsers run on the same machine and take most of it; only the server's own
processor time and memory are counted. The meter's latency is how far the ring's seconds are behind the microphone.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from heliograph.audio.spool import load_takes
from tests.bench.browsers import launch
from tests.bench.start import cpu_s
from tests.browser.journeys import open_record, start_lossless, start_recording
from tests.browser.microphones import load_mono, write_wav
from tests.browser.servers import ROOT, AppServer

SPEECH = ROOT / "data" / "samples" / "jfk.flac"
GROUPS = (1, 2, 5, 10)
MEASURED_S = 20.0


class TooManyBrowsersError(Exception):
    """This machine can't bring so many browsers to recording."""


LATENCY = """() => {
  const recorder = window[Symbol.for("heliograph.recorder")];
  const label = document.querySelector('svg[aria-label*="seconds of speech"]')
    || [...document.querySelectorAll("*")].map((one) => one.shadowRoot && one.shadowRoot.querySelector(
      'svg[aria-label*="seconds of speech"]')).find(Boolean);
  const [, minutes, seconds] = /(\\d+) minutes (\\d+) seconds/.exec(label.getAttribute("aria-label"));
  return recorder.recorded / recorder.rate - 60 * minutes - seconds;
}"""


@dataclass(frozen=True)
class Cost:
    """Share of a core and growth of memory while recording, worst missing share, longest clock error, latency."""

    share: float
    memory_mb: float
    missing: float
    drift_s: float
    latency_s: float


def open_recorder(context: BrowserContext, server: AppServer, label: str, start: Callable[[Page], None]) -> Page:
    page = context.new_page()
    page.set_default_timeout(120_000)
    open_record(page, server, label)
    start(page)
    return page


def rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(people: int, microphone: Path, start: Callable[[Page], None]) -> Cost:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        home = Path(name)
        server = AppServer(home)
        server.begin()
        server.wait()
        browser = launch(playwright, microphone)
        latencies = []
        try:
            try:
                pages = [open_recorder(browser.new_context(), server, f"P-{n}", start) for n in range(people)]
            except (PlaywrightError, AssertionError) as error:
                raise TooManyBrowsersError from error
            assert server.process is not None
            pid = server.process.pid
            before, memory_mb = cpu_s(pid), rss_mb(pid)
            ends_at = time.monotonic() + MEASURED_S
            while time.monotonic() < ends_at:
                time.sleep(1.3)
                if start is start_lossless:
                    latencies += [page.evaluate(LATENCY) for page in pages]
            lasted_s = time.monotonic() - ends_at + MEASURED_S
            share, grown_mb = (cpu_s(pid) - before) / lasted_s, rss_mb(pid) - memory_mb
            for page in pages:
                page.close()
            time.sleep(3)
        finally:
            browser.close()
            server.stop()
        for folder in (home / "sandbox" / "spool").glob("*/chunks"):
            os.utime(folder, (0, 0))  # Nobody sends any more.
        takes = load_takes(home / "sandbox" / "spool")
        assert len(takes) == people
        return Cost(
            share,
            grown_mb,
            missing=max(take.missing_share for take in takes),
            # A take without an end, its page closed, has no time by the clock.
            drift_s=max(abs((take.facts.wall_clock_s or take.duration_s) - take.duration_s) for take in takes),
            latency_s=statistics.median(latencies) - 0.5 if latencies else float("nan"),  # Shown: whole seconds.
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        microphone = Path(name) / "speech.wav"
        write_wav(microphone, load_mono(SPEECH))
        for title, start in (("WebRTC", start_recording), ("lossless", start_lossless)):
            print(
                f"{title:9}   server, % of a core   per recorder   memory, MB   missing, %"
                "   clock against samples, s   meter behind, s"
            )
            for people in GROUPS:
                try:
                    cost = measure(people, microphone, start)
                except TooManyBrowsersError:
                    print(f"{people:9}   NOT MEASURED: so many browsers did not get to recording here", flush=True)
                    continue
                print(
                    f"{people:9}   {100 * cost.share:20.1f}   {100 * cost.share / people:12.1f}"
                    f"   {cost.memory_mb:10.1f}   {100 * cost.missing:10.2f}   {cost.drift_s:24.2f}"
                    f"   {cost.latency_s:15.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
