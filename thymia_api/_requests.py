"""One pydantic model for every schema that is sent; every documented limit is checked when the object is made."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from thymia_api._model_bases import RequestModel
from thymia_api._vocabulary import Accent, BirthSex, DataType, LanguageCode

__all__ = ["ActivityRunCreate", "Tag", "UploadRunCreate", "User"]

MAX_LABEL_CHARS = 50
MAX_TAGS = 20
MAX_TAG_NAME_CHARS = 40
MAX_TAG_VALUE_CHARS = 100

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
