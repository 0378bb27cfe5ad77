"""What an answer of thymia about a run means for the run here: pure, from the answer to the columns to store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from heliograph.runs.options import WorkerOptions
from heliograph.runs.schedule import (
    UPLOAD_URL_LIFETIME_S,
    compute_deletion_due,
    compute_deletion_poll_delay_s,
    compute_poll_delay_s,
    format_later,
)
from heliograph.store import SCORE_COLUMNS, Run, RunState, Section, from_utc_text, to_utc_text
from thymia_api import ModelRun, RunStatus

MAX_WARNINGS, MAX_WARNING_CHARS = 100, 500
"""So many warnings of a run become columns; the answer itself is kept whole beside them."""

_CREDIBLE_BEFORE, _CREDIBLE_AFTER = timedelta(days=1), timedelta(days=36_525)

COMPLETE_STATES = frozenset({RunState.COMPLETE_OK, RunState.COMPLETE_ERROR})

ColumnValue = str | int | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Observation:
    """The state a run is in after an answer, the columns that change, and its sections (None: leave them)."""

    state: RunState
    changes: dict[str, ColumnValue]
    sections: tuple[Section, ...] | None = None
    detail: str | None = None


def is_usable(run: Run, answer: ModelRun) -> bool:
    """Whether an answer can be taken at its word: it is about this run, and a complete one has its results."""
    return answer.id.lower() == (run.thymia_id or "").lower() and not (
        answer.status == RunStatus.COMPLETE_OK and (answer.results is None or not answer.results.sections)
    )


def compute_observation(run: Run, answer: ModelRun, *, now_utc: datetime, options: WorkerOptions) -> Observation:
    """What a usable answer means for a run in any state but queued.

    A status that is not known leaves the run where it is, is kept verbatim, and is asked about again slowly.
    """
    changes: dict[str, ColumnValue] = {
        "thymia_status": str(answer.status),
        "attempts": 0,
        "last_problem": None,
    }
    if answer.created_at is not None:
        changes["created_utc"] = to_utc_text(answer.created_at)
    if answer.run_at is not None:
        changes["run_utc"] = to_utc_text(answer.run_at)
    if answer.status in (RunStatus.COMPLETE_OK, RunStatus.COMPLETE_ERROR):
        return _observe_completion(run, answer, changes, now_utc=now_utc, options=options)
    if run.state in COMPLETE_STATES:  # a refetch that makes no sense: what is here stays
        changes["last_problem"] = f"thymia now reports {answer.status} for this complete run"
        changes["next_step_utc"] = compute_final_step(run, run.deletion_due_utc, now_utc=now_utc, options=options)
        return Observation(run.state, changes)
    if answer.status == RunStatus.CREATED and run.state == RunState.FAILED:
        changes["next_step_utc"] = None
        return Observation(RunState.FAILED, changes)
    state = run.state if answer.status == RunStatus.CREATED else _move_on(run, answer)
    changes |= {"failure": None, "failure_detail": None}
    age_s = _compute_age_s(run, answer, now_utc)
    if state == RunState.RUNNING and answer.status == RunStatus.CREATED and age_s > UPLOAD_URL_LIFETIME_S:
        changes["last_problem"] = "thymia took the recording over an hour ago and has not begun"
        changes["needs_attention"] = True
    delay_s = compute_poll_delay_s(
        age_s,
        poll_s=options.poll_s,
        waiting=state == RunState.WAITING,
        unknown_status=not answer.has_known_status,
    )
    changes["next_step_utc"] = format_later(now_utc, delay_s)
    detail = (
        None if answer.has_known_status else f"thymia reports a status this version does not know: {answer.status}"
    )
    return Observation(state, changes, detail=detail if run.thymia_status != str(answer.status) else None)


def compute_final_step(
    run: Run, deletion_due_utc: str | None, *, now_utc: datetime, options: WorkerOptions
) -> str | None:
    """When a complete run is looked at again: at its deletion deadline, then until thymia says it is gone.

    With recordings only, thymia keeps answering, so once the deadline was dealt with there is nothing more to ask.
    """
    if deletion_due_utc is None:
        return None
    due_utc = from_utc_text(deletion_due_utc)
    if now_utc < due_utc:
        return deletion_due_utc
    if run.data_to_delete:
        return None
    overdue_s = (now_utc - due_utc).total_seconds()
    return format_later(now_utc, compute_deletion_poll_delay_s(overdue_s, poll_s=options.poll_s))


def _move_on(run: Run, answer: ModelRun) -> RunState:
    if answer.status == RunStatus.RUNNING:
        return RunState.RUNNING
    # An unknown status: an activity may still be waiting, an upload has arrived in some form.
    return RunState.WAITING if run.state == RunState.WAITING else RunState.RUNNING


def _compute_age_s(run: Run, answer: ModelRun, now_utc: datetime) -> float:
    begun = [moment for moment in (answer.created_at, answer.run_at) if moment is not None]
    if not begun:
        begun = [from_utc_text(run.created_utc or run.queued_utc)]
    return (now_utc - max(begun)).total_seconds()


def _observe_completion(
    run: Run,
    answer: ModelRun,
    changes: dict[str, ColumnValue],
    *,
    now_utc: datetime,
    options: WorkerOptions,
) -> Observation:
    completed_utc = _read_completion(run, answer, now_utc)
    deletion_due_utc = to_utc_text(compute_deletion_due(completed_utc)) if run.delete_data else None
    changes |= {
        "completed_utc": to_utc_text(completed_utc),
        "deletion_due_utc": deletion_due_utc,
        "deleted_at_thymia_utc": None,
        "warnings": tuple(text[:MAX_WARNING_CHARS] for text in (answer.warnings or ())[:MAX_WARNINGS]),
        "error_code": None if answer.error_code is None else str(answer.error_code),
        "error_reason": answer.error_reason,
        "failure": None,
        "failure_detail": None,
        "upload_url": None,
        "next_step_utc": compute_final_step(run, deletion_due_utc, now_utc=now_utc, options=options),
    }
    if answer.status == RunStatus.COMPLETE_ERROR:
        if run.state != RunState.COMPLETE_ERROR:
            changes["needs_attention"] = True
        return Observation(RunState.COMPLETE_ERROR, changes, sections=(), detail=None)
    if run.state not in COMPLETE_STATES:
        changes["needs_attention"] = False
    return Observation(RunState.COMPLETE_OK, changes, sections=read_sections(answer))


def _read_completion(run: Run, answer: ModelRun, now_utc: datetime) -> datetime:
    """When the run was complete; the deletion deadline follows from it, so an incredible time is left out."""
    queued_utc = from_utc_text(run.queued_utc)
    if answer.completed_at and queued_utc - _CREDIBLE_BEFORE < answer.completed_at < now_utc + _CREDIBLE_AFTER:
        return answer.completed_at
    return from_utc_text(run.completed_utc) if run.completed_utc else now_utc


def read_sections(answer: ModelRun) -> tuple[Section, ...]:
    """The sections of a complete answer as the store keeps them: spans in seconds, scores in [0, 1]."""
    if answer.results is None:
        return ()
    return tuple(
        Section(
            section=number,
            start_s=section.start_secs,
            finish_s=section.finish_secs,
            transcript=section.transcript,
            **{name: section.scores[name] for name in SCORE_COLUMNS},
        )
        for number, section in enumerate(answer.results.sections)
    )
