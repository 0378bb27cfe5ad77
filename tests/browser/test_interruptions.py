"""Reloads, stopped and killed servers: recordings are found again, runs are carried out once."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from heliograph.store import RunState
from tests.browser.journeys import (
    expect_result,
    expect_review,
    open_page,
    open_record,
    quality,
    record_until,
    review_found,
    settle,
    start_recording,
    submit,
    upload,
)
from tests.browser.servers import AppServer
from tests.sandbox.recordings import encode, make_speech

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server of this module's own, which its tests stop and start again."""
    with AppServer(tmp_path_factory.mktemp("home")) as running:
        yield running


def test_a_reload_in_mid_recording_loses_nothing(server, page):
    """The page knows the participant from its address and offers the recording by itself."""
    number = open_record(page, server, "Reloader")
    start_recording(page)
    record_until(page, 4)
    page.reload()
    settle(page)
    assert f"participant={number}" in page.url
    review_found(page)
    assert 4 <= float(quality(page, "Speech").split()[0]) <= float(quality(page, "Length").split()[0]) < 40
    assert float(quality(page, "Gaps").split()[0]) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_server_in_mid_recording_loses_nothing(restarted, page, how):
    """After the restart the recording is there, up to the last second or so when the process was killed."""
    number = open_record(page, restarted, f"Stopped by {how.name}")
    start_recording(page)
    record_until(page, 4)
    restarted.restart(how)
    open_page(page, f"{restarted.url}/record?participant={number}", "Record")
    review_found(page)
    assert float(quality(page, "Speech").split()[0]) >= (4 if how == signal.SIGTERM else 2)


def test_a_killed_server_during_a_run_carries_it_out_once(restarted, page):
    """Submitted, killed at once, started again: the open page goes on and the run finishes, exactly one."""
    number = open_record(page, restarted, "Killed run")
    upload(page, ("speech.flac", encode(make_speech(20), "flac")))
    expect_review(page)
    submit(page)
    expect(page.get_by_role("heading", name="Run", exact=True)).to_be_visible()
    restarted.restart(signal.SIGKILL)
    (run,) = restarted.runs_of(number)
    open_page(page, f"{restarted.url}/runs?run={run.id}", "Runs")
    expect_result(page)
    (run,) = restarted.runs_of(number)
    assert run.state == RunState.COMPLETE_OK
