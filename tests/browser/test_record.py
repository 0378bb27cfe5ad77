"""The main job in a real browser, and that nothing is lost on the way."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import expect

from tests.browser.journeys import (
    LONG_MS,
    add_participant,
    open_page,
    record_until,
    settle,
    start_recording,
    stop_recording,
    submit,
)

pytestmark = pytest.mark.browser


def test_from_the_microphone_to_a_point_on_the_trend(server, page):
    open_page(page, f"{server.url}/record", "Record")
    add_participant(page, "P-001")
    start_recording(page)
    record_until(page, 12)
    stop_recording(page)
    for row in ("Speech", "Length", "Level", "Clipping", "Signal-to-noise ratio", "Bandwidth", "Gaps"):
        expect(page.get_by_text(row, exact=False).first).to_be_visible()
    submit(page)
    expect(page.get_by_text("Mental strain").first).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text("Synthetic", exact=False).first).to_be_visible()
    open_page(page, f"{server.url}/trends?participant=1", "Trends")
    expect(page.locator(".js-plotly-plot .scatterlayer .point").first).to_be_visible(timeout=LONG_MS)


def test_a_reload_in_mid_recording_loses_nothing(server, page):
    open_page(page, f"{server.url}/record", "Record")
    add_participant(page, "P-002")
    start_recording(page)
    record_until(page, 5)
    page.reload()
    settle(page)
    expect(page.get_by_text("not submitted yet")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="Review")).to_be_visible(timeout=LONG_MS)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_server_in_mid_recording_loses_nothing(server, launch, how):
    page = launch().new_page()
    open_page(page, f"{server.url}/record", "Record")
    add_participant(page, "P-003")
    start_recording(page)
    record_until(page, 6)
    server.restart(how)
    open_page(page, f"{server.url}/record?participant=1", "Record")
    expect(page.get_by_text("not submitted yet")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="Review")).to_be_visible(timeout=LONG_MS)
