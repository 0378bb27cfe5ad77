"""How the lossless recorder sends: what it does when it is refused, has no permit, or its browser keeps nothing.

The recorder's own scripts, on a page of their own, with a server that answers as each test says.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from heliograph.ui import lossless

pytestmark = pytest.mark.browser

FOLDER = Path(lossless.__file__).parent
SCRIPTS = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("clock.js", "keep.js", "sender.js"))
ADDRESS = "http://localhost:9/sending"
RATE_HZ = 8_000
# A server that keeps what it gets by take and number; `answer` may say something else to a request.
SERVER = """
  const taken = {}, asked = [];
  let answer = () => null;
  const reply = (status, said) => new Response(JSON.stringify(said), { status });
  window.fetch = async (address, { method, headers, credentials }) => {
    const [take, what] = address.split("/takes/")[1].split("/");
    const request = { method, take, what, permit: headers["X-Capture-Permit"], credentials };
    asked.push(request);
    const other = await answer(request);
    if (other) return reply(...other);
    taken[take] ||= { pieces: new Set(), finished: false };
    const { pieces } = taken[take];
    if (what === "finish") taken[take].finished = true;
    else if (what) pieces.add(Number(what));
    const highest = Math.max(-1, ...pieces);
    const missing = [...Array(highest + 1).keys()].filter((number) => !pieces.has(number));
    return reply(200, { chunks: pieces.size, missing });
  };
  const keep = new Keep();
  const names = [];
  const permits = (sender) => sender.allow(`permit of ${sender.record.take}`);
  const make = (record = {}) => new Sender(
    { take: makeTakeName(), note: "1", workspace: "sandbox", rate: 8000, facts: {}, filledIn: [], ...record },
    {
      base: "", keep, renamed: (from) => names.push(from),
      changed: (sender) => sender.needsPermit && permits(sender),
    },
  );
  const piece = () => new Int16Array(8000).fill(7).buffer;
  const ending = (chunks) => ({ chunks, samples: 8000 * chunks, end: "stopped", wall_clock_s: chunks, facts: {} });
  const show = () => Object.values(taken).map(({ pieces, finished }) => [[...pieces].sort(), finished]);
"""


@pytest.fixture
def page(open_window) -> Page:
    """A page that may keep things, as one of a server's own."""
    window = open_window()
    window.route(ADDRESS, lambda route: route.fulfill(body="<title>sending</title>", content_type="text/html"))
    window.goto(ADDRESS)
    return window


def run(page: Page, body: str) -> object:
    return page.evaluate(f"async () => {{ {SCRIPTS}\n{SERVER}\n{body} }}")


def test_a_recording_is_sent_whole_and_nothing_is_left_behind(page):
    found = run(
        page,
        """
        const sender = make(); permits(sender);
        const running = sender.run();
        for (const number of [0, 1, 2]) sender.add(number, 16, piece());
        sender.finish(ending(3));
        await running;
        return [show(), sender.refused, await keep.takes(), sender.chunks.size, asked[0].credentials];
        """,
    )
    assert found == [[[[0, 1, 2], True]], None, [], 0, "same-origin"]


@pytest.mark.parametrize("reason", ["settled", "finished", "different"])
def test_what_was_taken_up_too_early_is_sent_again_whole_under_another_name(page, reason):
    """Somebody reviewed or discarded the first seconds while the browser still had more."""
    found = run(
        page,
        f"""
        const sender = make(); permits(sender);
        const first = sender.record.take;
        answer = ({{ take, what }}) => take === first && what === "2" && [410, {{ reason: {json.dumps(reason)} }}];
        const running = sender.run();
        for (const number of [0, 1, 2, 3]) sender.add(number, 16, piece());
        await sleep(300);
        const [kept] = await keep.takes();
        sender.finish(ending(4));
        await running;
        const again = taken[sender.record.take];
        return {{
          renamed: names.length === 1 && names[0] === first && kept.take === sender.record.take,
          all: [...again.pieces].sort(), finished: again.finished, left: await keep.takes(),
        }};
        """,
    )
    assert found == {"renamed": True, "all": [0, 1, 2, 3], "finished": True, "left": []}


def test_a_server_that_takes_nothing_is_not_asked_for_ever_and_the_browser_keeps_it(page):
    found = run(
        page,
        """
        answer = ({ what }) => what === "0" && [409, { reason: "different" }];
        const sender = make(); permits(sender);
        const running = sender.run();
        sender.add(0, 16, piece());
        sender.finish(ending(1));
        await running;
        const [kept] = await keep.takes();
        return [sender.refused, names.length, (await keep.chunks(kept.take)).length];
        """,
    )
    assert found == ["different", 2, 1]


def test_a_lost_answer_to_the_end_makes_no_second_recording(page):
    """The page was closed before the answer; the next one hears that the take was settled meanwhile."""
    found = run(
        page,
        """
        const sender = make({ delivered: true }); permits(sender);
        answer = () => [410, { reason: "settled" }];
        sender.chunks.set(0, { bits: 16, bytes: piece() });
        sender.waiting.push(0);
        sender.ending = ending(1);
        await sender.run();
        return [sender.refused, names.length, await keep.takes()];
        """,
    )
    assert found == ["settled", 0, []]


