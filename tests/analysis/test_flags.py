"""Which runs of a participant are flagged, and that the flags are those of the charts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import compute_baseline, compute_cusum_chart, compute_ewma_chart, find_flags
from heliograph.analysis.flags import FLAG_COLUMNS

BASELINE = [0.30, 0.34, 0.32, 0.36, 0.33]


def make_runs(**scores):
    n = len(next(iter(scores.values())))
    at = pd.Timestamp("2026-03-02 08:00") + pd.to_timedelta(np.arange(n) * 24, unit="h")
    return pd.DataFrame({"run_id": np.arange(101, 101 + n), "session_local": at, **scores})


def test_a_lasting_rise_is_flagged_once_where_it_begins():
    frame = make_runs(stress=[*BASELINE, 0.34, 0.9, 0.9, 0.9, 0.9])
    flags = find_flags(frame, ["stress"])
    assert flags.columns.tolist() == list(FLAG_COLUMNS)
    chart = compute_ewma_chart(frame["stress"][5:], compute_baseline(BASELINE))
    first = int(chart.index[chart["flag"] == "up"][0])
    assert flags["run_id"].tolist() == [101 + first]
    row = flags.iloc[0]
    assert (row["column_name"], row["chart"], row["direction"], row["n_baseline"]) == ("stress", "ewma", "up", 5)
    assert row["value"] == pytest.approx(chart["z"][first])
    assert row["limit_value"] == pytest.approx(chart["high"][first])
    assert row["session_local"] == frame["session_local"][first]


def test_flags_of_a_cusum_are_those_of_its_chart():
    frame = make_runs(stress=[*BASELINE, *[0.05] * 12])
    flags = find_flags(frame, ["stress"], chart="cusum")
    chart = compute_cusum_chart(frame["stress"][5:], compute_baseline(BASELINE))
    assert flags["run_id"].tolist() == [101 + int(chart.index[chart["flag"] == "down"][0])]
    assert flags["direction"].tolist() == ["down"]
    assert flags["limit_value"].tolist() == [5.0]


def test_a_second_stretch_is_a_second_flag_and_a_missing_score_ends_none():
    rise, rest = [0.9] * 4, [0.33] * 16
    frame = make_runs(stress=[*BASELINE, *rise, np.nan, *rise, *rest, *rise])
    flags = find_flags(frame, ["stress"], ewma_lambda=0.5)
    assert len(flags) == 2
    assert flags["run_id"].is_monotonic_increasing


def test_rise_and_fall_are_told_apart():
    frame = make_runs(stress=[*BASELINE, *[0.9] * 5, *[0.0] * 12])
    assert find_flags(frame, ["stress"], ewma_lambda=0.6)["direction"].tolist() == ["up", "down"]


def test_each_score_has_its_own_baseline():
    frame = make_runs(
        stress=[*BASELINE, *[0.33] * 6],
        strain=[np.nan, *BASELINE, *[0.95] * 5],
        level=[0.5] * 11,
    )
    flags = find_flags(frame, ["stress", "strain", "level"])
    assert flags["column_name"].tolist() == ["strain"]
    assert flags["run_id"].iloc[0] > 106


def test_the_order_of_rows_does_not_matter_and_the_frame_is_not_changed():
    frame = make_runs(stress=[*BASELINE, *[0.9] * 5])
    mixed = frame.sample(frac=1, random_state=3)
    before = mixed.copy()
    pd.testing.assert_frame_equal(find_flags(mixed, ["stress"]), find_flags(frame, ["stress"]))
    pd.testing.assert_frame_equal(mixed, before)


def test_runs_of_the_same_minute_are_charted_by_their_ids():
    frame = make_runs(stress=[*BASELINE, *[0.9] * 5])
    frame["session_local"] = frame["session_local"].iloc[0]
    expected = find_flags(make_runs(stress=[*BASELINE, *[0.9] * 5]), ["stress"])
    assert find_flags(frame.iloc[::-1], ["stress"])["run_id"].tolist() == expected["run_id"].tolist()


def test_runs_that_ended_in_an_error_are_neither_baseline_nor_charted():
    frame = make_runs(stress=[*BASELINE, 0.9, 0.9, 0.9, 0.9])
    frame["state"] = ["complete_ok"] * 5 + ["complete_error"] * 4
    assert find_flags(frame, ["stress"]).empty


def test_a_window_in_the_middle_flags_only_what_comes_after_it():
    frame = make_runs(stress=[0.9, 0.9, 0.9, *BASELINE, *[0.9] * 4])
    flags = find_flags(frame, ["stress"], baseline_from="2026-03-05", baseline_until="2026-03-09")
    assert len(flags) == 1
    assert flags["run_id"].iloc[0] > 108
    assert flags["n_baseline"].iloc[0] == 5


@pytest.mark.parametrize("scores", [[], [0.3], [0.3, 0.9], [*BASELINE], [0.3, 0.3, 0.3, 0.3, 0.3, 0.9, 0.9]])
@pytest.mark.parametrize("chart", ["ewma", "cusum"])
def test_without_a_usable_baseline_or_runs_after_it_there_are_no_flags(scores, chart):
    flags = find_flags(make_runs(stress=np.asarray(scores, dtype=float)), ["stress"], chart=chart)
    assert flags.empty
    assert flags.columns.tolist() == list(FLAG_COLUMNS)


def test_impossible_settings_and_missing_columns_are_named():
    frame = make_runs(stress=BASELINE)
    with pytest.raises(ValueError, match="shewhart"):
        find_flags(frame, ["stress"], chart="shewhart")
    with pytest.raises(ValueError, match=r"1\.5"):
        find_flags(frame, ["stress"], ewma_lambda=1.5)
    with pytest.raises(ValueError, match="lacks strain"):
        find_flags(frame, ["strain"])


def test_finding_flags_imports_neither_scipy_stats_nor_statsmodels():
    script = (
        "import sys, numpy as np, pandas as pd\n"
        "from heliograph.analysis import find_flags\n"
        "at = pd.Timestamp('2026-03-02') + pd.to_timedelta(np.arange(20), unit='D')\n"
        "frame = pd.DataFrame({'run_id': range(20), 'session_local': at, 's': np.arange(20) / 20})\n"
        "find_flags(frame, ['s']); find_flags(frame, ['s'], chart='cusum')\n"
        "assert not {'scipy.stats', 'statsmodels'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
