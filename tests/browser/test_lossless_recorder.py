"""The lossless recorder from its buttons to its sender: a silent or changed microphone, leftovers, what it says.

The recorder's own scripts, on a page of their own, with a made microphone and server.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from heliograph.ui.lossless.trouble_words import TROUBLE_WORDS
from heliograph.ui.recorder_words import WORDS
from tests.browser.lossless_scripts import open_made_page, run_recorder

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_window) -> Page:
    return open_made_page(open_window())


def test_what_was_kept_of_the_microphone_is_what_the_browser_says_of_it(page):
    """A way of echo cancellation instead of yes or no means on; what it does not say is unknown, a rate too."""
    found = run_recorder(
        page,
        """
        settings = { echoCancellation: "system", noiseSuppression: false, voiceIsolation: true };
        const { record } = await start();
        const { echoCancellation, voiceIsolation } = wantedOf[0];
        const steps = ["echo_cancellation", "noise_suppression", "auto_gain_control", "voice_isolation"];
        const said = [...steps, "device_rate_hz"].map((name) => record.facts[name]);
        return [echoCancellation, voiceIsolation, ...said, find(".notes").textContent];
        """,
    )
    assert isinstance(found, list)
    assert found[:-1] == [False, False, "on", "off", "unknown", "on", "unknown"]
    assert found[-1].endswith(f"{WORDS['echo']} {TROUBLE_WORDS['isolation']}")


def test_a_microphone_that_falls_silent_without_a_word_is_told_and_its_time_counts(page):
    """No event, no blocks, for a hundred seconds until Stop; all of it is missing time."""
    found = run_recorder(
        page,
        """
        const sender = await start();
        await hear(3);
        const before = [recorder.away, status()];
        pass(100);
        beat(4);
        const during = [recorder.away, status(), recorder.level.peak];
        await recorder.stop();
        const { samples, wall_clock_s, facts } = sender.ending;
        await sender.closed;
        const isProblem = find(".status").classList.contains("problem");
        return [before, during, samples, Math.round(wall_clock_s), facts.events, recorder.phase, isProblem];
        """,
    )
    assert found == [
        [False, WORDS["recording"]],
        [True, TROUBLE_WORDS["stalled"], 0],
        24_000,
        103,
        "3.0 interrupted",
        "saved",
        False,
    ]


def test_a_microphone_that_is_heard_again_goes_on_with_silence_between(page):
    found = run_recorder(
        page,
        """
        const sender = await start();
        await hear(3);
        pass(7);
        beat(4);
        await hear(2);
        const away = recorder.away;
        await recorder.stop();
        const { samples, wall_clock_s, facts, lost_samples } = sender.ending;
        return [away, samples, lost_samples, wall_clock_s.toFixed(1), facts.events, facts.filled_stretches_s];
        """,
    )
    assert found == [False, 96_000, 56_000, "12.0", "3.0 interrupted; 10.1 resumed", "3.00-10.00"]


def test_a_stop_at_once_after_the_last_sound_makes_no_missing_time(page):
    found = run_recorder(
        page,
        """
        const sender = await start();
        await hear(3);
        pass(1.5);
        await recorder.stop();
        return sender.ending.wall_clock_s.toFixed(1);
        """,
    )
    assert found == "3.0"


def test_a_microphone_is_away_until_every_cause_is_over_and_its_context_runs_again(page):
    """A call mutes the track and stops the context; not every browser runs it again by itself."""
    found = run_recorder(
        page,
        """
        const sender = await start();
        await hear(2);
        let resumed = 0;
        recorder.source.context = { state: "suspended", resume: async () => { resumed += 1; } };
        track.onmute();
        recorder.miss("context", "suspended");
        pass(1);
        track.onunmute();
        const first = [recorder.away, resumed];
        recorder.source.context.state = "running";
        recorder.regain("context", "resumed");
        const second = recorder.away;
        await hear(1);
        await recorder.stop();
        return [first, second, sender.ending.facts.events];
        """,
    )
    assert found == [[True, 1], False, "2.0 muted; 2.0 suspended; 3.0 resumed"]


def test_a_context_that_stands_still_is_asked_to_run(page):
    found = run_recorder(
        page,
        """
        await start();
        let resumed = 0;
        recorder.source.context = { state: "interrupted", resume: async () => { resumed += 1; } };
        beat(3);
        const early = resumed;
        beat(2);
        return [early, resumed];
        """,
    )
    assert found == [0, 2]


def test_another_rate_of_the_microphone_ends_the_recording_there(page):
    """Samples of one rate are never stored as those of another."""
    found = run_recorder(
        page,
        """
        const sender = await start();
        await hear(3);
        play(16000);
        await sender.closed;
        const { samples, end, facts } = sender.ending;
        return [samples, end, facts.events, recorder.phase, status(), show()];
        """,
    )
    assert found == [24_000, "stopped", "3.1 rate", "off", TROUBLE_WORDS["rate"], [[[0, 1, 2], True]]]


def test_another_rate_before_recording_is_the_rate_of_the_recording(page):
    found = run_recorder(
        page,
        """
        await recorder.turnOn();
        await hear(1, 16000);
        recorder.start();
        await hear(2, 16000);
        return [recorder.phase, recorder.sender.record.rate, recorder.recorded];
        """,
    )
    assert found == ["recording", 16_000, 32_000]


def test_what_fails_to_be_drawn_costs_no_sound(page, watch):
    watch.expected.append("not drawn")
    found = run_recorder(
        page,
        """
        const sender = await start();
        recorder.listeners.add(() => { throw new Error("not drawn"); });
        await hear(4);
        return [recorder.phase, recorder.recorded];
        """,
    )
    assert found == ["recording", 32_000]


@pytest.mark.parametrize("way", ["sound.error(new Error('no more sound'))", "sound.close()"])
def test_sound_that_ends_by_itself_ends_the_recording_and_is_told(page, watch, way):
    watch.expected.append("no more sound")
    found = run_recorder(
        page,
        f"""
        const sender = await start();
        await hear(3);
        {way};
        await sender.closed;
        return [recorder.phase, status(), sender.ending.facts.events, sender.ending.samples, sender.ending.end];
        """,
    )
    assert found == ["off", WORDS["ended"], "3.0 ended", 24_000, "stopped"]


def test_after_stop_start_waits_for_the_review_and_after_start_again_for_nothing(page):
    found = run_recorder(
        page,
        """
        await start();
        await hear(2);
        find(".again").focus();
        find(".again").click();
        await recorder.sender.closed;
        const again = [recorder.phase, find(".start").hidden, root.activeElement === find(".start")];
        recorder.start();
        await hear(2);
        find(".stop").click();
        await recorder.sender.closed;
        const told = reports.at(-1).take === recorder.sender.record.take;
        const saved = [recorder.phase, find(".start").hidden, status(), reports.at(-1).phase, told];
        const wait = setTimeout;
        window.setTimeout = (then, ms) => wait(then, ms / 100);
        recorder.phase = "check";
        recorder.awaitReview(recorder.sender.record);
        await sleep(2 * SAVED_MS);
        return [again, saved, recorder.phase, find(".start").hidden, reports.at(-1).take];
        """,
    )
    assert found == [
        ["check", False, True],
        ["saved", True, TROUBLE_WORDS["saved"], "saved", True],
        "check",
        False,
        None,
    ]


def test_another_participant_s_recording_gives_way_to_no_review(page):
    found = run_recorder(
        page,
        """
        await start();
        await hear(1);
        recorder.participantNote = "2";
        find(".stop").click();
        await recorder.sender.closed;
        return [recorder.phase, find(".start").hidden, reports.at(-1).take];
        """,
    )
    assert found == ["check", False, None]


@pytest.mark.parametrize(
    ("happens", "phases"),
    [
        ("", ["recording", "off"]),  # A server that was started again draws the page anew, slowly.
        ("history.pushState(null, '', '/trends');", ["off", "off"]),
        ("mount({ parentElement: courier, data: { ...data, headless: true }, setStateValue });", ["off", "off"]),
    ],
)
def test_a_recorder_that_is_drawn_again_late_records_on_unless_the_page_was_left(page, happens, phases):
    found = run_recorder(
        page,
        f"""
        const courier = document.body.appendChild(document.createElement("div")).attachShadow({{ mode: "open" }});
        courier.innerHTML = root.innerHTML;
        await start();
        await hear(1);
        const wait = setTimeout;
        window.setTimeout = (then, ms) => wait(then, ms / 100);
        mount({{ parentElement: root, data, setStateValue }})();
        {happens}
        await sleep(3 * GRACE_MS);
        const soon = recorder.phase;
        pass(SLOW_MS / 1000);
        await sleep(3 * GRACE_MS);
        return [soon, recorder.phase];
        """,
    )
    assert found == phases


def test_the_browser_is_asked_once_to_keep_what_it_has(page):
    """And a refusal costs nothing."""
    found = run_recorder(
        page,
        """
        let count = 0;
        navigator.storage.persist = async () => { count += 1; throw new Error("no"); };
        for (let take = 0; take < 2; take += 1) {
          await start();
          await hear(1);
          await recorder.stop("abandoned");
          await recorder.sender.closed;
        }
        return [count, show()];
        """,
    )
    assert found == [1, [[[0], True], [[0], True]]]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([507, {"reason": "disk_full"}], f"{WORDS['recording']} {TROUBLE_WORDS['disk_full']}"),
        ([403, {"reason": "other_site"}], f"{WORDS['recording']} {TROUBLE_WORDS['other_site']}"),
        ([503, {"reason": "being_kept"}], WORDS["outage"]),
        ([502, {}], WORDS["outage"]),
    ],
)
def test_why_the_server_does_not_take_it_is_said(page, answer, said):
    found = run_recorder(
        page,
        f"""
        const sender = await start();
        answer = () => {json.dumps(answer)};
        await hear(3);
        await sleep(300);
        const trouble = status();
        sender.kept = false;
        recorder.changed();
        const open = status();
        answer = () => null;
        await recorder.stop();
        await sender.closed;
        return [trouble, open, recorder.phase];
        """,
    )
    unkept = WORDS["outage_here"] if said == WORDS["outage"] else f"{said} {TROUBLE_WORDS['keep_open']}"
    assert found == [said, unkept, "saved"]


def test_a_leftover_that_was_taken_up_elsewhere_is_sent_anew_once(page):
    """Also where the browser has no room to note its new name, or can't forget it: no copy follows another."""
    found = run_recorder(
        page,
        """
        const take = "f".repeat(24);
        await leave(take, [0, 1]);
        recorder.keep.putTake = recorder.keep.forget = async () => false;
        answer = (request) => request.take === take && [410, { reason: "settled" }];
        await recorder.collect();
        const [sender] = recorder.senders.values();
        await sender.closed;
        await recorder.collect();
        await recorder.collect();
        await sleep(500);
        return [show(), recorder.senders.size, new Set(asked.map(({ take }) => take)).size];
        """,
    )
    assert found == [[[[0, 1], True]], 0, 2]


