"""One pydantic model for every schema that is received.

Unknown fields are kept and unknown enum values stay plain strings. Texts that give access or are personal (links,
transcripts) are not part of a `repr`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from thymia_api._biomarkers import SCORE_FIELDS
from thymia_api._config import check_run_id, parse_url
from thymia_api._model_bases import ResponseModel
from thymia_api._vocabulary import ErrorCode, RunStatus

__all__ = [
    "Account",
    "ActivityRunCreated",
    "HTTPValidationError",
    "ModelRun",
    "Results",
    "Score",
    "Section",
    "UploadRunCreated",
    "ValidationIssue",
]


def _to_utc(value: object) -> datetime | None:
    """Return an API time in UTC (a missing zone means UTC); None for what cannot be read: `body` still has it."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return None


UtcTime = Annotated[datetime | None, BeforeValidator(_to_utc)]


def _refuse_unusable_id(value: str) -> str:
    return check_run_id(value)


def _refuse_unusable_url(value: str) -> str:
    parse_url("address", value)
    if not value.isprintable() or " " in value:
        raise ValueError("must be an address without spaces and line breaks")
    return value


# A new run's id and address are of no use unless they can be used: better no run than one that is never found.
NewRunId = Annotated[str, AfterValidator(_refuse_unusable_id)]
GivenUrl = Annotated[str, AfterValidator(_refuse_unusable_url)]
OpenRunStatus = Annotated[RunStatus | str, Field(union_mode="left_to_right")]
OpenErrorCode = Annotated[ErrorCode | str, Field(union_mode="left_to_right")]


class Account(ResponseModel):
    """The account behind the key."""

    id: str
    features: tuple[str, ...]


class UploadRunCreated(ResponseModel):
    """A new run and the pre-signed address for its recording: valid for 1 hour, gives access by itself."""

    id: NewRunId
    recording_upload_url: GivenUrl = Field(repr=False)


class ActivityRunCreated(ResponseModel):
    """A new run and the link under which the participant does the activity."""

    id: NewRunId
    activity_link: GivenUrl = Field(repr=False)


class Score(ResponseModel):
    """One value; documented as within [0, 1], kept as received."""

    value: float = Field(allow_inf_nan=False, json_schema_extra={"minimum": 0, "maximum": 1})


class Section(ResponseModel):
    """A stretch of the recording with its scores; Helios returns one that spans all of it. Times in seconds."""

    start_secs: float = Field(allow_inf_nan=False)
    finish_secs: float = Field(allow_inf_nan=False)
    transcript: str | None = Field(default=None, repr=False)
    mental_strain: Score | None = None
    distress: Score | None = None
    stress: Score | None = None
    exhaustion: Score | None = None
    sleep_propensity: Score | None = None
    low_self_esteem: Score | None = None
    uniform_distress: Score | None = None
    uniform_stress: Score | None = None
    uniform_exhaustion: Score | None = None
    uniform_sleep_propensity: Score | None = None
    uniform_low_self_esteem: Score | None = None

    @property
    def scores(self) -> dict[str, float | None]:
        """All eleven scores by field name, in the order of `SCORE_FIELDS`; None where the service sent none."""
        scores: dict[str, Score | None] = {name: getattr(self, name) for name in SCORE_FIELDS}
        return {name: None if score is None else score.value for name, score in scores.items()}


class Results(ResponseModel):
    """What the model found."""

    sections: tuple[Section, ...]


class ModelRun(ResponseModel):
    """State of a run of either kind. Times are in UTC; one that cannot be read is None and still in `body`."""

    id: str
    status: OpenRunStatus
    created_at: UtcTime = None
    user_label: str | None = None
    delete_data: bool | None = None
    run_at: UtcTime = None
    completed_at: UtcTime = None
    error_code: OpenErrorCode | None = None
    error_reason: str | None = Field(default=None, repr=False)
    warnings: tuple[str, ...] | None = None
    results: Results | None = None

    @property
    def is_final(self) -> bool:
        """Whether polling ends: the status is neither `CREATED` nor `RUNNING`, which is the documented rule.

        An unknown status is final too; `has_known_status` tells it apart.
        """
        return self.status not in (RunStatus.CREATED, RunStatus.RUNNING)

    @property
    def is_ok(self) -> bool:
        """Whether the run completed with results."""
        return self.status == RunStatus.COMPLETE_OK

    @property
    def has_known_status(self) -> bool:
        """Whether the status is one that the contract lists."""
        return isinstance(self.status, RunStatus)


class ValidationIssue(ResponseModel):
    """One entry of a 422 answer."""

    loc: tuple[Annotated[int | str, Field(union_mode="smart")], ...]
    msg: str
    type: str


class HTTPValidationError(ResponseModel):
    """Body of a 422 answer."""

    detail: tuple[ValidationIssue, ...] = ()
