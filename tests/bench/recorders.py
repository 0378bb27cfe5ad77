"""(c) What 1, 2, 5 and 10 people recording at once cost the server, and whether any of their sound is missing.

Once with WebRTC, once losslessly. Browsers run on the same machine and take most of it; only the server's own
processor time and memory are counted. The meter's latency is how far the ring's seconds are behind the microphone.
Where a machine can't start so many browsers, two of them record and the others are simulated: they begin, send a
piece a second and finish over HTTP, but have no page for the server to draw. Such a row says so.
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from heliograph.audio.spool import load_takes
from heliograph.store import load_waiting_recordings
from tests.bench.browsers import launch
from tests.bench.speakers import Speakers
from tests.bench.start import cpu_s
from tests.browser.journeys import open_record, ring, turn_on_lossless, turn_on_microphone
from tests.browser.microphones import load_mono, write_wav
from tests.browser.servers import ROOT, AppServer

SPEECH = ROOT / "data" / "samples" / "jfk.flac"
GROUPS = (1, 2, 5, 10)
MEASURED_S = 20.0
PATIENCE_S = 90.0
FEW = 2


class TooManyBrowsersError(Exception):
    """This machine can't bring so many browsers to recording."""


DELAYS = """() => {
  const recorder = window[Symbol.for("heliograph.recorder")];
  const label = document.querySelector('svg[aria-label*="seconds of speech"]')
    || [...document.querySelectorAll("*")].map((one) => one.shadowRoot && one.shadowRoot.querySelector(
      'svg[aria-label*="seconds of speech"]')).find(Boolean);
  if (!label || !recorder.sender) return null;
  const [, minutes, seconds] = /(\\d+) minutes (\\d+) seconds/.exec(label.getAttribute("aria-label"));
  const recorded = recorder.recorded / recorder.rate;
  return [recorded - 60 * minutes - seconds, recorded - recorder.sender.acknowledged.size];
}"""


@dataclass(frozen=True)
class Cost:
    """Share of a core and growth of memory while recording, worst missing share, longest clock error, how far the
    meter and what the server has acknowledged are behind, and the time in which 95 % of simulated pieces were
    answered."""

    share: float
    memory_mb: float
    missing: float
    drift_s: float
    meter_late_s: float
    pieces_late_s: float
    answered_ms: float


def open_recorder(context: BrowserContext, server: AppServer, label: str, turn_on: Callable[[Page], None]) -> Page:
    page = context.new_page()
    page.set_default_timeout(120_000)
    open_record(page, server, label)
    turn_on(page)
    return page


def rss_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(people: int, microphone: Path, turn_on: Callable[[Page], None], *, windows: int | None = None) -> Cost:
    """With as many windows as people, or with `windows` of them and pieces alone for the others.

    All are opened before any records: on a small machine ten take longer than a recording may last.
    """
    lossless = turn_on is turn_on_lossless
    shown = people if windows is None else windows
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        server = AppServer(Path(name))
        server.begin()
        server.wait()
        browser = launch(playwright, microphone)
        try:
            pages = []
            try:
                for number in range(shown):
                    context = browser.new_context(viewport={"width": 390, "height": 700})
                    pages.append(open_recorder(context, server, f"P-{number}", turn_on))
                for page in pages:
                    page.get_by_role("button", name="Start recording").click()
                for page in pages:
                    ring(page).wait_for()
            except (PlaywrightError, AssertionError) as error:
                raise TooManyBrowsersError from error
            assert server.process is not None
            pid = server.process.pid
            with Speakers(server, people - shown) as speakers:
                before, memory_mb = cpu_s(pid), rss_mb(pid)
                began = time.monotonic()
                delays = list(watch_delays(pages if lossless else []))
                share = (cpu_s(pid) - before) / (time.monotonic() - began)
                grown_mb = rss_mb(pid) - memory_mb
            takes = end_lossless(server, pages) if lossless else end_webrtc(server, pages)
        finally:
            browser.close()
            server.stop()
        assert len(takes) == shown
        return Cost(
            share,
            grown_mb,
            missing=max(missing for missing, _ in takes),
            drift_s=max(drift for _, drift in takes),
            meter_late_s=compute_delay_s([meter for meter, _ in delays]),
            pieces_late_s=compute_delay_s([pieces for _, pieces in delays]),
            answered_ms=1000 * speakers.compute_p95_s(),
        )


def watch_delays(pages: list[Page]) -> Iterator[list[float]]:
    """How far each meter, and what the server has, are behind: again and again while it is measured."""
    ends_at = time.monotonic() + MEASURED_S
    while time.monotonic() < ends_at:
        time.sleep(1.3)
        yield from (late for page in pages if (late := page.evaluate(DELAYS)) is not None)


def compute_delay_s(delays: list[float]) -> float:
    """The median; half a second less, as meter and pieces count whole seconds."""
    return statistics.median(delays) - 0.5 if delays else math.nan


def end_webrtc(server: AppServer, pages: list[Page]) -> list[tuple[float, float]]:
    """Close the pages, wait until the server lets go of their takes; missing share and clock error of each."""
    for page in pages:
        page.close()
    deadline = time.monotonic() + PATIENCE_S
    takes = []
    while len(takes) < len(pages) and time.monotonic() < deadline:
        time.sleep(1)
        takes = load_takes(server.home / "sandbox" / "spool")
    return [(take.missing_share, abs(take.facts.wall_clock_s - take.duration_s)) for take in takes]


def end_lossless(server: AppServer, pages: list[Page]) -> list[tuple[float, float]]:
    """Stop on all pages and wait until everything is there; missing share and clock error of each recording."""
    for page in pages:
        page.evaluate("window[Symbol.for('heliograph.recorder')].stop()")
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with server.store() as store:
            facts = [recording.facts for recording, _ in load_waiting_recordings(store)]
        if len(facts) == len(pages):
            break
        time.sleep(1)
    return [(one.missing_share or 0.0, abs((one.wall_clock_s or 0.0) - (one.duration_s or 0.0))) for one in facts]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        microphone = Path(name) / "speech.wav"
        write_wav(microphone, load_mono(SPEECH))
        for title, turn_on in (("WebRTC", turn_on_microphone), ("lossless", turn_on_lossless)):
            print(
                f"{title:9}   server, % of a core   per recorder   memory, MB   missing, %"
                "   clock against samples, s   meter behind, s   pieces behind, s"
            )
            for people in GROUPS:
                try:
                    show(str(people), people, measure(people, microphone, turn_on))
                except TooManyBrowsersError:
                    print(f"{people:9}   NOT MEASURED: so many browsers did not get to recording here", flush=True)
                    if turn_on is turn_on_lossless:
                        cost = measure(people, microphone, turn_on, windows=FEW)
                        show(f"{FEW} + {people - FEW} simulated", people, cost)


def show(title: str, people: int, cost: Cost) -> None:
    answered = "" if math.isnan(cost.answered_ms) else f"   (95 % of pieces answered in {cost.answered_ms:.0f} ms)"
    print(
        f"{title:>9}   {100 * cost.share:20.1f}   {100 * cost.share / people:12.1f}"
        f"   {cost.memory_mb:10.1f}   {100 * cost.missing:10.2f}   {cost.drift_s:24.2f}"
        f"   {cost.meter_late_s:15.2f}"
        f"   {cost.pieces_late_s:16.2f}{answered}",
        flush=True,
    )


if __name__ == "__main__":
    main()
