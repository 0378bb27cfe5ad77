"""Rows of the sandbox's state as typed values, and what a run looks like on the wire at a given second."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thymia_api.sandbox.clock import format_utc

COMPLETE_OK = "COMPLETE_OK"
COMPLETE_ERROR = "COMPLETE_ERROR"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out of a run: results and warnings, or an error code and its reason."""

    status: str
    error_code: str | None = None
    error_reason: str | None = None
    warnings: list[str] = field(default_factory=list)
    results: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run as it is stored. Fields named `_s` are seconds since the epoch on the sandbox's clock."""

    id: str
    kind: str
    user_label: str
    request: Mapping[str, Any]
    delete_data: bool
    recordings_only: bool
    activity_token: str | None
    activity_expires_s: float | None
    created_s: float
    run_s: float | None
    completed_s: float | None
    recording_name: str | None
    recording_sha256: str | None
    recording_bytes: int | None
    status: str | None
    error_code: str | None
    error_reason: str | None
    warnings: list[str] | None
    results: Mapping[str, Any] | None
    deletion_due_s: float | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> RunRow:
        """The value of one row of the table `runs`."""
        values = dict(row)
        for name in ("request", "warnings", "results"):
            values[name] = json.loads(values[name]) if values[name] is not None else None
        for name in ("delete_data", "recordings_only"):
            values[name] = bool(values[name])
        return cls(**values)

    def status_at(self, now_s: float) -> str:
        """Status as callers see it: an outcome shows only once its processing time has passed."""
        if self.run_s is None:
            return "CREATED"
        if self.status is None or self.completed_s is None or now_s < self.completed_s:
            return "RUNNING"
        return self.status

    def is_erased(self, now_s: float) -> bool:
        """Whether everything of this run is to be deleted and the time for it has come."""
        return not self.recordings_only and self.deletion_due_s is not None and now_s >= self.deletion_due_s

    def to_wire(self, now_s: float) -> dict[str, Any]:
        """The run as `GET /v1/models/mental-wellness/{id}` answers it."""
        status = self.status_at(now_s)
        is_complete = status in {COMPLETE_OK, COMPLETE_ERROR}
        return {
            "id": self.id,
            "createdAt": format_utc(self.created_s),
            "status": status,
            "userLabel": self.user_label,
            "deleteData": self.delete_data,
            "runAt": format_utc(self.run_s) if self.run_s is not None else None,
            "completedAt": format_utc(self.completed_s) if is_complete and self.completed_s else None,
            "errorCode": self.error_code if is_complete else None,
            "errorReason": self.error_reason if is_complete else None,
            "warnings": self.warnings if is_complete else None,
            "results": self.results if is_complete else None,
        }
