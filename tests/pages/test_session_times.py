"""The session form suggests the times of the recording under review, not those of the review."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.runtime.context import ContextProxy

from heliograph.audio.spool import CHUNKS_PATIENCE_S
from heliograph.store import load_run, to_local_text, to_utc_text
from heliograph.ui import lossless
from heliograph.ui.formats import format_local
from heliograph.ui.session_form import RECORDED_EARLIER
from heliograph.ui.workspace import get_workspace
from tests.pages import demo
from tests.pages.browsers import Browser, run

TOKYO = ZoneInfo("Asia/Tokyo")
THREE_DAYS_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
TAKE = "take_first"


@pytest.fixture(autouse=True)
def _visitor_in_tokyo(monkeypatch):
    monkeypatch.setattr(ContextProxy, "timezone", property(lambda _: str(TOKYO)))


def in_tokyo(moment: datetime) -> datetime:
    return moment.astimezone(TOKYO).replace(tzinfo=None, second=0, microsecond=0)


def review(app: Any, *recordings: str) -> Any:
    app.session_state["record_waiting"] = list(recordings)
    return run(app)


def moment(app: Any, label: str) -> datetime:
    (field,) = [found for found in app.datetime_input if found.label == label]
    return field.value


def add_sleep(app: Any) -> Any:
    """As a person does who knows when the participant slept."""
    (switch,) = [toggle for toggle in app.toggle if toggle.label == "Add sleep times"]
    switch.set_value(True)
    return run(app)


def is_called_earlier(app: Any) -> bool:
    return RECORDED_EARLIER in [caption.value for caption in app.caption]


def test_what_was_recorded_days_ago_is_suggested_at_its_own_time_and_that_is_said(open_page, store, home, person):
    recording = demo.add_real_recording(store, home, began=THREE_DAYS_AGO)
    app = review(open_page("record", participant=str(person)), recording)
    add_sleep(app)
    recorded = moment(app, "Recorded at")
    assert recorded == in_tokyo(THREE_DAYS_AGO)
    assert timedelta() < recorded - moment(app, "Woke up") <= timedelta(days=1)
    assert is_called_earlier(app)
    (field,) = [found for found in app.datetime_input if found.label == "Recorded at"]
    field.set_value(recorded + timedelta(hours=1))
    assert not is_called_earlier(run(app))


@pytest.mark.parametrize("began", [None, timedelta(minutes=9)])
def test_of_a_file_and_of_what_was_just_recorded_nothing_is_said(open_page, store, home, person, began):
    made = datetime.now(UTC) - (began or timedelta())
    recording = demo.add_real_recording(store, home, began=made if began else None)
    app = review(open_page("record", participant=str(person)), recording)
    assert abs(moment(app, "Recorded at") - in_tokyo(made)) <= timedelta(minutes=1)
    assert not is_called_earlier(app)


def test_another_recording_inherits_no_times(open_page, store, home, person):
    first = demo.add_real_recording(store, home, began=THREE_DAYS_AGO)
    second = demo.add_real_recording(store, home, began=THREE_DAYS_AGO + timedelta(days=1))
    file = demo.add_real_recording(store, home)
    app = review(open_page("record", participant=str(person)), first)
    for recording, made in ((second, THREE_DAYS_AGO + timedelta(days=1)), (first, THREE_DAYS_AGO)):
        assert moment(review(app, recording), "Recorded at") == in_tokyo(made)
    now = in_tokyo(datetime.now(UTC))
    assert abs(moment(review(app, file), "Recorded at") - now) <= timedelta(minutes=1)


def test_discarding_one_of_several_keeps_the_times_that_were_entered(open_page, store, home, person):
    first = demo.add_real_recording(store, home)
    second = demo.add_real_recording(store, home, began=THREE_DAYS_AGO)
    app = review(open_page("record", participant=str(person)), first, second)
    (field,) = [found for found in app.datetime_input if found.label == "Recorded at"]
    entered = field.value - timedelta(hours=5)
    field.set_value(entered)
    run(app)
    assert moment(review(app, second), "Recorded at") == entered


def test_no_sleep_is_stored_that_nobody_entered(open_page, store, home, person):
    recording = demo.add_real_recording(store, home)
    app = review(open_page("record", participant=str(person)), recording)
    assert [field.label for field in app.datetime_input] == ["Recorded at"]
    app.button(key="record_submit").click()
    run(app)
    submitted = load_run(store, app.session_state["record_runs"][0])
    assert (submitted.asleep_local, submitted.awake_local) == (None, None)
    assert submitted.recorded_local is not None


def test_sleep_that_is_added_is_prefilled_and_stored(open_page, store, home, person):
    recording = demo.add_real_recording(store, home)
    app = add_sleep(review(open_page("record", participant=str(person)), recording))
    slept = [moment(app, label) for label in ("Fell asleep", "Woke up")]
    assert [f"{one:%H:%M}" for one in slept] == ["23:00", "07:00"]
    app.button(key="record_submit").click()
    run(app)
    submitted = load_run(store, app.session_state["record_runs"][0])
    assert [submitted.asleep_local, submitted.awake_local] == [to_local_text(one) for one in slept]


def test_a_link_too_carries_no_sleep_that_nobody_entered(open_page, store, person):
    app = open_page("record", participant=str(person))
    (way,) = [group for group in app.segmented_control if group.label == "How to record"]
    way.set_value("Send a link")
    run(app)
    app.button(key="record_activity_create").click()
    run(app)
    submitted = load_run(store, app.session_state["record_runs"][0])
    assert (submitted.asleep_local, submitted.awake_local) == (None, None)


def test_what_waits_is_listed_at_the_visitors_time_of_its_beginning(open_page, home, person, monkeypatch):
    browser = Browser(get_workspace().store)
    monkeypatch.setattr(lossless, "_read_report", lambda _found: browser.report)
    browser.record(TAKE, person, began_utc=to_utc_text(THREE_DAYS_AGO))
    then = time.time() - CHUNKS_PATIENCE_S - 1
    os.utime(browser.store.spool_folder / TAKE / "chunks", (then, then))
    demo.add_real_recording(browser.store, home, began=THREE_DAYS_AGO - timedelta(days=1))
    app = open_page("record", participant=str(person))
    (box,) = [found for found in app.expander if "not submitted yet" in found.label]
    listed = [line.value.split(" · ")[0] for line in box.markdown if " · " in line.value]
    assert listed == [format_local(in_tokyo(THREE_DAYS_AGO - timedelta(days=days)).isoformat()) for days in (1, 0)]
