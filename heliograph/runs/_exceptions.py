"""What can go wrong when a run is submitted or changed by hand.

RunsError
├── InvalidSubmissionError (ValueError)   .issues: what is wrong, field by field; nothing was written
├── UnknownRunError (LookupError)         .run_id
├── RunStateError                         .run_id, .state: the run is not in a state that allows this
├── RunPurgedError                        .run_id: the run's data was deleted here on purpose
└── RecordingMissingError                 .run_id, .recording_id: the recording is no longer in this workspace

What thymia answers is never an exception here: it becomes a state, a failure reason or a postponed step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldIssue:
    """One thing that is wrong with a submission: the field's name in snake_case, and why it was refused."""

    field: str
    message: str


class RunsError(Exception):
    """Root of this package's errors."""


class InvalidSubmissionError(RunsError, ValueError):
    """The submission breaks a documented limit; nothing was written."""

    def __init__(self, issues: Sequence[FieldIssue]) -> None:
        self.issues = tuple(issues)
        super().__init__("; ".join(f"{issue.field}: {issue.message}" for issue in self.issues))


class UnknownRunError(RunsError, LookupError):
    """There is no such run in this workspace (any more)."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        super().__init__(f"run {run_id} is not in this workspace")


class RunStateError(RunsError):
    """The run's state does not allow what was asked for."""

    def __init__(self, run_id: int, state: str, message: str) -> None:
        self.run_id = run_id
        self.state = state
        super().__init__(f"run {run_id} is {state}: {message}")


class RunPurgedError(RunsError):
    """The run's data was deleted in this workspace, and may not be brought back."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        super().__init__(f"the data of run {run_id} was deleted in this workspace")


class RecordingMissingError(RunsError):
    """The run's recording is no longer in this workspace."""

    def __init__(self, run_id: int, recording_id: str | None) -> None:
        self.run_id = run_id
        self.recording_id = recording_id
        super().__init__(f"the recording of run {run_id} is no longer in this workspace")
