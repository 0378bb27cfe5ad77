"""The root of the tree in `_exceptions`, and the errors about values: what is not sent, what cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["InputIssue", "InvalidInputError", "ThymiaError", "UnreadableResponseError"]


def _rebuild(kind: type[ThymiaError], message: str, evidence: dict[str, Any]) -> ThymiaError:
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(evidence)
    return error


class ThymiaError(Exception):
    """Root of the tree; can be pickled with its evidence, so that it crosses process borders."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self.__dict__)


@dataclass(frozen=True, slots=True)
class InputIssue:
    """One refused value: the dotted path of its field (`user.user_label`, `tags.0.name`) and what is wrong."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class InvalidInputError(ThymiaError, ValueError):
    """A value the API would refuse; nothing has been sent. The message names every field."""

    def __init__(self, issues: Iterable[InputIssue]) -> None:
        self.issues = tuple(issues)
        super().__init__("; ".join(str(issue) for issue in self.issues))


class UnreadableResponseError(ThymiaError):
    """A successful answer whose body is not what the contract promises; `body` is kept as it came.

    After a create this means that a run may exist whose id is unknown. Such a run never executes.
    """

    def __init__(self, message: str, *, body: str, status: int | None = None) -> None:
        self.body = body
        self.status = status
        super().__init__(message)