def test_a_recording_notes_that_all_of_it_is_there_before_it_says_the_end(page):
    found = run(
        page,
        """
        const sender = make(); permits(sender);
        let noted = null;
        answer = async ({ what }) => {
          if (what === "finish") noted = (await keep.takes())[0].delivered;
          return null;
        };
        const running = sender.run();
        sender.add(0, 16, piece());
        sender.finish(ending(1));
        await running;
        return noted;
        """,
    )
    assert found is True


def test_a_permit_that_is_refused_twice_is_trouble_and_is_not_asked_for_without_pause(page):
    found = run(
        page,
        """
        answer = () => [401, { reason: "expired" }];
        const sender = make(); permits(sender);
        sender.run();
        sender.add(0, 16, piece());
        await sleep(2000);
        const [troubled, count] = [sender.troubled, asked.length];
        answer = () => null;
        sender.finish(ending(1));
        await sender.closed;
        return [troubled, count < 8, show(), sender.troubled];
        """,
    )
    assert found == [True, True, [[[0], True]], False]


@pytest.mark.parametrize("status", [200, 401, 403, 407, 429, 503])
def test_a_proxy_that_refuses_is_trouble_and_no_loss(page, status):
    """Its answers, also a page to log in at, say nothing of pieces or reasons; the permit is kept."""
    found = run(
        page,
        f"""
        answer = () => [{status}, {{}}];
        const sender = make(); permits(sender);
        sender.run();
        sender.add(0, 16, piece());
        await sleep(900);
        const [troubled, count, permit] = [sender.troubled, asked.length, sender.permit];
        answer = () => null;
        sender.finish(ending(1));
        await sender.closed;
        return [troubled, count < 8, permit === `permit of ${{sender.record.take}}`, show()];
        """,
    )
    assert found == [True, True, True, [[[0], True]]]


def test_no_permit_is_trouble_after_a_while(page):
    found = run(
        page,
        """
        const sender = make();
        sender.run();
        sender.add(0, 16, piece());
        sender.permitAskedAt -= PERMIT_PATIENCE_MS;
        await sleep(2500);
        return [sender.troubled, asked.length];
        """,
    )
    assert found == [True, 0]


def test_a_database_that_the_browser_closed_is_opened_again(page):
    found = run(
        page,
        """
        const sender = make(); permits(sender);
        answer = () => [503, {}];
        sender.run();
        sender.add(0, 16, piece());
        await sleep(200);
        keep.database.close();
        sender.add(1, 16, piece());
        await sleep(200);
        return [sender.kept, (await keep.takes()).length, (await keep.chunks(sender.record.take)).length];
        """,
    )
    assert found == [True, 1, 2]


def test_a_browser_that_keeps_nothing_sends_all_the_same_and_says_so(page):
    page.add_init_script("indexedDB.open = () => { throw new DOMException('', 'SecurityError'); }")
    page.reload()
    found = run(
        page,
        """
        const sender = make(); permits(sender);
        const running = sender.run();
        for (const number of [0, 1]) sender.add(number, 16, piece());
        sender.finish(ending(2));
        await running;
        return [show(), sender.kept, await keep.takes()];
        """,
    )
    assert found == [[[[0, 1], True]], False, []]


def test_a_piece_that_the_browser_did_not_keep_stops_nothing(page):
    """The others are sent, and the server offers what it has; nothing waits for ever."""
    found = run(
        page,
        """
        await keep.open();
        const sender = make(); permits(sender);
        for (const number of [0, 2]) {
          sender.chunks.set(number, { bits: 16, bytes: piece() });
          sender.waiting.push(number);
        }
        sender.ending = ending(3);
        await sender.run();
        return [show(), sender.refused, await keep.takes()];
        """,
    )
    assert found == [[[[0, 2], False]], "holes", []]


def test_forty_recordings_leave_nothing_in_the_page(page):
    """Neither pieces nor listeners: a tablet records all day in one page."""
    found = run(
        page,
        """
        let listeners = 0;
        for (const [name, change] of [["addEventListener", 1], ["removeEventListener", -1]]) {
          const real = window[name].bind(window);
          window[name] = (...given) => { listeners += change; return real(...given); };
        }
        let left = 0;
        for (let count = 0; count < 40; count += 1) {
          const sender = make(); permits(sender);
          const running = sender.run();
          sender.add(0, 16, piece());
          sender.finish(ending(1));
          await running;
          left += sender.chunks.size + sender.digests.size;
        }
        return [listeners, left, show().length];
        """,
    )
    assert found == [0, 0, 40]


def test_a_computer_that_slept_is_told_by_the_clock_of_the_day(page):
    """performance.now() stands still in sleep on most systems; the clock of the day does not."""
    found = run(
        page,
        """
        const before = now();
        const day = Date.now;
        Date.now = () => day() + 90000;
        const after = now();
        Date.now = () => day() + 89000;  // Set back: no sleep.
        const later = now();
        return [after - before, later - before, clock.slept].map((ms) => Math.round(ms / 1000));
        """,
    )
    assert found == [90, 90, 90]
