"""How the lossless recorder sends: what it does when it is refused, has no permit, or its browser keeps nothing.

The recorder's own scripts, on a page of their own, with a server that answers as each test says.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from tests.browser.lossless_scripts import open_made_page, run

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_window) -> Page:
    return open_made_page(open_window())


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
        const first = sender.record.serverTake;
        answer = ({{ take, what }}) => take === first && what === "2" && [410, {{ reason: {json.dumps(reason)} }}];
        const running = sender.run();
        for (const number of [0, 1, 2, 3]) sender.add(number, 16, piece());
        await sleep(300);
        const [kept] = await keep.takes();
        sender.finish(ending(4));
        await running;
        const again = taken[sender.record.serverTake];
        const {{ take, serverTake }} = sender.record;
        return {{
          renamed: kept.take === take && kept.serverTake === serverTake && kept.restarts,
          all: [...again.pieces].sort(), finished: again.finished !== false, left: await keep.takes(),
        }};
        """,
    )
    assert found == {"renamed": 1, "all": [0, 1, 2, 3], "finished": True, "left": []}


def test_a_server_that_takes_nothing_is_not_asked_for_ever_and_the_browser_keeps_it(page):
    """Nor by the next page, which takes no more copies there."""
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
        const names = new Set(asked.map(({ take }) => take)).size;
        const again = make(kept); permits(again);
        again.chunks.set(0, { bits: 16, bytes: piece() });
        again.waiting.push(0);
        await again.run();
        return [names, sender.refused, again.refused, new Set(asked.map(({ take }) => take)).size,
          (await keep.chunks(kept.take)).length];
        """,
    )
    assert found == [3, "different", "different", 3, 1]


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
        return [sender.refused, sender.record.restarts, await keep.takes()];
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
        return [troubled, count < 8, permit === `permit of ${{sender.record.serverTake}}`, show()];
        """,
    )
    assert found == [True, True, True, [[[0], True]]]


def test_a_line_that_was_too_slow_for_several_pieces_at_once_gets_them_again_when_it_is_quick(page):
    found = run(
        page,
        """
        const wait = setTimeout;
        window.setTimeout = (then, ms) => wait(then, ms / 50);
        let flying = 0, starts = [];
        const fly = async (lasts) => {
          flying += 1;
          starts.push(flying);
          await new Promise((done) => wait(done, lasts));
          flying -= 1;
        };
        answer = async ({ what }) => {
          if (!what) return null;
          await fly(600);  // Longer than a request's patience.
          throw new TypeError("aborted");
        };
        const sender = make(); permits(sender);
        sender.run();
        for (const number of [0, 1, 2, 3]) sender.add(number, 16, piece());
        while (sender.atOnce > 1 || flying) await sleep(100);
        const slow = starts;
        starts = [];
        answer = async ({ what }) => { if (what) await fly(100); return null; };
        while (sender.acknowledged.size < 4) await sleep(100);
        const quick = [...starts]; // Without the end.
        sender.finish(ending(4));
        await sender.closed;
        return [slow.slice(0, 3), quick, show()];
        """,
    )
    assert found == [[1, 2, 3], [1, 1, 2, 3], [[[0, 1, 2, 3], True]]]


def test_no_permit_is_trouble_after_a_while_and_asked_for_again(page):
    """The run of the page that should have given one has failed."""
    found = run(
        page,
        """
        let renewals = 0;
        const sender = make();
        sender.changed = () => { if (sender.needsPermit) renewals += 1; };
        sender.run();
        sender.add(0, 16, piece());
        sender.permitAskedAt -= PERMIT_PATIENCE_MS;
        await sleep(2300);
        const troubled = [sender.troubled, asked.length, renewals];
        permits(sender);
        sender.finish(ending(1));
        await sender.closed;
        return [...troubled, show(), sender.troubled];
        """,
    )
    assert found == [True, 0, 1, [[[0], True]], False]


@pytest.mark.parametrize(("age_s", "asked_again"), [(10, False), (400, True)])
def test_a_permit_that_may_have_run_out_is_renewed_when_the_server_only_says_too_often(page, age_s, asked_again):
    """Others at the same address were refused often: this one is not told what is wrong."""
    found = run(
        page,
        f"""
        const sender = make();
        let renewed = false;
        sender.changed = () => {{ renewed ||= sender.needsPermit === true; }};
        sender.allow("old");
        sender.permittedAt -= {1000 * age_s};
        answer = ({{ permit }}) => permit === "old" && [429, {{ reason: "too_often" }}];
        sender.run();
        sender.add(0, 16, piece());
        await sleep(900);
        const before = [renewed, asked.length > 0];
        sender.allow("new");
        sender.finish(ending(1));
        await sender.closed;
        return [...before, show()];
        """,
    )
    assert found == [asked_again, True, [[[0], True]]]


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
