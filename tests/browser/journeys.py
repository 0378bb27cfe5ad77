"""What a person does on the pages, as steps that several tests share. Labels are what people and tests find."""

from __future__ import annotations

import re
from datetime import datetime

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.servers import AppServer

LONG_MS = 90_000
expect.set_options(timeout=30_000)
UNFINISHED = "not submitted yet"


def open_page(page: Page, url: str, title: str) -> None:
    page.goto(url)
    expect_page(page, title)


def expect_page(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=LONG_MS)
    settle(page)


def settle(page: Page) -> None:
    """Wait until the script has run to its end and no error box of Streamlit's own is there."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="running"]')).to_have_count(
        0, timeout=LONG_MS
    )
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("This app has encountered an error")).to_have_count(0)


def open_record(page: Page, server: AppServer, label: str) -> int:
    """Open Record for somebody new whom the workspace knows already; returns the participant's number."""
    participant_id = server.add_participant(label)
    open_page(page, f"{server.url}/record?participant={participant_id}", "Record")
    expect(page.get_by_text("Born 1990-01-01")).to_be_visible()
    return participant_id


def choose(page: Page, label: str, option: str) -> None:
    """Pick an option of a select box."""
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def choose_way(page: Page, name: str) -> None:
    """Choose how to record: Record live, Built-in recorder, Upload files or Send a link."""
    page.get_by_role("radio", name=name).click()
    settle(page)


def enter_participant(page: Page, label: str, *, year: str = "1990", sex: str | None = "Female") -> None:
    """Fill the form for a new participant and send it."""
    if page.get_by_role("spinbutton", name="Year of birth").count() == 0:
        page.get_by_role("radio", name="New").click()
    page.get_by_role("textbox", name="Label").fill(label)
    page.get_by_role("spinbutton", name="Year of birth").fill(year)
    if sex:
        choose(page, "Birth sex", sex)
    page.get_by_role("button", name="Save participant").click()


def microphone(page: Page) -> FrameLocator:
    """The frame of the component that connects the microphone."""
    return page.frame_locator('iframe[title*="webrtc_streamer"]')


def choose_recorder(page: Page, name: str) -> None:
    """Choose Lossless or WebRTC for this session."""
    page.get_by_role("radio", name=name, exact=True).click()
    settle(page)


def turn_on_lossless(page: Page) -> None:
    """Turn the microphone on for the lossless recorder and wait until it is heard."""
    page.get_by_role("button", name="Turn on the microphone").click(timeout=LONG_MS)
    expect(page.get_by_text("Your voice is heard well")).to_be_visible(timeout=LONG_MS)


def start_lossless(page: Page) -> None:
    """Turn the microphone on and start the lossless recorder."""
    turn_on_lossless(page)
    page.get_by_role("button", name="Start recording").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()


def turn_on_microphone(page: Page) -> None:
    """Turn the microphone on for WebRTC and wait until it is heard."""
    choose_recorder(page, "WebRTC")
    microphone(page).get_by_role("button", name="Turn on the microphone").click(timeout=LONG_MS)
    expect(page.get_by_role("button", name="Start recording")).to_be_enabled(timeout=LONG_MS)
    expect(page.get_by_text("Your voice is heard well")).to_be_visible(timeout=LONG_MS)


def start_recording(page: Page) -> None:
    turn_on_microphone(page)
    page.get_by_role("button", name="Start recording").click()
    expect(page.get_by_role("button", name="Stop", exact=False).last).to_be_visible(timeout=LONG_MS)


def ring(page: Page) -> Locator:
    """The ring that counts seconds of speech."""
    return page.locator('svg[aria-label*="seconds of speech"]').last


def record_until(page: Page, speech_s: int) -> None:
    """Keep recording until the ring has counted so many seconds of speech (more than 0, less than 30)."""
    enough = "|".join(str(number) for number in range(speech_s, 60))
    expect(ring(page)).to_have_attribute("aria-label", re.compile(rf"^({enough}) seconds"), timeout=LONG_MS)


def stop_recording(page: Page) -> None:
    page.get_by_role("button", name="Stop").last.click()
    expect_review(page)


def expect_review(page: Page) -> None:
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible(timeout=LONG_MS)
    settle(page)


def review_found(page: Page) -> None:
    """Take up the recording that was found again, once the page stands still."""
    # Lossless, or WebRTC where this session had chosen it.
    lossless = page.get_by_role("button", name="Turn on the microphone")
    lossless.or_(page.locator('iframe[title*="webrtc_streamer"]')).first.wait_for(timeout=LONG_MS)
    expect(page.get_by_text(UNFINISHED)).to_be_visible(timeout=LONG_MS)
    settle(page)
    page.get_by_role("button", name="Review", exact=True).click()
    expect_review(page)


def quality(page: Page, label: str) -> str:
    """What the review says about one measure, such as "Length"."""
    row = page.locator(".hg-quality").first.get_by_role("listitem").filter(has_text=label)
    return row.locator("b + span").inner_text()


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files, each a name with its content, and have them checked."""
    choose_way(page, "Upload files")
    page.locator('input[type="file"]').set_input_files(
        [{"name": name, "mimeType": "audio/*", "buffer": content} for name, content in files]
    )
    expect(page.get_by_text(files[0][0])).to_be_visible(timeout=LONG_MS)
    settle(page)
    page.get_by_role("button", name="Check the files").click()


def give_reasons(page: Page) -> None:
    """Say why, wherever a row warns."""
    expect(submit_button(page)).to_be_visible()
    several = re.search(r"Submit (\d+)", submit_button(page).inner_text())
    expect(page.locator(".hg-quality")).to_have_count(int(several[1]) if several else 1)
    settle(page)
    warned = page.locator(".hg-quality").filter(has_text="! Check").count()
    reasons = page.get_by_role("textbox", name="Reason for submitting despite the warnings")
    expect(reasons).to_have_count(warned)  # Each kind of field is fetched when it is first needed.
    for _ in range(3):  # A run of the page may break in; a person would see it and type again.
        for reason in reasons.all():
            reason.fill("")
            reason.fill("test recording")
            reason.press("Tab")
            settle(page)
        if page.get_by_text("Give a reason for submitting").count() == 0:
            return


def submit_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^(.* )?Submit( [0-9]+ recordings)?$"))


def submit(page: Page) -> None:
    """Submit what is under review, giving reasons where they are asked for."""
    give_reasons(page)
    expect(page.get_by_text("Give a reason for submitting")).to_have_count(0)
    submit_button(page).click()


def expect_result(page: Page, count: int = 1) -> None:
    """Wait for that many result cards."""
    expect(page.locator(".hg-scores")).to_have_count(count, timeout=LONG_MS)
    expect(page.get_by_text("Mental strain").first).to_be_visible()


def add_sleep_times(page: Page) -> None:
    """Say that the sleep is known; its fields appear."""
    page.get_by_text("Add sleep times").click()
    expect(page.get_by_role("group", name="Fell asleep", exact=True)).to_be_visible()
    settle(page)


def set_moment(page: Page, label: str, moment: datetime) -> None:
    """Type a date and time into its field, part by part as a person does."""
    group = page.get_by_role("group", name=label, exact=True)
    for part in ("year", "month", "day", "hour", "minute"):
        field = group.get_by_role("spinbutton", name=f"{part}, {label}")
        field.focus()
        field.press_sequentially(str(getattr(moment, part)).zfill(4 if part == "year" else 2))
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # Typing opens the calendar; closing it is what counts.
    settle(page)
