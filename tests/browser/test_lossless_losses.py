"""What the lossless recorder tells, and keeps, when things go wrong in its browser.

A page that stands still or dies, a database that is cleared, clocks that jump, another tab, a proxy that answers.
The recorder's own scripts, on a page of their own, with a made microphone and server.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from tests.browser.lossless_scripts import ADDRESS, open_made_page, run, run_recorder

pytestmark = pytest.mark.browser

# What the next page finds, once it has sent all of it.
NEXT_VISIT = """
  await recorder.collect();
  await Promise.all([...recorder.senders.values()].map(({ closed }) => closed));
  const [{ pieces, finished }] = Object.values(taken);
  return [[...pieces].sort(), finished, (await keep.takes()).length];
"""
GONE = "window[Symbol.for('heliograph.recorder')].leave = () => {}"  # It dies without a word.


@pytest.fixture
def page(open_window) -> Page:
    return open_made_page(open_window())


def visit_next(page: Page) -> Page:
    """Close the page and open another one in the same browser."""
    again = page.context.new_page()
    page.close()
    return open_made_page(again)


@pytest.mark.parametrize("said", ["null", "1", '"signed out"', "[]"])
@pytest.mark.parametrize("where", ["undefined", '"1"', '"finish"'])
def test_a_proxy_that_answers_anything_once_stops_nothing(page, said, where):
    found = run(
        page,
        f"""
        let once = true;
        answer = async ({{ what }}) => {{
          if (what !== {where} || !once) return null;
          once = false;
          return [200, {said}];
        }};
        const sender = make(); permits(sender);
        const running = sender.run();
        for (const number of [0, 1, 2]) sender.add(number, 16, piece());
        sender.finish(ending(3));
        await running;
        return [once, show(), sender.trouble];
        """,
    )
    assert found == [False, [[[0, 1, 2], True]], None]


def test_an_error_that_nobody_expects_is_trouble_and_sending_goes_on(page, watch):
    watch.expected.append("unexpected")
    found = run(
        page,
        """
        const wait = setTimeout;
        window.setTimeout = (then, ms) => wait(then, ms / 20);
        const sender = make(); permits(sender);
        const { begin } = sender;
        const troubles = [];
        sender.begin = () => { sender.begin = begin; throw new Error("unexpected"); };
        sender.changed = () => troubles.push(sender.trouble);
        const running = sender.run();
        sender.add(0, 16, piece());
        sender.finish(ending(1));
        await running;
        return [troubles.includes("unreachable"), sender.trouble, show()];
        """,
    )
    assert found == [True, None, [[[0], True]]]


def test_a_page_that_stood_still_for_long_has_its_sound_in_its_place(page):
    """The browser had ten seconds of fifteen ready: five are missing, and those after them are not late."""
    found = run_recorder(
        page,
        """
        const sender = await start();
        await hear(3);
        const since = moment;
        const late = async (second) => {
          const samples = new Float32Array(800).fill(0.25);
          sound.enqueue({
            numberOfFrames: 800, numberOfChannels: 1, sampleRate: 8000, timestamp: 1000 * (since + 1000 * second),
            copyTo: (target) => target.set(samples), close() {},
          });
          await new Promise((done) => setTimeout(done, 0));
        };
        pass(15);
        await late(0);
        for (let tenth = 50; tenth < 150; tenth += 1) await late(tenth / 10);
        await hear(1);
        await recorder.stop();
        const { samples, wall_clock_s, lost_samples, facts } = sender.ending;
        return [samples / 8000, wall_clock_s.toFixed(1), lost_samples / 8000, facts.filled_stretches_s];
        """,
    )
    assert found == [19, "19.0", 4.9, "3.10-8.00"]


@pytest.mark.parametrize("shifts", [[6, 0], [-6], [6], [6, -6, 0]])
def test_a_clock_of_the_microphone_that_jumps_costs_no_sound(page, shifts):
    found = run_recorder(
        page,
        f"""
        await recorder.turnOn();
        clearInterval(recorder.heart);
        recorder.source.patience = 0;
        let shift = 0;
        const {{ enqueue }} = sound;
        sound.enqueue = (data) => enqueue.call(sound, {{ ...data, timestamp: data.timestamp + 1e6 * shift }});
        await hear(3);
        for (shift of {json.dumps(shifts)}) await hear(0.1);
        await hear(1);
        recorder.start();
        await hear(10);
        return recorder.recorded / recorder.rate;
        """,
    )
    assert found == 10


def test_what_was_missing_is_told_of_a_recording_whose_page_died(page):
    """Twice a second and a half never reached the page; a call of two and a half seconds was filled in."""
    run_recorder(
        page,
        """
        answer = () => [503, {}];
        await start();
        for (const lost of [1.5, 1.5, 2.5, 0]) { await hear(3); pass(lost); }
        await hear(4);
        await sleep(500);
        """,
    )
    page.evaluate(GONE)
    found = run_recorder(visit_next(page), NEXT_VISIT)
    assert isinstance(found, list)
    pieces, finished, left = found
    assert (len(pieces), left, finished["end"]) == (18, 0, "abandoned")
    assert finished["facts"]["skipped_s"] == "3: 1.50; 6: 1.50"
    assert finished["facts"]["filled_stretches_s"] == "9.00-11.50"
    assert (finished["skipped_samples"], finished["lost_samples"]) == (24_000, 20_000)
    assert finished["wall_clock_s"] == pytest.approx(20.9, abs=0.15)


def test_the_server_knows_what_is_missing_of_a_recording_that_never_ends(page):
    """Told when it is known, not at the end alone; and only what changed is told."""
    found = run_recorder(
        page,
        """
        const sender = await start();
        await hear(3);
        const before = taken[sender.record.serverTake]?.begun.facts.skipped_s ?? "none";
        pass(1.5);
        await hear(8);
        await sleep(500);
        const { begun, pieces } = taken[sender.record.serverTake];
        const begins = asked.filter(({ what, method }) => method === "PUT" && !what).length;
        return [before, begun.facts.skipped_s, begun.skipped_samples, begins, pieces.size];
        """,
    )
    assert found == ["none", "3: 1.50", 12_000, 2, 11]


@pytest.mark.parametrize(
    ("lost_ms", "every_s", "length_s", "told_ms"),
    [
        (10, 1, 170, 1690),
        (19, 1, 170, 3211),
        (10, 1, 25, 240),
        (30, 60, 170, 60),
        (0, 1, 170, 0),
        (0.2, 1, 170, 0),
    ],
)
def test_many_small_losses_are_told_as_their_sum(page, lost_ms, every_s, length_s, told_ms):
    """But not that two clocks run apart by some millionths."""
    told = run(
        page,
        f"""
        const lost = new LostTime(48000);
        let samples = 0, at = 0;
        for (let block = 0; samples < {length_s} * 48000; block += 1) {{
          if (block && block % (100 * {every_s}) === 0) at += {lost_ms};
          at += 10;
          samples += 480;
          lost.feed(samples, at);
        }}
        return lost.find().reduce((sum, {{ ms }}) => sum + ms, 0);
        """,
    )
    assert told == pytest.approx(told_ms, abs=25 if told_ms else 0)


def test_what_the_browser_threw_away_in_mid_recording_is_kept_again(page):
    """Site data cleared while the server is away: the next piece brings back all that were before it."""
    browser = page.context.new_cdp_session(page)
    data = {"origin": ADDRESS.rsplit("/", 1)[0], "storageTypes": "indexeddb"}
    page.expose_function("clearData", lambda: browser.send("Storage.clearDataForOrigin", data))
    found = run_recorder(
        page,
        """
        answer = () => [503, {}];
        const sender = await start();
        await hear(3);
        await sleep(300);
        await clearData();
        await sleep(300);
        await hear(2);
        await sleep(500);
        return [sender.kept, (await keep.takes()).length, (await keep.all("chunks")).map(({ index }) => index)];
        """,
    )
    assert found == [True, 1, [0, 1, 2, 3, 4]]
    page.evaluate(GONE)
    pieces, finished, left = run_recorder(visit_next(page), NEXT_VISIT)  # type: ignore[misc]
    assert (pieces, finished["end"], left) == ([0, 1, 2, 3, 4], "abandoned", 0)


def test_of_two_tabs_opened_at_once_one_sends_what_an_earlier_page_left(page):
    found = run(
        page,
        """
        const record = { take: "a".repeat(24), workspace: "one", rate: 8000, facts: {}, filledIn: [] };
        await keep.putChunk(record, 0, { bits: 16, bytes: piece() });
        const tabs = [keep, new Keep()];
        const find = (tab) => findLeftovers(tab, "one", () => false);
        const both = await Promise.all(tabs.map(find));
        const busy = await find(tabs[1]);
        const [{ release }] = both.flat();
        release();
        await sleep(50);
        const later = await find(tabs[1]);
        return [both.flat().length, busy.length, later.length, (await find(tabs[0])).length];
        """,
    )
    assert found == [1, 0, 1, 0]


def test_what_belongs_to_another_workspace_stays_where_it_is(page):
    found = run(
        page,
        """
        const record = { take: "b".repeat(24), workspace: "another", rate: 8000, facts: {}, filledIn: [] };
        await keep.putChunk(record, 0, { bits: 16, bytes: piece() });
        const leftovers = await findLeftovers(keep, "one", () => false);
        return [leftovers.length, (await keep.chunks(record.take)).length];
        """,
    )
    assert found == [0, 1]
