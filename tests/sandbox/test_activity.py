"""The activity page: its states, what it lets in and out, and a real browser that hands a recording in."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.recordings import encode, make_speech
from tests.sandbox.servers import ACTIVITY_RUNS, BODY, RUNS, SandboxProcess, wait_for

PACKAGE = Path(__file__).parents[2] / "thymia_api" / "sandbox"


def _create(client, **fields) -> tuple[str, str]:
    created = client.post(ACTIVITY_RUNS, json={**BODY, **fields}).raise_for_status().json()
    return created["id"], created["activityLink"]


def _state(answer) -> str:
    return re.search(r'<body data-state="(\w+)"', answer.text)[1]


def test_an_activity_goes_from_open_to_scores(client):
    """Open until a recording is handed in; then the run proceeds by itself and the page is finished."""
    run_id, link = _create(client)
    page = client.get(link)
    assert (page.status_code, _state(page)) == (200, "open")
    assert client.get(f"{RUNS}/{run_id}").json()["status"] == "CREATED"
    answer = client.put(f"{link}/recording", content=encode(make_speech(16), "webm"))
    assert (answer.status_code, answer.json()) == (200, {"state": "finished"})
    assert wait_for(client, run_id)["status"] == "COMPLETE_OK"
    assert _state(client.get(link)) == "finished"
    again = client.put(f"{link}/recording", content=b"x")
    assert (again.status_code, again.json()) == (409, {"state": "finished"})


def test_a_link_expires_after_a_week(client, pass_hours):
    """Before, it is open; after, page and hand-in say that it has expired, and the run stays CREATED."""
    run_id, link = _create(client)
    pass_hours(client, 7 * 24 - 1)
    assert _state(client.get(link)) == "open"
    pass_hours(client, 2)
    page = client.get(link)
    assert (page.status_code, _state(page)) == (410, "expired")
    assert client.put(f"{link}/recording", content=b"x").status_code == 410
    assert client.get(f"{RUNS}/{run_id}").json()["status"] == "CREATED"


def test_an_unknown_link_and_a_deleted_run_look_alike(client, pass_hours):
    """404 and the same page; links can't be guessed from one another."""
    _, link = _create(client, deleteData=True)
    (_, other) = _create(client)
    token, other_token = (text.rpartition("/")[2] for text in (link, other))
    assert len(token) >= 32
    assert token != other_token
    client.put(f"{link}/recording", content=b"x")
    client.get(link)
    run = client.app.state.sandbox.state.load_activity(token)
    wait_for(client, run.id)
    pass_hours(client, 13)
    for gone in (link, f"{link[:-4]}AAAA"):
        page = client.get(gone)
        assert (page.status_code, _state(page)) == (404, "unknown")
        assert client.put(f"{gone}/recording", content=b"x").status_code == 404


def test_untrusted_text_is_inert_and_the_policy_forbids_everything_foreign(client):
    """Markup in label and activity type is escaped; scripts and styles need the nonce, which is new each time."""
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>$nonce{{7*7}}"
    _, link = _create(client, activityType=evil, user={**BODY["user"], "userLabel": "<b>\"'&$style</b>"})
    page, other = client.get(link), client.get(link)
    assert "<img" not in page.text
    assert "<b>&quot;" not in page.text
    assert "&lt;b&gt;&quot;&#x27;&amp;$style&lt;/b&gt;" in page.text
    assert page.text.count("<script") == 1
    policy = page.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]+)'", policy)[1]
    assert f'<script nonce="{nonce}">' in page.text
    assert nonce not in other.text
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"


def test_the_page_loads_nothing_from_anywhere_and_says_that_scores_are_synthetic(client):
    """One document, no address in it; the sandbox is unmistakable."""
    page = client.get(_create(client)[1]).text
    assert not re.search(r"https?://(?!</b>)\w", page)
    assert not re.search(r"""\bstyle=|\son\w+=|src=["']""", page)
    assert "scores are synthetic" in page


