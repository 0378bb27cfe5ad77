"""What a person does on the pages, as steps that several tests share. Labels are what people and tests find."""

from __future__ import annotations

import re
import time

from playwright.sync_api import FrameLocator, Locator, Page, expect

LONG_MS = 60_000


def open_page(page: Page, url: str, title: str) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=LONG_MS)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the script has run to its end and no error box of Streamlit's own is there."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="running"]')).to_have_count(
        0, timeout=LONG_MS
    )
    expect(page.get_by_test_id("stException")).to_have_count(0)


def choose(page: Page, label: str, option: str) -> None:
    """Pick an option of a select box."""
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=False).first.click()


def segment(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first


def add_participant(page: Page, label: str) -> None:
    """Enter a new participant on Record and see that it is chosen."""
    new = page.get_by_role("spinbutton", name="Year of birth")
    if new.count() == 0:
        page.get_by_test_id("stButtonGroup").get_by_text("New", exact=True).click()
    page.get_by_role("textbox", name="Label").fill(label)
    page.get_by_role("spinbutton", name="Year of birth").fill("1990")
    choose(page, "Birth sex", "Female")
    page.get_by_role("button", name="Save participant").click()
    expect(page.get_by_text("Born 1990-01-01")).to_be_visible(timeout=LONG_MS)
    settle(page)


def microphone(page: Page) -> FrameLocator:
    """The frame of the component that connects the microphone."""
    return page.frame_locator('iframe[title*="webrtc_streamer"]')


def start_recording(page: Page) -> None:
    microphone(page).get_by_role("button", name="Turn on the microphone").click()
    start = page.get_by_role("button", name="Start recording")
    expect(start).to_be_enabled(timeout=LONG_MS)
    expect(page.get_by_text("Your voice is heard well")).to_be_visible(timeout=LONG_MS)
    start.click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=LONG_MS)


def speech_seconds(page: Page) -> int:
    """What the ring says now."""
    label = page.locator('svg[aria-label*="seconds of speech"]').last.get_attribute("aria-label") or "0"
    return int(label.split()[0])


def record_until(page: Page, speech_s: int, timeout_s: float = 60) -> None:
    """Keep recording until the ring has counted so many seconds of speech."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if speech_seconds(page) >= speech_s:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"the ring stopped at {speech_seconds(page)} s")


def stop_recording(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", name="Review")).to_be_visible(timeout=LONG_MS)
    settle(page)


def submit(page: Page) -> None:
    """Submit what is under review, giving a reason where one is asked for."""
    reason = page.get_by_role("textbox", name="Reason for submitting despite the warnings")
    if reason.count():
        reason.fill("test recording")
        reason.press("Tab")
        settle(page)
    page.get_by_role("button", name=re.compile("^Submit( [0-9]+ recordings)?$")).click()
