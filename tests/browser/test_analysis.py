"""Trends, Cohorts, Sleep and Self-report on a simulated pilot, each from its cold address on."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from heliograph.store import count_questionnaires, load_flags_due, load_open_flags
from heliograph.ui.self_report_views import QUESTIONNAIRES
from tests.browser.journeys import LONG_MS, choose, expect_page, open_page, settle
from tests.browser.servers import AppServer
from tests.pilot import DRIFTING, fill_pilot

pytestmark = pytest.mark.browser

DRIFTING_LABEL = f"P-{DRIFTING + 1:03d}"
NOTE = "New medication <b>since</b> Monday"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server whose workspace holds the pilot (up to the last Sunday: the same one on every day of a week), with
    all its flags found."""
    server = AppServer(tmp_path_factory.mktemp("pilot"))
    with server.store() as store:
        fill_pilot(store, until=date.today() - timedelta(days=(date.today().weekday() + 1) % 7))
        with server as running:
            deadline = time.monotonic() + LONG_MS / 1000
            while load_flags_due(store, 1) and time.monotonic() < deadline:
                time.sleep(0.2)
            yield running


def drawn(page: Page, *words: str) -> Locator:
    """Wait for the figure whose own text holds the words."""
    figure = page.locator(".js-plotly-plot")
    for text in words:
        figure = figure.filter(has_text=text)
    expect(figure.first).to_be_visible(timeout=LONG_MS)
    return figure.first


def download(page: Page, key: str, kind: str) -> bytes:
    """What the download of a figure gives: `kind` is png, svg or csv."""
    settle(page)
    with page.expect_download(timeout=LONG_MS) as waiting:
        page.locator(f'[class*="st-key-{key}"][class*="_{kind}"] button:visible').first.click()
    assert waiting.value.suggested_filename.endswith(f".{kind}")
    return waiting.value.path().read_bytes()


def press(page: Page, option: str) -> None:
    """Choose in a row of buttons."""
    page.get_by_role("radio", name=option, exact=True).click()
    settle(page)


def test_trends_walks_from_a_flag_to_its_dismissal_and_the_numbers(pilot, page):
    """Overview names a drift; Trends says it, changes biomarker and range, keeps a note, gives its numbers."""
    open_page(page, pilot.url, "Overview")
    page.locator('[class*="st-key-overview_drift_"]').get_by_role("button", name="Open trend").first.click()
    expect_page(page, "Trends")
    drawn(page, "flagged as a drift")
    open_page(page, f"{pilot.url}/trends?participant={DRIFTING + 1}", "Trends")
    drawn(page, f"Participant {DRIFTING_LABEL}")
    expect(page.get_by_role("alert").filter(has_text="Above own normal")).to_be_visible()
    choose(page, "Shown large", "Exhaustion")
    settle(page)
    whole = re.search(r"result \(n = \d+\)", drawn(page, "result (n = ").inner_text())[0]
    press(page, "30 days")
    expect(page.locator(".js-plotly-plot").filter(has_text=whole)).to_have_count(0)
    drawn(page, f"Participant {DRIFTING_LABEL}")
    assert "trends_range=30" in page.url
    assert "trends_biomarker=Exhaustion" in page.url
    assert DRIFTING_LABEL not in page.url

    frame = pd.read_csv(io.BytesIO(download(page, "trends_figure", "csv")))
    assert frame["synthetic"].all()
    assert 5 <= len(frame) <= 35

    with pilot.store() as store:
        before = len(load_open_flags(store))
    page.get_by_text(re.compile(r"Flags \(\d+ open")).click()
    page.get_by_role("button", name="Dismiss", exact=False).first.click()
    page.get_by_role("textbox", name="Note: what explains it?").first.fill(NOTE)
    page.get_by_role("button", name="Dismiss the flag").first.click()
    expect(page.get_by_text(f": {NOTE}")).to_be_visible()
    expect(page.get_by_role("button", name="Restore").first).to_be_visible()
    with pilot.store() as store:
        assert len(load_open_flags(store)) == before - 1


def test_words_of_dated_notes_do_not_meet_on_a_phone(pilot, page):
    """What is written beside the lines of dated notes stands apart, as the browser draws it."""
    page.set_viewport_size({"width": 390, "height": 900})
    open_page(page, f"{pilot.url}/trends?participant={DRIFTING + 1}", "Trends")
    drawn(page, f"Participant {DRIFTING_LABEL}")
    settle(page)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot g.textpoint text')].map(text => {"
        " const box = text.getBoundingClientRect();"
        " return [text.textContent, box.left, box.top, box.right, box.bottom]; })"
    )
    assert {"medication", "exam"} <= {words for words, *_ in boxes}
    for number, (words, left, top, right, bottom) in enumerate(boxes):
        assert right <= 390, words
        assert right - left <= 6 * len(words) + 2, words  # What the figure reckons with.
        for other, *box in boxes[number + 1 :]:
            apart = right <= box[0] or box[2] <= left or bottom <= box[1] or box[3] <= top
            assert apart, f"{words} meets {other}"


