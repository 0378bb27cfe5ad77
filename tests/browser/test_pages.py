"""Every page by its own cold address: whole, in both themes, on laptop and phone, and while the API is away."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from heliograph.store import RunState
from tests.browser.journeys import LONG_MS, expect_review, open_page, open_record, submit, upload
from tests.browser.servers import AppServer, free_port
from tests.pages.demo import fill
from tests.sandbox.recordings import encode, make_speech
from tests.sandbox.servers import KEY, SandboxProcess

pytestmark = pytest.mark.browser

PAGES = {"/": "Overview", "/record": "Record", "/runs": "Runs", "/trends": "Trends", "/settings": "Settings"}
DETAILS = {"/record?participant=1": "Record", "/runs?run=3": "Run 3", "/trends?participant=1": "Trends"}
OTHER_KEY = "another-key-8f2d61c07b"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, AppServer]]:
    """One server for each situation, started side by side; the wrong ones talk to a real sandbox."""
    with SandboxProcess() as sandbox:
        settings: dict[str, dict[str, str]] = {
            "empty": {},
            "filled": {},
            "unreachable": {
                "HELIOGRAPH_WORKSPACE": "sandbox",
                "THYMIA_BASE_URL": f"http://127.0.0.1:{free_port()}",
                "THYMIA_API_KEY": OTHER_KEY,
            },
            "wrong_key": {
                "HELIOGRAPH_WORKSPACE": "sandbox",
                "THYMIA_BASE_URL": sandbox.url,
                "THYMIA_API_KEY": OTHER_KEY,
            },
            "wrong_server": {"THYMIA_BASE_URL": sandbox.url, "THYMIA_API_KEY": KEY},
        }
        running = {name: AppServer(tmp_path_factory.mktemp(name), **each) for name, each in settings.items()}
        fill(running["filled"].home)
        try:
            for server in running.values():
                server.begin()
            for server in running.values():
                server.wait()
            yield running
        finally:
            for server in running.values():
                server.stop()


@pytest.mark.parametrize(
    ("state", "scheme", "width", "other_width"), [("empty", "light", 1280, 390), ("filled", "dark", 390, 1280)]
)
def test_every_page_stands_cold_and_fits_the_screen(
    servers, open_window, watch, state, scheme, width, other_width
):
    """No error on screen or console, nothing from elsewhere, nothing wider than the screen, also when turned."""
    watch.expected.append("Audio source error")  # The filled workspace's recordings hold no sound.
    for address, title in PAGES.items() if state == "empty" else (PAGES | DETAILS).items():
        page = open_window(width=width, scheme=scheme)
        open_page(page, servers[state].url + address, title)
        expect(page.get_by_text("Workspace: sandbox")).to_be_visible()
        if address.startswith("/trends") and state == "filled":
            expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=LONG_MS)
        assert _overhang(page) <= 0, address
        page.set_viewport_size({"width": other_width, "height": 900})
        page.wait_for_function(f"window.innerWidth === {other_width}")
        assert _overhang(page) <= 0, address
        background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        assert (sum(_numbers(background)) < 3 * 128) == (scheme == "dark"), address
        page.context.close()


@pytest.mark.parametrize(
    ("situation", "words", "key"),
    [
        ("unreachable", "thymia can't be reached at the moment", OTHER_KEY),
        ("wrong_key", "thymia does not accept the API key", OTHER_KEY),
        ("wrong_server", "does not fit this workspace", KEY),
    ],
)
def test_every_page_says_why_nothing_is_sent_and_never_shows_the_key(servers, page, watch, situation, words, key):
    """The notice is on every page; the key is in nothing that the browser received and not in the log."""
    watch.keep_texts = True
    for address, title in PAGES.items():
        open_page(page, servers[situation].url + address, title)
        expect(page.get_by_text(words).first).to_be_visible(timeout=LONG_MS)
        assert key not in page.content()
    received = watch.collect()
    assert words.encode() in received
    assert key.encode() not in received
    assert key not in servers[situation].log


def test_a_recording_is_submitted_while_the_api_is_away_and_waits(servers, page):
    """Recording, review and submitting go on as usual; the run waits here."""
    server = servers["unreachable"]
    number = open_record(page, server, "Patient")
    upload(page, ("speech.ogg", encode(make_speech(20), "ogg")))
    expect_review(page)
    submit(page)
    expect(page.get_by_text("Waiting for its turn to be sent")).to_be_visible()
    (run,) = server.runs_of(number)
    assert run.state == RunState.QUEUED


def test_the_sandbox_is_served_in_its_own_workspace_only(servers):
    """Live, and with another server set, its address is a plain 404; in the sandbox it asks for a key."""
    found = {
        name: httpx.get(
            f"{server.url}/sandbox/v1/account", headers={"x-api-key": KEY}, trust_env=False
        ).status_code
        for name, server in servers.items()
    }
    assert found == {"empty": 401, "filled": 401, "unreachable": 404, "wrong_key": 404, "wrong_server": 404}


def _overhang(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    widths = "element => element.scrollWidth - element.clientWidth"
    return max(
        int(width)
        for width in page.locator('html, [data-testid="stMain"]').evaluate_all(f"""
        elements => elements.map({widths})""")
    )


def _numbers(colour: str) -> list[float]:
    """Red, green and blue of a CSS colour."""
    return [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
