"""Sleep measures, regularity and social jetlag, on nights that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.sleep import (
    compute_mean_clock,
    compute_regularity,
    compute_sleep_measures,
    compute_social_jetlag,
    list_nights,
)


def make_nights(*nights: tuple[str, str], person: int = 1) -> pd.DataFrame:
    """Nights of January 2026 as ("dd hh:mm", "dd hh:mm"), with a session an hour after waking."""
    times = [[pd.Timestamp(f"2026-01-{end}") for end in night] for night in nights]
    frame = pd.DataFrame(times, columns=["asleep_local", "awake_local"])
    frame = frame.astype("datetime64[s]")
    return frame.assign(participant_id=person, session_local=frame["awake_local"] + pd.Timedelta(hours=1))


def make_regular(days: int, asleep: str = "23:00", awake: str = "07:00", *, first: int = 5) -> pd.DataFrame:
    return make_nights(*((f"{day - 1:02} {asleep}", f"{day:02} {awake}") for day in range(first, first + days)))


def test_duration_mid_sleep_and_hours_awake():
    rows = make_nights(("05 23:00", "06 07:00"), ("06 21:00", "06 23:30"), ("07 01:30", "07 09:00"))
    found = compute_sleep_measures(rows)
    assert found["duration_h"].tolist() == [8.0, 2.5, 7.5]
    assert found["mid_sleep_h"].tolist() == [3.0, 22.25, 5.25]
    assert found["hours_awake"].tolist() == [1.0, 1.0, 1.0]


def test_mid_sleep_before_midnight_is_negative_on_the_day_of_waking():
    assert compute_sleep_measures(make_nights(("05 20:00", "06 02:00")))["mid_sleep_h"].tolist() == [-1.0]


def test_impossible_and_missing_times_are_missing():
    rows = make_nights(("06 07:00", "05 23:00"), ("01 00:00", "03 00:00"), ("05 23:00", "06 07:00"))
    rows.loc[2, "session_local"] = pd.Timestamp("2026-01-06 06:00")
    rows.loc[3] = [pd.NaT, pd.Timestamp("2026-01-06 07:00"), 1, pd.Timestamp("2026-01-06 08:00")]
    found = compute_sleep_measures(rows)
    assert found["duration_h"].isna().tolist() == [True, True, False, True]
    assert found["mid_sleep_h"].isna().tolist() == [True, True, False, True]
    assert found["hours_awake"].isna().tolist() == [False, False, True, False]
    assert compute_sleep_measures(rows.iloc[:0]).empty


def test_the_same_hours_every_day_have_index_100_and_no_spread():
    """Phillips et al. (2017), Sci Rep 7:3216: 100 for someone who sleeps and wakes at the same times each day."""
    row = compute_regularity(make_regular(8)).iloc[0]
    assert (row["n_nights"], row["n_pairs"]) == (8, 7)
    assert row["sri"] == 100
    assert row["mid_sleep_sd_h"] == 0


def test_the_index_of_alternating_hours_is_that_worked_out_by_hand():
    """Phillips et al. (2017): -100 + 200 times the chance of the same state 24 h apart. Nights from 23 to 7 and
    from 1 to 9 in turn differ from 23 to 1 and from 7 to 9, 4 of 24 hours: 200 * 20 / 24 - 100 = 66.7."""
    hours = [("23:00", "07:00", 1), ("01:00", "09:00", 0)]
    nights = []
    for day in range(5, 13):
        asleep, awake, before = hours[day % 2]
        nights.append((f"{day - before:02} {asleep}", f"{day:02} {awake}"))
    row = compute_regularity(make_nights(*nights)).iloc[0]
    assert row["n_pairs"] == 7
    assert row["sri"] == pytest.approx(200 * 20 / 24 - 100)
    # Mid-sleep 3 and 5 h in turn, four of each.
    assert row["mid_sleep_sd_h"] == pytest.approx(math.sqrt(8 / 7))


def test_the_index_agrees_with_counting_minutes():
    rng = np.random.default_rng(3)
    nights = make_regular(12)
    nights["asleep_local"] += pd.to_timedelta(rng.integers(-120, 120, 12), unit="min")
    nights["awake_local"] += pd.to_timedelta(rng.integers(-120, 120, 12), unit="min")
    noon = nights["awake_local"].iloc[0].normalize() - pd.Timedelta(hours=12)
    minutes = pd.date_range(noon, periods=12 * 1440, freq="min")
    asleep = np.zeros(len(minutes), dtype=bool)
    for row in nights.itertuples():
        asleep |= (minutes >= row.asleep_local) & (minutes < row.awake_local)
    same = (asleep[1440:] == asleep[:-1440]).mean()
    assert compute_regularity(nights)["sri"].iloc[0] == pytest.approx(200 * same - 100)


def test_only_consecutive_days_make_pairs():
    nights = pd.concat([make_regular(4), make_regular(3, first=12)])
    row = compute_regularity(nights).iloc[0]
    assert (row["n_nights"], row["n_pairs"]) == (7, 5)
    assert row["sri"] == 100
    fewer = compute_regularity(nights.iloc[1:]).iloc[0]
    assert math.isnan(fewer["sri"])
    assert fewer["note"] == "not enough pairs of consecutive days (4 of 5)"
    assert fewer["mid_sleep_sd_h"] == 0


def test_mid_sleep_around_midnight_is_spread_over_minutes_not_a_day():
    nights = make_nights(
        ("05 20:00", "06 03:40"), ("06 20:20", "07 04:00"), ("08 20:00", "08 23:40"), ("09 20:20", "10 04:00")
    )
    row = compute_regularity(nights).iloc[0]
    middles = np.array([-0.1667, 0.1667, -2.1667, 0.1667])
    assert row["mid_sleep_sd_h"] == pytest.approx(middles.std(ddof=1), abs=1e-3)


def test_several_runs_of_one_day_tell_of_one_night_and_the_longest_sleep_counts():
    nights = make_regular(6)
    doubled = pd.concat([nights, nights, make_nights(("06 13:00", "06 13:30"))])
    assert compute_regularity(doubled).equals(compute_regularity(nights))


@pytest.mark.parametrize("days", [1, 2])
def test_few_nights_have_no_spread(days):
    row = compute_regularity(make_regular(days)).iloc[0]
    assert row["n_nights"] == days
    assert math.isnan(row["mid_sleep_sd_h"])
    assert row["note"].startswith(f"not enough nights ({days} of 3)")


def test_no_night_and_nights_without_times_give_nobody():
    assert compute_regularity(make_regular(3).iloc[:0]).empty
    assert compute_regularity(make_regular(3).assign(asleep_local=pd.NaT)).empty
    assert compute_social_jetlag(make_regular(3).iloc[:0]).empty


def test_social_jetlag_is_the_distance_between_mid_sleep_on_free_and_on_work_days():
    """Wittmann et al. (2006), Chronobiol Int 23:497: |MSF - MSW|. Asleep from 23 to 6 before work, mid-sleep 2:30,
    and from 1 to 10 before free days, mid-sleep 5:30: 3 hours."""
    nights = []
    for day in range(5, 19):
        free = pd.Timestamp(2026, 1, day).day_of_week >= 5
        nights.append(
            (f"{day:02} 01:00", f"{day:02} 10:00") if free else (f"{day - 1:02} 23:00", f"{day:02} 06:00")
        )
    row = compute_social_jetlag(make_nights(*nights)).iloc[0]
    assert (row["n_free"], row["n_work"]) == (4, 10)
    assert (row["msf_h"], row["msw_h"]) == (pytest.approx(5.5), pytest.approx(2.5))
    assert row["social_jetlag_h"] == pytest.approx(3.0)


def test_social_jetlag_goes_the_short_way_round_the_clock():
    nights = []
    for day in range(5, 19):
        free = pd.Timestamp(2026, 1, day).day_of_week >= 5
        hours = ("20:30", "04:30") if free else ("19:30", "03:30")
        nights.append((f"{day - 1:02} {hours[0]}", f"{day:02} {hours[1]}"))
    row = compute_social_jetlag(make_nights(*nights)).iloc[0]
    assert (row["msf_h"], row["msw_h"]) == (pytest.approx(0.5), pytest.approx(23.5))
    assert row["social_jetlag_h"] == pytest.approx(1.0)


def test_social_jetlag_needs_two_nights_of_each_and_other_days_can_be_free():
    week = make_regular(5)
    row = compute_social_jetlag(week).iloc[0]
    assert math.isnan(row["social_jetlag_h"])
    assert row["note"] == "not enough nights (0 of 2 before free days, 5 of 2 before work days)"
    assert math.isnan(row["msf_h"])
    assert compute_social_jetlag(week, free_weekdays=(0, 1)).iloc[0]["social_jetlag_h"] == 0


def test_the_mean_of_times_around_midnight_is_midnight_and_of_none_is_not_known():
    midnight = compute_mean_clock(np.array([-1 / 6, 1 / 6]))
    assert min(midnight, 24 - midnight) == pytest.approx(0, abs=1e-9)
    assert compute_mean_clock(np.array([23.0, 23.0])) == pytest.approx(23)
    assert math.isnan(compute_mean_clock(np.array([])))


def test_nights_are_one_a_day_of_waking_in_order_with_the_longest_sleep():
    rows = make_nights(("07 23:00", "08 07:00"), ("05 23:00", "06 07:00"), ("06 13:00", "06 14:00"))
    nights = list_nights(rows)
    assert nights["day"].dt.day.tolist() == [6, 8]
    assert nights["duration"].tolist() == [8.0, 8.0]
    assert nights["mid_sleep_h"].tolist() == [3.0, 3.0]
