"""A link sent to the participant: made in the app, used on a phone, and the run finishes in the app by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from heliograph.store import RunKind, RunState
from tests.browser.journeys import LONG_MS, choose_way, expect_result, open_record

pytestmark = pytest.mark.browser


def test_an_activity_goes_from_the_link_to_its_result_without_a_reload(server, open_window):
    """The open page shows the link, waits, and draws the result card once the participant has handed in."""
    page, phone = open_window(), open_window(width=390)
    number = open_record(page, server, "Phone")
    choose_way(page, "Send a link")
    page.get_by_role("button", name="Create link").click()
    link = page.locator("code").filter(has_text="/sandbox/")
    expect(link).to_be_visible(timeout=LONG_MS)
    phone.goto(link.inner_text().strip())
    phone.get_by_role("button", name="Use the microphone").click()
    phone.get_by_role("button", name="Start recording").click()
    expect(phone.locator("#timer")).to_contain_text(re.compile(r"0:(1[7-9]|[2-5]\d)"), timeout=LONG_MS)
    phone.get_by_role("button", name="Stop").click()
    phone.get_by_role("button", name="Hand in").click()
    expect(phone.get_by_role("heading", name="Thank you, all done")).to_be_visible(timeout=LONG_MS)
    expect_result(page)
    (run,) = server.runs_of(number)
    assert (run.kind, run.state) == (RunKind.ACTIVITY, RunState.COMPLETE_OK)