@pytest.mark.parametrize(
    "language", ["en", "en-AU", "en-GB", "en-IE", "en-IN", "en-US", "en-ZA", "es-ES", "es-US", "id-ID", "ja-JP"]
)
def test_the_passage_is_in_the_language_of_the_run(client, language):
    """Every language of the contract has one, marked as such for screen readers."""
    page = client.get(_create(client, language=language)[1]).text
    assert f'<div class="passage" lang="{language}">' in page
    assert len(set(re.findall(r'<div class="passage"[^>]*>(.*?)</div>', page, re.DOTALL)[0])) > 20


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A Chromium whose microphone plays the sample over and over."""
    from playwright.sync_api import sync_playwright

    microphone = tmp_path_factory.mktemp("microphone") / "speech.wav"
    microphone.write_bytes(encode(make_speech(11)))
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    flags = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="module")
def sandbox():
    """A server for the browser."""
    with SandboxProcess("--processing-seconds", "0.2") as started:
        yield started


@pytest.fixture
def open_page(browser, sandbox) -> Callable[..., object]:
    """Opens a link in a window of its own; whatever the console says fails the test."""
    contexts, complaints = [], []

    def open_link(link: str, *, width: int = 1440, **options: object):
        context = browser.new_context(viewport={"width": width, "height": 844}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(link)
        return page

    yield open_link
    for context in contexts:
        context.close()
    # Chromium itself reports an address it could not load; the test without a network wants that.
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_a_browser_records_and_hands_in_and_the_run_ends_well(open_page, sandbox, width, scheme):
    """By keyboard alone: allow, start, stop, hand in; the page fits its screen at every step."""
    run_id, link = _create(sandbox.client)
    page = open_page(link, width=width, color_scheme=scheme)

    def press(button: str) -> None:
        control = page.get_by_role("button", name=button)
        control.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        control.focus()
        page.keyboard.press("Enter")

    press("Use the microphone")
    press("Start recording")
    page.locator("#timer").filter(has_text=re.compile("0:(1[7-9]|[2-5]\\d)")).wait_for(timeout=60_000)
    assert 5 <= int(page.locator("#speech").inner_text()) <= 17
    press("Stop")
    page.get_by_role("heading", name="Listen, then hand in").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H2"
    press("Hand in")
    page.get_by_role("heading", name="Thank you, all done").wait_for()
    run = sandbox.wait(run_id)
    assert run["status"] == "COMPLETE_OK", run["errorReason"]
    page.reload()
    page.get_by_role("heading", name="This activity is finished").wait_for()


@pytest.mark.browser
def test_a_lost_connection_keeps_the_recording_and_can_be_tried_again(open_page, sandbox):
    """The page says what happened; "Try again" hands the same recording in. Too short is said before sending."""
    run_id, link = _create(sandbox.client)
    page = open_page(link)
    page.get_by_role("button", name="Use the microphone").click()
    page.get_by_role("button", name="Start recording").click()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("probably too short").wait_for()
    page.context.set_offline(True)
    page.get_by_role("button", name="Hand in anyway").click()
    page.get_by_text("The connection was lost").wait_for()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="Thank you, all done").wait_for()
    assert sandbox.wait(run_id)["errorCode"] in {"ERR_RECORDING_TOO_SHORT", "ERR_TRANSCRIPTION_FAILED"}


@pytest.mark.browser
def test_a_refused_microphone_and_an_insecure_address_are_explained(open_page, sandbox):
    """Each with what to do next."""
    _, link = _create(sandbox.client)
    page = open_page("about:blank")
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
    )
    page.goto(link)
    page.get_by_role("button", name="Use the microphone").click()
    page.get_by_text("not allowed to use the microphone").wait_for()
    assert page.get_by_role("button", name="Try again").is_visible()
    page = open_page("about:blank")
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false });")
    page.goto(link)
    page.get_by_role("heading", name="Recording needs a secure address").wait_for()
