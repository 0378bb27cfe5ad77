"""Submitting is checked before anything is written, and happens once however often it is sent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

import heliograph.runs
from heliograph.runs import (
    InvalidSubmissionError,
    RecordingMissingError,
    RunsError,
    RunStateError,
    UnknownRunError,
    delete_run_locally,
    dismiss_attention,
    repeat_run,
    request_refetch,
)
from heliograph.store import (
    RunState,
    load_participant,
    load_recording,
    load_run_detail,
    load_runs,
    load_waiting_recordings,
    purge_run,
    recording_path,
    save_participant,
)
from tests.runs.lab import Lab


def test_twenty_clicks_at_once_are_one_run(lab: Lab) -> None:
    recording_id = lab.make_recording(0).id
    barrier = threading.Barrier(20)

    def click(_: int) -> int:
        barrier.wait()
        return lab.submit(recording_id=recording_id, submission_key="one form")

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(click, range(20)))) == 1
    assert len(load_runs(lab.store)) == 1


def test_a_run_is_queued_with_the_participants_details_of_that_moment(lab: Lab) -> None:
    run_id = lab.submit(tags={"arm": "A"}, quality_override="noisy ward")
    run = lab.load(run_id)
    assert (run.state, run.language, run.quality_override) == (RunState.QUEUED, "en-GB", "noisy ward")
    assert run.next_step_utc is not None
    assert load_run_detail(lab.store, run_id).tags == {"arm": "A"}
    assert lab.thymia.requests == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tags": {"n" * 41: "v"}}, "tags.0.name"),
        ({"tags": {"n": "v" * 101}}, "tags.0.value"),
        ({"tags": {f"n{number}": "v" for number in range(21)}}, "tags"),
        ({"recorded_local": datetime(2026, 1, 1, tzinfo=UTC)}, "recorded_local"),
        ({"asleep_local": datetime(2026, 1, 2), "awake_local": datetime(2026, 1, 1)}, "awake_local"),
        ({"awake_local": datetime(2026, 1, 2), "recorded_local": datetime(2026, 1, 1)}, "recorded_local"),
        ({"data_to_delete": ["TRANSCRIPTS"], "delete_data": True}, "data_to_delete.0"),
        ({"recording_id": "0" * 64}, "recording_id"),
        ({"submission_key": ""}, "submission_key"),
    ],
)
def test_what_thymia_would_refuse_is_refused_before_anything_is_written(
    lab: Lab, fields: dict[str, object], named: str
) -> None:
    with pytest.raises(InvalidSubmissionError, match=named.replace(".", r"\.")) as refusal:
        lab.submit(**fields)
    assert named in [issue.field for issue in refusal.value.issues]
    assert load_runs(lab.store) == []


def test_every_wrong_field_is_named_at_once(lab: Lab) -> None:
    with pytest.raises(InvalidSubmissionError) as refusal:
        lab.submit(tags={"n" * 41: "v"}, recording_id="0" * 64, submission_key="")
    assert len(refusal.value.issues) == 3


def test_an_unknown_participant_is_refused(lab: Lab) -> None:
    lab.participant_id = 99
    with pytest.raises(InvalidSubmissionError, match="participant_id"):
        lab.submit()


def test_a_run_can_be_repeated_once_it_has_ended_with_corrected_details(lab: Lab) -> None:
    run = lab.run_to_running(tags={"arm": "A"}, recorded_local=datetime(2026, 11, 21, 9, 30))
    with pytest.raises(RunStateError):
        repeat_run(lab.store, run.id, submission_key="again")
    lab.thymia.set_run(run.thymia_id, "COMPLETE_ERROR", errorCode="ERR_INTERNAL")
    run = lab.step_when_due(run.id)
    old = load_participant(lab.store, lab.participant_id)
    save_participant(
        lab.store, label=old.label, date_of_birth="1991-02-03", birth_sex="MALE", language="en-US", accent=None
    )
    new_id = repeat_run(lab.store, run.id, submission_key="again")
    assert repeat_run(lab.store, run.id, submission_key="again") == new_id
    new = lab.load(new_id)
    assert (new.repeats_run_id, new.recording_id) == (run.id, run.recording_id)
    assert (new.date_of_birth, new.birth_sex, new.session_local) == ("1991-02-03", "MALE", "2026-11-21T09:30:00")
    assert lab.step(new_id).state == RunState.RUNNING


def test_a_run_whose_recording_is_gone_cannot_be_repeated(lab: Lab) -> None:
    run = lab.run_to_complete()
    recording_path(lab.store, load_recording(lab.store, run.recording_id or "")).unlink()
    with pytest.raises(RecordingMissingError):
        repeat_run(lab.store, run.id, submission_key="again")


def test_a_run_that_thymia_never_had_cannot_be_fetched_again(lab: Lab) -> None:
    with pytest.raises(RunStateError):
        request_refetch(lab.store, lab.submit())


def test_deleting_here_takes_the_recording_along_unless_another_run_needs_it(lab: Lab) -> None:
    first = lab.run_to_complete()
    second = lab.submit(recording_id=first.recording_id)
    assert delete_run_locally(lab.store, first.id) is None
    path = delete_run_locally(lab.store, second)
    assert path is not None
    assert not path.exists()
    assert load_runs(lab.store) == []


def test_a_notice_can_be_put_aside_without_changing_the_run(lab: Lab) -> None:
    run = lab.run_to_running()
    lab.thymia.set_run(run.thymia_id, "COMPLETE_ERROR", errorCode="ERR_INTERNAL")
    assert lab.step_when_due(run.id).needs_attention
    dismiss_attention(lab.store, run.id)
    run = lab.load(run.id)
    assert (run.needs_attention, run.state) == (False, RunState.COMPLETE_ERROR)


def test_a_run_that_does_not_exist_is_named_by_every_function(lab: Lab) -> None:
    with pytest.raises(UnknownRunError):
        request_refetch(lab.store, 5)
    with pytest.raises(UnknownRunError):
        dismiss_attention(lab.store, 5)
    with pytest.raises(UnknownRunError):
        repeat_run(lab.store, 5, submission_key="again")


def test_errors_have_one_root_and_are_exported() -> None:
    errors = [
        value
        for value in vars(heliograph.runs).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert len(errors) == 6
    assert all(issubclass(error, RunsError) for error in errors)
    assert {error.__name__ for error in errors} <= set(heliograph.runs.__all__)


def test_the_same_audio_recorded_again_after_a_purge_is_a_new_run_however_often_it_is_sent(lab: Lab) -> None:
    recording_id = lab.make_recording(0).id
    first = lab.submit(recording_id=recording_id, submission_key="key of the recording")
    assert purge_run(lab.store, first)
    assert lab.make_recording(0).id == recording_id
    again = {lab.submit(recording_id=recording_id, submission_key="key of the recording") for _ in range(3)}
    assert len(again) == 1
    assert first not in again
    assert recording_id not in {recording.id for recording, _ in load_waiting_recordings(lab.store)}
    assert lab.step(again.pop()).state == RunState.RUNNING


def test_a_submission_is_due_at_once_in_the_lab_however_slow_the_test_was_before_it(lab: Lab) -> None:
    lab.now_utc = datetime.now(UTC) - timedelta(minutes=1)
    assert lab.step(lab.submit()).state == RunState.RUNNING
    lab.now_utc = datetime.now(UTC) - timedelta(minutes=1)
    assert lab.step(lab.submit_activity()).state == RunState.WAITING
