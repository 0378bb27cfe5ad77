"""The form of what people are told when something is in their way."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Advice", "Notice"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, in one sentence, and what to do now, in another."""

    what: str
    action: str

    @property
    def text(self) -> str:
        return f"{self.what} {self.action}".strip()


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for the head of every page; `severe` when work stands still until somebody acts."""

    text: str
    severe: bool
