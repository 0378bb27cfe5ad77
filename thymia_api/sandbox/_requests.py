"""What a caller may send, checked as the contract says.

Written apart from the client's own models, so that a wire name wrong in one of them shows as a 422 here.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

_LOCAL_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?")
_WITH_TIMEZONE = re.compile(r".*([Zz]|[+-]\d\d:?\d\d)", re.DOTALL)


def _check_date(text: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is None:
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("date_parsing", "Input should be a valid date: YYYY-MM-DD") from None
    return text


def _check_local_datetime(text: str) -> str:
    if _LOCAL_DATETIME.fullmatch(text) is None or not text.isascii():
        if len(text) > len("YYYY-MM-DD") and _WITH_TIMEZONE.fullmatch(text):
            raise PydanticCustomError("timezone_naive", "Input should not have timezone information")
        raise PydanticCustomError("datetime_parsing", "Input should be a valid datetime without a timezone")
    try:
        parse_local(text)
    except ValueError:
        raise PydanticCustomError("datetime_parsing", "Input should be a valid datetime") from None
    return text


def parse_local(text: str) -> datetime:
    """A local time as the API takes it: ISO 8601, no timezone, fractions of a second cut to microseconds."""
    whole, _, fraction = text.replace("t", "T").replace(" ", "T").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}" if fraction else whole)


_Date = Annotated[StrictStr, AfterValidator(_check_date)]
_LocalDatetime = Annotated[StrictStr, AfterValidator(_check_local_datetime)]
Language = Literal["en", "en-AU", "en-GB", "en-IE", "en-IN", "en-US", "en-ZA", "es-ES", "es-US", "id-ID", "ja-JP"]


# Left out is None, but null is refused: the default is not validated, and the type does not allow None.
_ABSENT: Any = None


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class UserBody(_Body):
    """Whom a run is about."""

    user_label: Annotated[StrictStr, Field(min_length=1, max_length=50)]
    date_of_birth: _Date
    birth_sex: Literal["MALE", "FEMALE", "INTERSEX", "UNKNOWN"]


class TagBody(_Body):
    """One tag of a run."""

    name: Annotated[StrictStr, Field(max_length=40)]
    value: Annotated[StrictStr, Field(max_length=100)]


class RunBody(_Body):
    """What both kinds of run are created from. A field that is left out is None here; null is refused."""

    user: UserBody
    language: Language
    accent: Literal["ID", "NG", "KE"] = _ABSENT
    sleep_time: _LocalDatetime = _ABSENT
    wake_time: _LocalDatetime = _ABSENT
    tags: Annotated[list[TagBody], Field(max_length=20)] = []
    delete_data: StrictBool = False
    data_to_delete: list[Literal["RECORDINGS"]] = []

    @field_validator("tags")
    @classmethod
    def _check_names_unique(cls, tags: list[TagBody]) -> list[TagBody]:
        if len({tag.name for tag in tags}) < len(tags):
            raise PydanticCustomError("tag_names_unique", "Tag names must be unique within a run")
        return tags


class UploadRunBody(RunBody):
    """Body of a new run on an existing recording."""

    recording_time: _LocalDatetime = _ABSENT


class ActivityRunBody(RunBody):
    """Body of a new run whose recording the activity page takes."""

    activity_type: StrictStr = _ABSENT
