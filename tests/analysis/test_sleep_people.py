"""Each participant's sleep in one row, and all of them in one row a measure."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.sleep_people import (
    PEOPLE_MEASURES,
    compute_sleep_people,
    compute_sleep_summary,
    unwrap_clock,
)


def make_rows(*nights: tuple[int, str, str, str]) -> pd.DataFrame:
    columns = ["participant_id", "asleep_local", "awake_local", "session_local"]
    frame = pd.DataFrame(nights, columns=columns)
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in columns[1:]})


def make_regular(person: int, days: int, *, asleep: str = "23:00", awake: str = "07:00") -> list[tuple]:
    first = pd.Timestamp("2026-03-02")
    return [
        (
            person,
            f"{(first + pd.Timedelta(days=day - 1)).date()} {asleep}",
            f"{(first + pd.Timedelta(days=day)).date()} {awake}",
            f"{(first + pd.Timedelta(days=day)).date()} 09:00",
        )
        for day in range(days)
    ]


@pytest.mark.parametrize(
    ("hours", "unwrapped"), [(23.5, -0.5), (0, 0), (17.9, 17.9), (18, -6), (-0.5, -0.5), (27, 3)]
)
def test_clock_hours_around_midnight_and_of_day_sleepers_stay_in_order(hours, unwrapped):
    assert unwrap_clock(hours) == pytest.approx(unwrapped)


def test_the_same_hours_every_day_are_perfectly_regular_sleep():
    people = compute_sleep_people(make_rows(*make_regular(1, 14)))
    row = people.iloc[0]
    assert (row["n_nights"], row["n_runs"], row["n_pairs"]) == (14, 14, 13)
    assert (row["duration_h"], row["mid_sleep_h"], row["hours_awake"]) == (8, 3, 2)
    assert (row["mid_sleep_sd_h"], row["sri"], row["social_jetlag_h"]) == (0, 100, 0)
    assert row["note"] == ""


def test_the_middle_of_sleep_is_a_mean_on_the_clock():
    rows = make_rows(
        (1, "2026-03-01 21:50", "2026-03-02 01:30", "2026-03-02 09:00"),
        (1, "2026-03-02 22:30", "2026-03-03 02:10", "2026-03-03 09:00"),
    )
    assert compute_sleep_people(rows)["mid_sleep_h"].iloc[0] == pytest.approx(0, abs=1e-9)


def test_two_runs_of_a_day_are_one_night_and_two_times_awake():
    rows = make_rows(
        (1, "2026-03-01 23:00", "2026-03-02 07:00", "2026-03-02 08:00"),
        (1, "2026-03-01 23:00", "2026-03-02 07:00", "2026-03-02 12:00"),
    )
    row = compute_sleep_people(rows).iloc[0]
    assert (row["n_nights"], row["n_runs"], row["hours_awake"]) == (1, 2, 3)


def test_what_is_missing_is_said_and_nothing_is_made_up():
    rows = make_rows(
        (1, "2026-03-01 23:00", "2026-03-02 07:00", "2026-03-02 08:00"),
        (2, None, "2026-03-02 07:00", "2026-03-02 08:00"),
    )
    people = compute_sleep_people(rows).set_index("participant_id")
    assert people.loc[1, ["mid_sleep_sd_h", "sri", "social_jetlag_h"]].isna().all()
    assert "0 of 5" in people.loc[1, "note"]
    assert "before free days" in people.loc[1, "note"]
    assert people.loc[2, "hours_awake"] == 1
    assert math.isnan(people.loc[2, "duration_h"])


def test_without_rows_the_frames_are_empty_with_their_columns():
    people = compute_sleep_people(make_rows())
    assert not len(people)
    assert set(PEOPLE_MEASURES) <= set(people.columns)
    summary = compute_sleep_summary(people)
    assert list(summary["n_participants"]) == [0] * len(PEOPLE_MEASURES)
    assert summary["median"].isna().all()


def test_the_quartiles_are_those_of_the_published_definition():
    """Hyndman and Fan (1996), type 7: the quantile p of n sorted values lies at position 1 + (n - 1) p; of the
    squares of 1 to 10 the quartiles are at positions 3.25 and 7.75: 9 + 0.25·7 and 49 + 0.75·15."""
    people = pd.DataFrame({name: np.arange(1.0, 11) ** 2 for name in PEOPLE_MEASURES})
    row = compute_sleep_summary(people).iloc[0]
    assert (row["low"], row["median"], row["high"]) == (10.75, 30.5, 60.25)
    assert (row["least"], row["most"], row["mean"]) == (1, 100, 38.5)


def test_participants_count_once_each():
    rows = make_rows(*make_regular(1, 20), *make_regular(2, 1, asleep="23:00", awake="05:00"))
    summary = compute_sleep_summary(compute_sleep_people(rows)).set_index("column")
    assert summary.loc["duration_h", "mean"] == 7
    assert summary.loc["sri", "n_participants"] == 1
