"""Events of one participant and of the whole study: dated, typed, and checked before they are kept."""

from __future__ import annotations

import pytest

from heliograph.store import (
    ConstraintError,
    Store,
    add_event,
    delete_event,
    load_event_kinds,
    load_events,
    save_participant,
)

PERSON = {"date_of_birth": "1980-01-01", "birth_sex": "FEMALE", "language": "en-GB"}


def test_a_participant_sees_their_own_events_and_the_studys_by_date(store: Store) -> None:
    first, second = (save_participant(store, label=label, **PERSON) for label in ("P-1", "P-2"))
    late = add_event(store, participant_id=first, on_local="2026-03-02", kind="medication", note=" 20 mg ")
    everybody = add_event(store, participant_id=None, on_local="2026-03-01T08:00:00", kind="exam")
    early = add_event(store, participant_id=first, on_local="2026-03-01", kind="shift change")
    other = add_event(store, participant_id=second, on_local="2026-01-01", kind="exam")
    assert [event.id for event in load_events(store, first)] == [early, everybody, late]
    assert [event.id for event in load_events(store, second)] == [other, everybody]
    assert [event.id for event in load_events(store, None)] == [everybody]
    event = load_events(store, first)[-1]
    assert (event.participant_id, event.on_local, event.kind, event.note) == (
        first,
        "2026-03-02",
        "medication",
        "20 mg",
    )
    assert load_event_kinds(store) == ["exam", "medication", "shift change"]


def test_a_deleted_event_is_gone_and_deleting_it_again_says_so(store: Store) -> None:
    event_id = add_event(store, participant_id=None, on_local="2026-03-01", kind="exam")
    assert delete_event(store, event_id)
    assert not delete_event(store, event_id)
    assert (load_events(store, None), load_event_kinds(store)) == ([], [])


@pytest.mark.parametrize("on_local", ["", "soon", "2026-02-30", "2026-3-1", "2026-03-01T08:00:00Z", "20260301"])
def test_an_event_on_no_day_is_refused(store: Store, on_local: str) -> None:
    with pytest.raises(ValueError, match="neither a day"):
        add_event(store, participant_id=None, on_local=on_local, kind="exam")
    assert load_events(store, None) == []


def test_an_event_without_a_kind_or_of_nobody_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="needs a kind"):
        add_event(store, participant_id=None, on_local="2026-03-01", kind=" ")
    with pytest.raises(ConstraintError):
        add_event(store, participant_id=99, on_local="2026-03-01", kind="exam")
