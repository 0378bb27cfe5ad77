"""What all models share: names in camelCase on the wire, immutability, and refusals that name the field.

Requests are strict: every documented limit is checked when the object is made, and `InvalidInputError` names the
field. Responses are tolerant: unknown fields are kept (`model_extra`), and `body` is the answer's text as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError
from pydantic.alias_generators import to_camel

from thymia_api._value_errors import InputIssue, InvalidInputError, UnreadableResponseError

_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


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
