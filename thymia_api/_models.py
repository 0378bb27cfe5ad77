"""One pydantic model for every schema of the contract; the only place where wire names (camelCase) are known.

Requests are strict: every documented limit is checked when the object is made, and `InvalidInputError` names the
field. Responses are tolerant: unknown fields are kept (`model_extra`), unknown enum values stay plain strings, and
`body` is the answer's text as it came. All models are immutable. Texts that give access or are personal (links,
transcripts) are not part of a `repr`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    StrictBool,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from thymia_api._biomarkers import SCORE_FIELDS
from thymia_api._config import check_run_id, parse_url
from thymia_api._exceptions import InputIssue, InvalidInputError, UnreadableResponseError

__all__ = [
    "Accent",
    "Account",
    "ActivityRunCreate",
    "ActivityRunCreated",
    "BirthSex",
    "DataType",
    "ErrorCode",
    "HTTPValidationError",
    "LanguageCode",
    "ModelRun",
    "Results",
    "RunStatus",
    "Score",
    "Section",
    "Tag",
    "UploadRunCreate",
    "UploadRunCreated",
    "User",
    "ValidationIssue",
]

MAX_LABEL_CHARS = 50
MAX_TAGS = 20
MAX_TAG_NAME_CHARS = 40
MAX_TAG_VALUE_CHARS = 100


class BirthSex(StrEnum):
    """Sex assigned at birth."""

    MALE = "MALE"
    FEMALE = "FEMALE"
    INTERSEX = "INTERSEX"
    UNKNOWN = "UNKNOWN"


class LanguageCode(StrEnum):
    """The language spoken in the recording (BCP 47)."""

    EN = "en"
    EN_AU = "en-AU"
    EN_GB = "en-GB"
    EN_IE = "en-IE"
    EN_IN = "en-IN"
    EN_US = "en-US"
    EN_ZA = "en-ZA"
    ES_ES = "es-ES"
    ES_US = "es-US"
    ID_ID = "id-ID"
    JA_JP = "ja-JP"


class Accent(StrEnum):
    """An accent in addition to the language."""

    ID = "ID"
    NG = "NG"
    KE = "KE"


class DataType(StrEnum):
    """What can be deleted by itself after a run."""

    RECORDINGS = "RECORDINGS"


class RunStatus(StrEnum):
    """States of a run at thymia."""

    CREATED = "CREATED"
    RUNNING = "RUNNING"
    COMPLETE_OK = "COMPLETE_OK"
    COMPLETE_ERROR = "COMPLETE_ERROR"


class ErrorCode(StrEnum):
    """Why a run ended in `COMPLETE_ERROR`."""

    RECORDING_INVALID_FORMAT = "ERR_RECORDING_INVALID_FORMAT"
    RECORDING_TOO_SHORT = "ERR_RECORDING_TOO_SHORT"
    RECORDING_TOO_LONG = "ERR_RECORDING_TOO_LONG"
    TRANSCRIPTION_FAILED = "ERR_TRANSCRIPTION_FAILED"
    INTERNAL = "ERR_INTERNAL"


# --- what is sent ---

_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _refuse_non_time(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _LOCAL_TIME.fullmatch(value)):
        return value
    raise ValueError("must be a datetime, or text such as 2026-11-21T23:10:00")


def _refuse_time_zone(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise ValueError("must be the participant's local time without a time zone")
    return value


def _refuse_non_date(value: object) -> object:
    is_date = isinstance(value, date) and not isinstance(value, datetime)
    if is_date or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise ValueError("must be a date, or text such as 1990-08-24 (01 for an unknown month or day)")


LocalTime = Annotated[
    datetime,
    BeforeValidator(_refuse_non_time),
    AfterValidator(_refuse_time_zone),
    PlainSerializer(lambda value: value.isoformat(timespec="seconds"), return_type=str, when_used="json"),
]
CalendarDate = Annotated[date, BeforeValidator(_refuse_non_date)]


def _describe_field(loc: Iterable[int | str]) -> str:
    return ".".join(_CAMEL_HUMP.sub(lambda hump: "_" + hump[1].lower(), str(part)) for part in loc)


def _collect_input_issues(error: ValidationError, *, whole: str) -> list[InputIssue]:
    return [
        InputIssue(_describe_field(item["loc"]) or whole, item["msg"].removeprefix("Value error, "))
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


class RequestModel(BaseModel):
    """Base of what is sent: immutable, unknown fields refused, refusals raised as `InvalidInputError`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    def __init__(self, /, **data: Any) -> None:
        issues: list[InputIssue] = []
        try:
            super().__init__(**data)
        except ValidationError as error:
            issues = _collect_input_issues(error, whole="request")
        if issues:
            raise InvalidInputError(issues)

    # Tells pydantic that nested objects need not be built through __init__, so that paths of fields stay whole.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object under its wire names; what was not set, is None or is empty is left out."""
        wire = self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        return {name: value for name, value in wire.items() if value != []}


