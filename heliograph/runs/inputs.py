"""A stored or planned run as the request thymia gets, and the check of it against every documented limit."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.runs._exceptions import FieldIssue, InvalidSubmissionError
from heliograph.store import NewRun, Run, RunKind
from thymia_api import ActivityRunCreate, InvalidInputError, UploadRunCreate

# The API's names of fields, and the names under which people and the store know them.
_FIELD_NAMES = {
    "user": "participant",
    "user.user_label": "label",
    "user.date_of_birth": "date_of_birth",
    "user.birth_sex": "birth_sex",
    "sleep_time": "asleep_local",
    "wake_time": "awake_local",
    "recording_time": "recorded_local",
}


def build_request(
    run: NewRun | Run, *, label: str, tags: Mapping[str, str]
) -> UploadRunCreate | ActivityRunCreate:
    """The create request of a run; `InvalidSubmissionError` names every field that breaks a limit."""
    fields: dict[str, object] = {
        "user": {"user_label": label, "date_of_birth": run.date_of_birth, "birth_sex": run.birth_sex},
        "language": run.language,
        "delete_data": run.delete_data,
    }
    optional = {
        "accent": run.accent,
        "sleep_time": run.asleep_local,
        "wake_time": run.awake_local,
        "tags": [{"name": name, "value": value} for name, value in tags.items()],
        "data_to_delete": run.data_to_delete,
    }
    if run.kind == RunKind.UPLOAD:
        optional["recording_time"] = run.recorded_local
    else:
        optional["activity_type"] = run.activity_type
    fields.update({name: value for name, value in optional.items() if value})
    model = UploadRunCreate if run.kind == RunKind.UPLOAD else ActivityRunCreate
    issues: list[FieldIssue] = []
    try:
        return model(**fields)
    except InvalidInputError as error:
        issues = [FieldIssue(_FIELD_NAMES.get(issue.field, issue.field), issue.problem) for issue in error.issues]
    raise InvalidSubmissionError(issues)
