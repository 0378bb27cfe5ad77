"""What people do to runs: submit, repeat, fetch again, delete here, put a notice aside.

Submitting is one transaction that writes everything needed to carry the run out later; the worker does the rest,
and `Worker.wake` makes it start at once. Functions may be called from any thread, take some milliseconds, and
never go to the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from heliograph import store as ground
from heliograph.runs._exceptions import (
    FieldIssue,
    InvalidSubmissionError,
    RecordingMissingError,
    RunPurgedError,
    RunStateError,
    UnknownRunError,
)
from heliograph.runs.inputs import build_request
from heliograph.runs.ratings import check_rating
from heliograph.store import (
    FINAL_STATES,
    NewRun,
    Recording,
    Run,
    RunDetail,
    RunKind,
    Store,
    UnknownRecordError,
    to_utc_text,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Submission:
    """What both kinds of submission have in common; times are the participant's local wall time, naive.

    `submission_key` is made once for each form that a person fills in: the same key again is the same run.
    `delete_data` with `data_to_delete` None has thymia delete everything 12 h after completion.
    """

    submission_key: str
    participant_id: int
    asleep_local: datetime | None = None
    awake_local: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    delete_data: bool = False
    data_to_delete: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSubmission(_Submission):
    """A stored recording to be analysed; `quality_override` is the reason for going on despite a warning,
    `ratings` are what the participant said about themselves, by scale."""

    recording_id: str
    recorded_local: datetime | None = None
    quality_override: str | None = None
    ratings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySubmission(_Submission):
    """An activity that thymia hosts; `activity_type` None is the service's default one."""

    activity_type: str | None = None


def submit_upload(store: Store, submission: UploadSubmission) -> int:
    """Queue the analysis of a recording and return the run's id; the same key again returns the same id.

    Once that run's data was deleted here on purpose, the same audio is a new matter: the same key makes a new run.
    `InvalidSubmissionError` names every field that is wrong; then nothing was written.
    """
    issues = _check_times(submission, submission.recorded_local)
    if not is_recording_there(store, submission.recording_id):
        issues.append(FieldIssue("recording_id", "this recording is not in the workspace (any more)"))
    checked = {name: check_rating(name, value) for name, value in submission.ratings.items()}
    issues += [FieldIssue(f"ratings.{name}", problem) for name, problem in checked.items() if problem]
    return _submit(
        store,
        submission,
        issues,
        kind=RunKind.UPLOAD,
        recording_id=submission.recording_id,
        recorded_local=_to_text(submission.recorded_local),
        quality_override=submission.quality_override,
        ratings=dict(submission.ratings),
    )


def submit_activity(store: Store, submission: ActivitySubmission) -> int:
    """Queue the creation of a hosted activity and return the run's id; its link comes once the worker made it."""
    return _submit(
        store,
        submission,
        _check_times(submission, None),
        kind=RunKind.ACTIVITY,
        activity_type=submission.activity_type,
    )


def repeat_run(store: Store, run_id: int, *, submission_key: str) -> int:
    """Submit a final run once more, as a new run linked to it, with the participant's details as they are now.

    `RunStateError` while the run is still under way, `RecordingMissingError` when its recording is gone.
    """
    detail = _load_detail(store, run_id)
    run = detail.run
    if run.state not in FINAL_STATES:
        raise RunStateError(run_id, run.state, "only a run that has ended can be repeated")
    if run.kind == RunKind.UPLOAD and not is_recording_there(store, run.recording_id):
        raise RecordingMissingError(run_id, run.recording_id)
    participant = detail.participant
    new = copy_run(
        run,
        detail.tags,
        ratings=ground.load_ratings(store, run_id),
        submission_key=submission_key,
        date_of_birth=participant.date_of_birth,
        birth_sex=participant.birth_sex,
        language=participant.language,
        accent=participant.accent,
    )
    build_request(new, label=participant.label, tags=detail.tags)
    return ground.add_run(store, new)


def copy_run(
    run: Run,
    tags: Mapping[str, str],
    *,
    submission_key: str,
    ratings: Mapping[str, float] | None = None,
    **changes: str | None,
) -> NewRun:
    """A new run like `run`, linked to it; `changes` replaces fields (demographics, `next_step_utc`)."""
    fields = {
        "date_of_birth": run.date_of_birth,
        "birth_sex": run.birth_sex,
        "language": run.language,
        "accent": run.accent,
        **changes,
    }
    return NewRun(
        submission_key=submission_key,
        kind=run.kind,
        participant_id=run.participant_id,
        recording_id=run.recording_id,
        asleep_local=run.asleep_local,
        awake_local=run.awake_local,
        recorded_local=run.recorded_local,
        session_local=run.session_local,
        tags=tags,
        ratings=ratings or {},
        delete_data=run.delete_data,
        data_to_delete=run.data_to_delete,
        activity_type=run.activity_type,
        quality_override=run.quality_override,
        repeats_run_id=run.id,
        **fields,  # type: ignore[arg-type]  # the names above and NewRun's own
    )