def test_cohorts_compares_arms_and_fits_models_and_a_figure_becomes_a_file(pilot, page):
    """Groups, weeks, heat map, levels and correlations are drawn; models say estimate, interval and n; the address
    brings the same view back; a PNG is really drawn."""
    open_page(page, f"{pilot.url}/cohorts", "Cohorts")
    choose(page, "Group by", "Study arm")
    settle(page)
    drawn(page, "n = 6")
    for view in ("Over time", "Heat map", "Levels", "Correlations"):
        press(page, view)
        drawn(page, "Synthetic sandbox scores")
    choices = page.url
    assert "cohorts_group=" in choices
    page.goto("about:blank")
    open_page(page, choices, "Cohorts")
    expect(page.get_by_role("radio", name="Correlations", exact=True)).to_be_checked()

    press(page, "Models")
    page.get_by_role("button", name="Fit the models").click()
    expect(page.get_by_text(re.compile("Holm")).first).to_be_visible(timeout=LONG_MS)
    settle(page)

    press(page, "Groups")
    png = download(page, "cohorts_groups", "png")
    assert png.startswith(b"\x89PNG")
    assert len(png) > 20_000


def test_back_from_a_participants_trend_finds_the_cohort_as_it_was(pilot, page):
    """Group, biomarker and filters are there again, in the address too; the same holds for Sleep's view."""
    open_page(page, f"{pilot.url}/cohorts?cohorts_sex=Female", "Cohorts")
    choose(page, "Group by", "Study arm")
    settle(page)
    choose(page, "Biomarker", "Stress")
    settle(page)
    figure = drawn(page, "Stress by study arm", "Only birth sex female")
    dot = figure.locator(".scatterlayer .points path.point").first.bounding_box()
    page.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    expect_page(page, "Trends")
    drawn(page, "Participant P-")
    page.go_back()
    expect_page(page, "Cohorts")
    drawn(page, "Stress by study arm", "Only birth sex female")
    for choice in ("cohorts_group=Study", "cohorts_biomarker=Stress", "cohorts_sex=Female"):
        expect(page).to_have_url(re.compile(re.escape(choice)))
    assert "participant" not in page.url

    open_page(page, f"{pilot.url}/sleep?sleep_view=Sleep+and+the+voice", "Sleep")
    drawn(page, "within persons")
    page.get_by_role("link", name="Self-report").first.click()
    expect_page(page, "Self-report")
    settle(page)
    page.go_back()
    expect_page(page, "Sleep")
    drawn(page, "within persons")


def test_sleep_shows_nights_and_both_levels_apart(pilot, page):
    open_page(page, f"{pilot.url}/sleep", "Sleep")
    drawn(page, "Sleep times", "n = 12 participants")
    press(page, "Sleep and the voice")
    drawn(page, "within persons")
    drawn(page, "between persons")


def test_self_report_imports_a_file_after_a_preview_and_compares_it(pilot, page):
    """A rating is compared at both levels; a file's lines are matched, and then written when one says so."""
    open_page(page, f"{pilot.url}/self_report", "Self-report")
    choose(page, "Self-report", "Stress (0–10)")
    settle(page)
    drawn(page, "within persons", "beside Stress (0–10)")
    drawn(page, "between persons", "beside Stress (0–10)")

    press(page, QUESTIONNAIRES)
    day = (date.today() - timedelta(days=9)).isoformat()
    lines = [
        "label,date,instrument,score",
        f"P-001,{day},WHO-5,14",
        f"P-002,{day},WHO-5,9.5",
        f"X-9,{day},WHO-5,3",
    ]
    with pilot.store() as store:
        before = count_questionnaires(store)
    page.locator('input[type="file"]').set_input_files(
        [{"name": "who5.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}]
    )
    go = page.get_by_role("button", name="Import 2 totals")
    expect(go).to_be_visible(timeout=LONG_MS)
    with pilot.store() as store:
        assert count_questionnaires(store) == before
    settle(page)
    go.click()
    expect(page.get_by_text("Imported 2 of 3 lines.")).to_be_visible(timeout=LONG_MS)
    with pilot.store() as store:
        assert count_questionnaires(store) == before + 2