def test_pieces_that_only_the_server_still_has_after_a_power_cut_make_no_second_recording(page):
    """The server had acknowledged five; of them the browser's disk has three, and not how it ended."""
    found = run_recorder(
        page,
        """
        const take = "e".repeat(24);
        await leave(take, [0, 1, 5]);
        const other = "d".repeat(24);
        await leave(other, [0]);
        taken[take] = { pieces: new Set([0, 1, 2, 3, 4]), finished: false };
        taken[other] = { pieces: new Set([0, 1, 2]), finished: false };
        await recorder.collect();
        await Promise.all([...recorder.senders.values()].map(({ closed }) => closed));
        await sleep(100);
        return [show(), recorder.problem, (await recorder.keep.takes()).length];
        """,
    )
    assert found == [[[[0, 1, 2, 3, 4, 5], False], [[0, 1, 2], False]], None, 0]


def test_a_leftover_of_which_the_server_has_no_more_is_ended(page):
    found = run_recorder(
        page,
        """
        const take = "c".repeat(24);
        await leave(take, [0, 1, 2]);
        taken[take] = { pieces: new Set([0, 1]), finished: false };
        await recorder.collect();
        await [...recorder.senders.values()][0].closed;
        const { chunks, samples, end, guessed } = taken[take].finished;
        return [show(), chunks, samples, end, guessed ?? null];
        """,
    )
    assert found == [[[[0, 1, 2], True]], 3, 24_000, "abandoned", None]