def request_refetch(store: Store, run_id: int) -> None:
    """Have the worker ask thymia for this run once more, at its next look.

    A run that is under way is simply asked about at once. `RunStateError` when thymia never had the run,
    `RunPurgedError` when its data was deleted here: nothing may bring that back.
    """
    run = _load_run(store, run_id)
    if run.purged_utc is not None and not run.data_to_delete:
        raise RunPurgedError(run_id)
    if run.thymia_id is None:
        raise RunStateError(run_id, run.state, "thymia has no such run, so there is nothing to fetch")
    changes = {"next_step_utc": to_utc_text(datetime.now(UTC)), "attempts": 0, "last_problem": None}
    if not ground.advance_run(store, run_id, expect={run.state}, state=run.state, changes=changes):
        request_refetch(store, run_id)


def delete_run_locally(store: Store, run_id: int) -> Path | None:
    """Delete a run with its results, answers and events here; nothing changes at thymia.

    Returns the recording's path if no other run needed it and the file was removed too. A run that is gone already
    is no error.
    """
    return ground.delete_run(store, run_id)


def dismiss_attention(store: Store, run_id: int) -> None:
    """Take a run off the list of what needs attention; its state stays."""
    run = _load_run(store, run_id)
    if not ground.advance_run(
        store, run_id, expect={run.state}, state=run.state, changes={"needs_attention": False}
    ):
        dismiss_attention(store, run_id)


def is_recording_there(store: Store, recording_id: str | None) -> bool:
    """Whether a run's recording can be sent: it is known, was not deleted, and its file exists."""
    return find_recording(store, recording_id) is not None


def find_recording(store: Store, recording_id: str | None) -> Recording | None:
    """The recording if it can be sent, else None."""
    try:
        recording = ground.load_recording(store, recording_id or "")
    except UnknownRecordError:
        return None
    there = recording.purged_utc is None and ground.recording_path(store, recording).is_file()
    return recording if there else None


def _submit(store: Store, submission: _Submission, issues: list[FieldIssue], **fields: object) -> int:
    try:
        participant = ground.load_participant(store, submission.participant_id)
    except UnknownRecordError:
        issues.append(FieldIssue("participant_id", "there is no such participant in this workspace"))
        raise InvalidSubmissionError(issues) from None
    new = NewRun(
        submission_key=_distinguish_key(store, submission.submission_key, fields.get("recording_id")),
        participant_id=participant.id,
        date_of_birth=participant.date_of_birth,
        birth_sex=participant.birth_sex,
        language=participant.language,
        accent=participant.accent,
        asleep_local=_to_text(submission.asleep_local),
        awake_local=_to_text(submission.awake_local),
        tags=dict(submission.tags),
        delete_data=submission.delete_data,
        data_to_delete=tuple(submission.data_to_delete) if submission.data_to_delete else None,
        **fields,  # type: ignore[arg-type]  # the few fields in which the two kinds differ
    )
    try:
        build_request(new, label=participant.label, tags=new.tags)
    except InvalidSubmissionError as error:
        issues.extend(error.issues)
    if not submission.submission_key:
        issues.append(FieldIssue("submission_key", "must not be empty"))
    if issues:
        raise InvalidSubmissionError(issues)
    return ground.add_run(store, new)


def _distinguish_key(store: Store, key: str, recording_id: object) -> str:
    """Form keys are made from the recording: one that was purged and came back would end in its old, empty run."""
    sql = "SELECT count(*) FROM runs WHERE recording_id = ? AND purged_utc IS NOT NULL"
    with store.read() as db:
        (n_purged,) = db.conn.execute(sql, (recording_id,)).fetchone()
    return f"{key}#{n_purged}" if n_purged else key


def _check_times(submission: _Submission, recorded_local: datetime | None) -> list[FieldIssue]:
    named = {
        "asleep_local": submission.asleep_local,
        "awake_local": submission.awake_local,
        "recorded_local": recorded_local,
    }
    issues = [
        FieldIssue(name, "must be the participant's local time without a time zone")
        for name, moment in named.items()
        if moment is not None and moment.tzinfo is not None
    ]
    if issues:
        return issues
    given = [(name, moment) for name, moment in named.items() if moment is not None]
    return [
        FieldIssue(later[0], f"must come after {earlier[0]}")
        for earlier, later in pairwise(given)
        if later[1] <= earlier[1]
    ]


def _to_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _load_run(store: Store, run_id: int) -> Run:
    try:
        return ground.load_run(store, run_id)
    except UnknownRecordError:
        raise UnknownRunError(run_id) from None


def _load_detail(store: Store, run_id: int) -> RunDetail:
    try:
        return ground.load_run_detail(store, run_id)
    except UnknownRecordError:
        raise UnknownRunError(run_id) from None
