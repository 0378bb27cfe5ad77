"""The simulated pilot holds what it promises, and the same twice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from heliograph.store import (
    SCORE_COLUMNS,
    Store,
    load_cohort_cells,
    load_events,
    load_participant_changes,
    load_questionnaire_sources,
    load_rating_scales,
    load_trend,
)
from tests.pilot import CORRECTED, DRIFTING, NEW_MICROPHONE, fill_pilot

UNTIL = date(2026, 3, 1)


@pytest.fixture(scope="module")
def pilot(tmp_path_factory) -> tuple[Store, list[int]]:
    with Store.open(tmp_path_factory.mktemp("pilot") / "sandbox", workspace="sandbox", synthetic=True) as store:
        yield store, fill_pilot(store, until=UNTIL)


def test_everybody_records_several_times_a_week_up_to_the_day_before(pilot):
    store, people = pilot
    frames = [load_trend(store, person) for person in people]
    assert len(people) == 12
    assert all(20 <= len(frame) <= 60 for frame in frames)
    days = pd.concat(frames)["session_local"]
    assert days.min() >= pd.Timestamp("2026-01-04")
    assert days.max() < pd.Timestamp(UNTIL)
    assert {"complete_ok", "complete_error"} <= set(pd.concat(frames)["state"])


def test_the_same_seed_and_day_give_the_same_scores(pilot, tmp_path: Path):
    store, people = pilot
    with Store.open(tmp_path / "sandbox", workspace="sandbox", synthetic=True) as other:
        again = fill_pilot(other, until=UNTIL)
        for first, second in zip(people, again, strict=True):
            scores = [
                load_trend(each, who)[list(SCORE_COLUMNS)] for each, who in ((store, first), (other, second))
            ]
            pd.testing.assert_frame_equal(*scores)


def test_what_is_there_to_be_found_is_there(pilot):
    """The drift, the microphone, the correction; arms and self-report; notes of one and of all."""
    store, people = pilot
    drifting = load_trend(store, people[DRIFTING])["mental_strain"].dropna()
    assert drifting.iloc[-8:].mean() > drifting.iloc[:8].mean() + 2 * drifting.iloc[:8].std() / 8**0.5
    microphone = load_trend(store, people[NEW_MICROPHONE])
    assert list(microphone["source"].unique()) == ["webrtc", "builtin"]
    assert microphone["bandwidth_hz"].min() < 4500 < 9000 < microphone["bandwidth_hz"].max()
    (change,) = load_participant_changes(store, people[CORRECTED])
    assert change.column == "date_of_birth"
    assert set(load_cohort_cells(store, group="tag:arm")["group"]) == {"A", "B"}
    assert set(load_cohort_cells(store, group="tag:shift")["group"]) == {"day", "night"}
    assert load_rating_scales(store) == ["energy_0_10", "kss", "stress_0_10"]
    assert list(load_questionnaire_sources(store).values()) == [12 * 2 * 3]
    assert {event.kind for event in load_events(store, people[DRIFTING])} == {"exam", "medication"}
