"""The makings of a run."""

from __future__ import annotations

from typing import Any

from heliograph.store import NewRun, RunKind, Store, save_participant


def build_new_run(store: Store, key: str, *, label: str = "P-1", **fields: Any) -> NewRun:
    """A run of the participant `label`, who is saved on the way."""
    person = {"date_of_birth": "1980-01-01", "birth_sex": "FEMALE", "language": "en-GB"}
    participant_id = save_participant(store, label=label, **person)
    defaults = {"kind": RunKind.UPLOAD, "participant_id": participant_id, "submission_key": key} | person
    return NewRun(**(defaults | fields))
