"""What the Trends page says about one participant, on frames and stores whose truth is known."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from heliograph.runs.flags import refresh_participant_flags
from heliograph.store import SCORE_COLUMNS, StudySettings, load_flags, load_study_settings, load_trend
from heliograph.ui.trend_changes import format_change, make_change_rows, make_step_rows, word_reason
from heliograph.ui.trend_figure import make_breaks, make_numbers
from heliograph.ui.trend_noise import NoiseFloor
from heliograph.ui.trend_reading import judge_recordings, read_slope, read_trend
from heliograph.ui.trend_verdict import make_verdict
from tests.pilot import CORRECTED, DRIFTING, NEW_MICROPHONE, fill_pilot
from thymia_api import BIOMARKERS

TODAY = date(2026, 3, 20)
STRAIN = BIOMARKERS[0]
STEADY = (0.40, 0.42, 0.38, 0.41, 0.39)
FACTS = {
    "state": "complete_ok", "kind": "upload", "source": "webrtc", "processing": None, "speech_s": 31.0,
    "duration_s": 42.0, "level_dbfs": -22.0, "peak_dbfs": -3.0, "clipped_share": 0.0, "missing_share": 0.0,
    "snr_db": 25.0, "bandwidth_hz": 7800.0, "language": "en-GB", "accent": None, "date_of_birth": "1990-01-01",
    "birth_sex": "FEMALE", "warnings": "[]", "error_code": None, "tags": "{}", "synthetic": True,
}  # fmt: skip


def make_frame(scores, *, until=TODAY, strain=None, **columns):
    """A run a day up to `until`; every continuous score is `scores`, mental strain `strain` where given."""
    n = len(scores)
    at = pd.to_datetime(
        [datetime(until.year, until.month, until.day, 8) - timedelta(days=n - 1 - k) for k in range(n)]
    )
    frame = pd.DataFrame({"run_id": range(1, n + 1), "session_local": at})
    for column in SCORE_COLUMNS:
        frame[column] = np.array(scores, dtype=float)
    if strain is not None:
        frame["mental_strain"] = np.array(strain, dtype=float)
    frame["asleep_local"] = at - pd.Timedelta(hours=9)
    frame["awake_local"] = at - pd.Timedelta(hours=1)
    return frame.assign(**(FACTS | columns))


def read(frame, *, adjust=False, biomarker=STRAIN, **settings):
    return read_trend(frame, biomarker, StudySettings(**settings), adjust=adjust)


def say(frame, *, today=TODAY, dismissed=(), **settings):
    return make_verdict(read(frame, **settings), "P-01", today, dismissed=dismissed)


def test_three_runs_are_no_baseline_and_that_is_said_with_what_is_missing():
    verdict = say(make_frame(STEADY[:3]))
    assert verdict.tone == "unknown"
    assert "Not enough runs for a baseline (3 of 5)" in verdict.text


def test_equal_scores_have_no_ordinary_variation_to_compare_with():
    assert say(make_frame([0.4] * 8)).tone == "unknown"


def test_a_steady_week_is_within_own_normal_with_n_of_baseline_and_of_the_week():
    verdict = say(make_frame(STEADY * 2))
    assert verdict.tone == "within"
    assert (
        "This week is within P\\-01's own normal range** (n = 5 baseline runs, 7 runs this week)." in verdict.text
    )


def test_the_newest_week_is_named_when_nothing_was_recorded_lately():
    verdict = say(make_frame(STEADY * 2, until=date(2026, 1, 9)))
    assert "The week to 9 Jan, the newest with runs, is within" in verdict.text
    assert "this week" not in verdict.text


def test_a_day_of_another_year_is_told_with_its_year():
    assert "9 Dec 2025" in say(make_frame(STEADY * 2, until=date(2025, 12, 9))).text


def test_a_lasting_rise_is_told_with_the_day_since_when_and_the_biomarker():
    frame = make_frame(STEADY * 4, strain=[*STEADY * 2, *[0.75] * 10])
    verdict = say(frame)
    assert verdict.tone == "above"
    flagged = read(frame).get_drift(STRAIN).chart.query("flag == 'up'")["at"].iloc[0]
    assert verdict.text.startswith(f"**Above own normal since {flagged.day} Mar:** mental strain (n = 5")


def test_a_fall_is_no_alarm():
    assert say(make_frame(STEADY * 4, strain=[*STEADY * 2, *[0.05] * 10])).tone == "below"


def test_a_dismissed_drift_is_told_but_raises_no_alarm():
    frame = make_frame(STEADY * 4, strain=[*STEADY * 2, *[0.75] * 10])
    _, run_id, _ = read(frame).get_drift(STRAIN).beyond
    verdict = say(frame, dismissed={("mental_strain", run_id)})
    assert verdict.tone == "within"
    assert "Left out, as dismissed: mental strain." in verdict.text


def test_a_drift_that_ended_is_not_told_any_more():
    scores = [*STEADY * 2, *[0.75] * 6, *STEADY * 6]
    frame = make_frame(scores)
    assert read(frame).get_drift(STRAIN).chart["flag"].eq("up").any()
    assert say(frame).tone == "within"


def test_a_single_run_outside_the_range_is_told_as_what_it_is():
    verdict = say(make_frame(STEADY * 6, strain=[*STEADY * 5, 0.40, 0.42, 0.38, 0.41, 0.49]), ewma_lambda=0.05)
    assert verdict.tone == "mixed"
    assert "shows no drift from P\\-01's own normal** (n = 5" in verdict.text
    assert verdict.text.endswith("but single runs were outside its range: mental strain (1 of 7).")


def test_a_label_with_markup_stays_text_in_the_verdict():
    verdict = make_verdict(read(make_frame(STEADY * 2)), "**b** [l](https://e.test)", TODAY)
    assert "[l](https" not in verdict.text


def test_a_window_can_be_the_baseline():
    frame = make_frame([*[0.8, 0.7, 0.75] * 2, *STEADY * 2])
    drift = read(frame, baseline_from="2026-03-11", baseline_until="2026-03-15").get_drift(STRAIN)
    assert drift.baseline.n >= 4
    assert drift.baseline.mean == pytest.approx(0.40, abs=0.02)
    assert min(drift.run_ids) == 7


@pytest.mark.parametrize("chart", ["ewma", "cusum"])
def test_either_chart_finds_a_rise_after_the_baseline(chart):
    drift = read(make_frame(STEADY * 4, strain=[*STEADY * 2, *[0.75] * 10]), chart=chart).get_drift(STRAIN)
    assert drift.beyond[0] == "up"
    assert set(drift.chart["run_id"]) == set(range(6, 21))
    assert {"z", "low", "high", "centre", "flag", "at"} <= set(drift.chart)


def test_failed_runs_and_missing_scores_change_nothing():
    frame = make_frame([*STEADY, 0.41, 0.4])
    worse = frame.copy()
    worse.loc[5, "state"] = "complete_error"
    worse.loc[5, list(SCORE_COLUMNS)] = np.nan
    assert read(worse).get_drift(STRAIN).baseline == read(frame).get_drift(STRAIN).baseline
    assert len(read(worse).results) == 6


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_runs_give_no_numbers_and_no_error(n):
    reading = read(make_frame(STEADY[:n]), adjust=True)
    assert not reading.get_drift(STRAIN).baseline.is_enough
    assert reading.get_drift(STRAIN).beyond is None
    assert read_slope(reading, None).problem is not None
    assert reading.adjusted.problem is not None
    assert list(reading.scores) == list(STEADY[:n])
    assert make_change_rows(reading, make_floors(None))["Newest"][0] == ("–" if n == 0 else f"{STEADY[n - 1]:.2f}")


def test_the_slope_is_that_of_the_range_shown():
    reading = read(make_frame([*[0.4] * 10, *np.linspace(0.4, 0.6, 15)]))
    assert read_slope(reading, "2026-03-06T00:00:00").per_week == pytest.approx(0.1, abs=1e-3)
    assert abs(read_slope(reading, None).per_week) < 0.1
    assert read_slope(reading, "2026-03-06T00:00:00").n == 15


def test_adjusting_takes_sleep_out_and_leaves_the_other_biomarkers_alone():
    rng = np.random.default_rng(1)
    slept = rng.uniform(4, 9, 40)
    frame = make_frame(rng.normal(0.4, 0.01, 40), strain=0.8 - 0.05 * slept + rng.normal(0, 0.005, 40))
    frame["asleep_local"] = frame["awake_local"] - pd.to_timedelta(slept, unit="h")
    plain, adjusted = read(frame), read(frame, adjust=True)
    assert adjusted.adjusted.problem is None
    assert adjusted.scores.std() < plain.scores.std() / 4
    assert adjusted.scores.mean() == pytest.approx(plain.scores.mean())
    assert adjusted.get_drift(STRAIN).baseline.sd < plain.get_drift(STRAIN).baseline.sd
    assert adjusted.get_drift(BIOMARKERS[2]).baseline == plain.get_drift(BIOMARKERS[2]).baseline


def test_a_recording_is_good_fair_poor_or_unknown_by_its_measures():
    frame = make_frame(STEADY[:4])
    frame.loc[1, "snr_db"] = 9.0
    frame.loc[2, ["snr_db", "bandwidth_hz"]] = [9.0, 3400.0]
    frame.loc[3, "speech_s"] = np.nan
    assert list(judge_recordings(frame)) == ["good", "fair", "poor", "unknown"]


def make_floors(mdc, n_runs=14):
    return {biomarker.continuous: NoiseFloor(mdc, n_runs, "words") for biomarker in BIOMARKERS}


def test_changes_within_the_noise_floor_are_grey_and_larger_ones_are_not():
    reading = read(make_frame([*STEADY, 0.40, 0.47]))
    rows = make_change_rows(reading, make_floors(0.1))
    assert rows["Last step"][0] == ":gray[+0.07]"
    assert rows["Noise floor"][0] == "±0.10 (n = 14)"
    assert make_change_rows(reading, make_floors(0.05))["Last step"][0] == "**+0.07**"
    assert make_change_rows(reading, make_floors(None))["Noise floor"][0] == "not known"


def test_steps_are_listed_newest_first_and_one_over_a_break_is_not_read():
    frame = make_frame([*STEADY, 0.40, 0.47])
    frame.loc[5:, "source"] = "builtin"
    steps = make_step_rows(read(frame), STRAIN, make_floors(0.05)[STRAIN.continuous])
    assert steps["Change"][0] == "**+0.07**"
    assert steps["Reading"][0] == "more than noise"
    assert steps["Reading"][1] == "not comparable: the recording changed"
    assert make_step_rows(read(make_frame([0.4])), STRAIN, make_floors(0.05)[STRAIN.continuous]) == {}


@pytest.mark.parametrize(
    ("value", "words"),
    [(float("nan"), "–"), (-0.002, ":gray[0.00]"), (-0.07, ":gray[−0.07]"), (0.07, ":gray[+0.07]")],
)
def test_a_change_has_its_sign(value, words):
    assert format_change(value, True) == words


def test_figures_dont_tell_birth_dates_and_lists_do():
    frame = make_frame(STEADY)
    frame.loc[3:, "date_of_birth"] = "1980-05-05"
    frame.loc[3:, "source"] = "builtin"
    breaks = read(frame).breaks
    (drawn,) = make_breaks(breaks)
    assert drawn.reasons == ("live recorder to built-in recorder", "another date of birth")
    assert [word_reason(reason) for reason in breaks["reasons"].iloc[0]] == [
        "live recorder to built-in recorder",
        "date of birth: 1990-01-01 to 1980-05-05",
    ]


def test_the_numbers_behind_the_figure_have_a_row_a_run_and_what_was_computed():
    frame = make_frame([*STEADY, 0.41, 0.4])
    frame.loc[6, "state"] = "failed"
    numbers = make_numbers(frame, read(frame), STRAIN)
    assert list(numbers["run_id"]) == list(frame["run_id"])
    assert numbers["ewma_z"].notna().sum() == 1
    assert numbers["in_baseline"].eq(True).sum() == 5
    assert numbers["own_normal_n"].eq(5).all()
    assert numbers["mental_strain_charted"].iloc[0] == STEADY[0]
    assert "label" not in numbers


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    from heliograph.store import Store

    with Store.open(tmp_path_factory.mktemp("pilot"), workspace="sandbox", synthetic=True) as store:
        yield store, fill_pilot(store, participants=8, weeks=8, until=date(2026, 11, 20))


def test_flags_of_the_worker_are_the_beginnings_of_what_the_figure_charts(pilot):
    store, people = pilot
    settings = load_study_settings(store)
    n_flags = 0
    for person in people:
        refresh_participant_flags(store, person)
        reading = read_trend(load_trend(store, person), STRAIN, settings)
        found = {(flag.column_name, flag.run_id, flag.direction) for flag in load_flags(store, person)}
        charted = set()
        for column, drift in reading.drifts.items():
            sides = drift.chart["flag"].where(drift.chart["flag"].isin(["up", "down"]), "")
            begins = drift.chart[(sides != "") & (sides != sides.shift(fill_value=""))]
            charted |= {
                (column, run_id, side) for run_id, side in zip(begins["run_id"], begins["flag"], strict=True)
            }
        assert found == charted
        n_flags += len(found)
    assert n_flags


def test_the_pilots_own_stories_are_found(pilot):
    store, people = pilot
    microphone = read_trend(load_trend(store, people[NEW_MICROPHONE]), STRAIN, StudySettings()).breaks
    assert list(microphone["about"]) == ["recording"]
    corrected = read_trend(load_trend(store, people[CORRECTED]), STRAIN, StudySettings()).breaks
    assert list(corrected["about"]) == ["person"]
    drifting = read_trend(load_trend(store, people[DRIFTING]), STRAIN, StudySettings(baseline_runs=10))
    assert drifting.get_drift(STRAIN).beyond[0] == "up"
    assert json.loads(load_trend(store, people[NEW_MICROPHONE])["processing"].iloc[-1])