class User(RequestModel):
    """Whom the recording is of; all three fields choose the population that scores are benchmarked against.

    The same label is taken to be the same individual; it must not be a name or another personal identifier.
    """

    user_label: str = Field(min_length=1, max_length=MAX_LABEL_CHARS)
    date_of_birth: CalendarDate
    birth_sex: BirthSex


class Tag(RequestModel):
    """A name and a value to find a run by later."""

    name: str = Field(max_length=MAX_TAG_NAME_CHARS)
    value: str = Field(max_length=MAX_TAG_VALUE_CHARS)


class RunCreate(RequestModel):
    """What both kinds of run have in common. Times are the participant's local time, naive, whole seconds.

    `delete_data` alone has thymia delete everything 12 h after completion; with `data_to_delete` only those.
    """

    user: User
    language: LanguageCode
    accent: Accent | None = None
    sleep_time: LocalTime | None = None
    wake_time: LocalTime | None = None
    tags: tuple[Tag, ...] = Field(default=(), max_length=MAX_TAGS)
    delete_data: StrictBool = False
    data_to_delete: tuple[DataType, ...] | None = None

    @field_validator("tags")
    @classmethod
    def _refuse_equal_names(cls, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
        counts = Counter(tag.name for tag in tags)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"names must be unique within a run; given more than once: {twice}")
        return tags

    @field_validator("data_to_delete")
    @classmethod
    def _refuse_without_effect(
        cls, data_types: tuple[DataType, ...] | None, info: ValidationInfo
    ) -> tuple[DataType, ...] | None:
        if data_types and info.data.get("delete_data") is False:
            raise ValueError("has no effect at thymia unless delete_data is True")
        return data_types


class UploadRunCreate(RunCreate):
    """A run on a recording that is uploaded afterwards."""

    recording_time: LocalTime | None = None


class ActivityRunCreate(RunCreate):
    """A run whose recording a hosted activity captures: the service's default one without `activity_type`."""

    activity_type: str | None = None


# --- what is received ---


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


class ResponseModel(BaseModel):
    """Base of what is received: immutable, unknown fields kept in `model_extra`."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="allow",
        frozen=True,
        hide_input_in_errors=True,
    )

    _body: str = PrivateAttr(default="")

    @property
    def body(self) -> str:
        """The answer's text, verbatim; empty for an object that was not read from an answer."""
        return self._body

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        known = type(self).model_fields
        return [(name, value) for name, value in super().__repr_args__() if name in known]

    @classmethod
    def from_body(cls, body: str) -> Self:
        """Read an answer's text and keep it; `UnreadableResponseError` names what is missing or wrong."""
        reason = ""
        try:
            answer = cls.model_validate_json(body)
        except ValidationError as error:
            reason = "; ".join(str(issue) for issue in _collect_input_issues(error, whole="body")[:5])
        if reason:
            raise UnreadableResponseError(f"{cls.__name__} cannot be read: {reason}", body=body)
        answer._body = body
        return answer

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object under its wire names, unknown fields included."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


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
