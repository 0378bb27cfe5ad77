"""Deviations from the own baseline, shares of levels, correlations within persons, and estimates of models."""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from heliograph.charts._palette import LEVEL_NAMES
from heliograph.charts.cohort_correlations import plot_cohort_correlations
from heliograph.charts.cohort_estimates import PANELS_SHOWN, plot_cohort_estimates
from heliograph.charts.cohort_frame import FigureAbout, pick_spread
from heliograph.charts.cohort_heat import ROWS_SHOWN, plot_cohort_heat
from heliograph.charts.cohort_levels import GROUPS_SHOWN, compute_level_shares, plot_level_shares, plot_level_weeks
from thymia_api import BIOMARKERS

sys.path.insert(0, str(Path(__file__).parent))
from cohort_frames import ABOUT, MONDAY, STRESS, traces, words_of

COLUMNS = [biomarker.continuous for biomarker in BIOMARKERS]


def make_deviations(values):
    """Participant → week → deviation."""
    rows = [
        (person, f"P-{person:03d}", MONDAY + pd.Timedelta(days=7 * week), 3, 5, value)
        for person, weeks in values.items()
        for week, value in weeks.items()
    ]
    return pd.DataFrame(rows, columns=["participant_id", "participant", "week", "n_runs", "n_baseline", "value"])


def heat(frame, **changes):
    settings = {"biomarker": STRESS, "baseline_runs": 5, "about": ABOUT} | changes
    return plot_cohort_heat(frame, **settings)


def test_the_scale_of_deviations_is_centred_at_zero_and_the_same_on_both_sides():
    trace = heat(make_deviations({1: {0: 0.0, 1: 0.23}, 2: {1: -0.05}})).data[0]
    assert (trace.zmin, trace.zmax) == (-0.3, 0.3)
    assert trace.colorscale[2][0] == 0.5


def test_small_deviations_do_not_fill_the_scale():
    assert heat(make_deviations({1: {0: 0.01}})).data[0].zmax == 0.1


def test_weeks_without_results_stay_empty_and_keep_their_place():
    trace = heat(make_deviations({1: {0: 0.1, 3: 0.2}, 2: {3: 0.0}})).data[0]
    assert [list(row) for row in trace.z] == [[0.1, None, None, 0.2], [None, None, None, 0.0]]
    assert trace.hoverongaps is False


def test_a_page_of_participants_says_which_of_how_many_and_keeps_the_scale_and_weeks_of_all():
    frame = make_deviations({person: {0: 0.1} for person in range(1, ROWS_SHOWN + 11)} | {999: {5: -0.62}})
    first = heat(frame, order="Largest change first", without_baseline=3)
    assert len(first.data[0].y) == ROWS_SHOWN
    assert f"n = {ROWS_SHOWN + 11} participants, 1 to {ROWS_SHOWN} shown · largest change first" in words_of(first)
    assert "3 participants without a full baseline" in words_of(first)
    second = heat(frame, begin=ROWS_SHOWN)
    assert second.layout.yaxis.ticktext[0] == f"P-{ROWS_SHOWN + 1:03d}"
    assert f"{ROWS_SHOWN + 1} to {ROWS_SHOWN + 11} shown" in words_of(second)
    for figure in (first, second):
        assert figure.data[0].zmax == 0.7
        assert len(figure.data[0].x) == 6


def test_a_heat_map_of_nobody_or_of_one_week_can_be_drawn():
    assert heat(make_deviations({})).data
    figure = heat(make_deviations({1: {0: float("nan")}, 2: {0: 0.2}}))
    assert "n = 1 participant" in words_of(figure)
    assert "<img" not in str(heat(make_deviations({1: {0: 0.1}}).assign(participant="<img src=x>")))


def make_levels(groups, weeks=(None,), *, together=False):
    rows = [
        (group, pd.NaT if week is None else MONDAY + pd.Timedelta(days=7 * week), "stress", level, count)
        for group, counts in groups.items()
        for week in weeks
        for level, count in enumerate(counts)
    ]
    levels = pd.DataFrame(rows, columns=["group", "period", "column", "level", "n_runs"])
    if not together:
        return levels, levels[["group", "period"]].drop_duplicates().assign(n_participants=3)
    return levels, pd.DataFrame({"group": list(groups), "period": pd.NaT, "n_participants": 3})


def test_shares_are_of_the_groups_own_results_and_add_up_to_one():
    levels, people = make_levels({"A": (1, 3, 0, 0), "B": (0, 0, 0, 5)})
    shares = compute_level_shares(levels, people, "stress")
    assert list(shares.query("group == 'A'")["share"]) == [0.25, 0.75, 0, 0]
    assert set(shares["n_participants"]) == {3}
    assert shares.groupby("group")["share"].sum().tolist() == [1, 1]


def test_a_group_without_results_of_this_bucket_has_no_share():
    levels, people = make_levels({"A": (0, 0, 0, 0), "B": (1, 0, 0, 0)})
    assert set(compute_level_shares(levels, people, "stress")["group"]) == {"B"}
    assert compute_level_shares(levels, people, "exhaustion").empty


def test_weeks_are_counted_together_by_runs_and_people_once():
    levels, people = make_levels({"A": (1, 3, 0, 0)}, (0, 1), together=True)
    shares = compute_level_shares(levels, people, "stress")
    assert list(shares["n_runs"]) == [2, 6, 0, 0]
    assert list(shares["n_participants"]) == [3] * 4
    weekly = compute_level_shares(*make_levels({"A": (1, 3, 0, 0)}, (0, 1)), "stress", weekly=True)
    assert list(weekly["n_runs"]) == [1, 3, 0, 0] * 2
    assert list(weekly["n_participants"]) == [3] * 8


def shares_of(groups, weeks=(None,), small=False):
    levels, people = make_levels(groups, weeks)
    return compute_level_shares(levels, people, "stress", weekly=weeks != (None,)).assign(small=small)


def plot_shares(plot, counts):
    titles = {group: group for group in counts["group"].unique()}
    return plot(counts, titles, biomarker=STRESS, grouping_title="study arm", about=ABOUT)


def test_levels_are_four_named_parts_in_order_with_n_of_people_and_results():
    figure = plot_shares(plot_level_shares, shares_of({"A": (1, 1, 1, 1), "B": (4, 0, 0, 0)}))
    assert [trace.name for trace in figure.data] == list(LEVEL_NAMES.values())
    assert list(figure.data[0].x) == [0.25, 1.0]
    words = words_of(figure)
    assert "3 participants, 4 results" in words
    assert "never averaged" in words
    assert "higher is worse" in words


def test_levels_by_week_have_a_panel_for_each_group_and_hatched_small_weeks():
    figure = plot_shares(
        plot_level_weeks, shares_of({"A": (1, 1, 1, 1), "B": (4, 0, 0, 0)}, (0, 1, 2), small=True)
    )
    assert {trace.yaxis for trace in figure.data} == {"y", "y2"}
    assert set(figure.data[0].marker.pattern.shape) == {"/"}
    assert figure.data[0].marker.pattern.bgcolor == figure.data[0].marker.color  # else the bar is invisible
    assert "few participants that week" in words_of(figure)


def test_more_groups_than_panels_are_told():
    figure = plot_shares(plot_level_weeks, shares_of({f"G{n}": (1, 1, 0, 0) for n in range(12)}, (0,)))
    assert f"{GROUPS_SHOWN} of 12 groups" in words_of(figure)


def make_correlations(r=0.4):
    return pd.DataFrame(
        [(a, b, r, r - 0.1, r + 0.1, 100, 12, 113) for a, b in combinations(COLUMNS, 2)],
        columns=["a", "b", "r", "low", "high", "df", "n_participants", "n_runs"],
    )


def test_every_pair_of_biomarkers_is_one_square_with_its_number_n_and_df():
    figure = plot_cohort_correlations(make_correlations(), confidence=0.95, about=ABOUT)
    trace = figure.data[0]
    assert sum(value is not None for row in trace.z for value in row) == 15
    assert (trace.zmin, trace.zmax) == (-1, 1)
    words = words_of(figure)
    assert words.count("0.40") == 15
    assert "n = 12 participants, 113 results · df = 100" in words
    assert "interval 0.30 to 0.50" in trace.customdata[0][0]


def test_a_pair_the_other_way_round_lands_in_the_same_square():
    frame = make_correlations().iloc[:1]
    turned = frame.rename(columns={"a": "b", "b": "a"})
    first, second = (plot_cohort_correlations(one, confidence=0.95, about=ABOUT) for one in (frame, turned))
    assert first.data[0].z[0][0] == second.data[0].z[0][0] == 0.4


def test_a_correlation_that_cannot_be_computed_is_a_dash():
    frame = make_correlations(float("nan")).assign(n_participants=1, n_runs=2, df=0)
    figure = plot_cohort_correlations(frame, confidence=0.95, about=ABOUT)
    assert "Not enough results" in words_of(figure)
    assert " – " in words_of(figure)


def make_estimates(terms=("B − A",), estimate=0.1, p=0.01):
    rows = [
        (term, column, estimate, estimate - 0.05, estimate + 0.05, p, 12, 371)
        for term in terms
        for column in COLUMNS
    ]
    names = ["term", "column", "estimate", "low", "high", "p_adjusted", "n_participants", "n_runs"]
    return pd.DataFrame(rows, columns=names)


def estimates(table, **changes):
    settings = {
        "title": "Mixed models",
        "unit": "Difference",
        "notes": ["Holm"],
        "confidence": 0.95,
        "about": ABOUT,
    }
    return plot_cohort_estimates(table, **(settings | changes))


def test_an_estimate_is_filled_when_its_adjusted_p_is_below_the_level():
    clear = traces(estimates(make_estimates(p=0.049)), "Stress")[0]
    open_ = traces(estimates(make_estimates(p=0.05)), "Stress")[0]
    missing = traces(estimates(make_estimates(p=float("nan"))), "Stress")[0]
    assert clear.marker.color == clear.marker.line.color
    assert open_.marker.color == missing.marker.color == "#ffffff"


def test_no_change_is_always_in_sight_also_for_ratios():
    linear = estimates(make_estimates(estimate=0.5)).layout.xaxis
    assert linear.range[0] < 0
    ratio = estimates(make_estimates(estimate=3.0), ratio=True).layout.xaxis
    assert ratio.type == "log"
    assert ratio.range[0] < 0 < ratio.range[1]
    assert 1 in ratio.tickvals


@pytest.mark.parametrize("estimate", [0.06, 0.9, 1.05, 2.0, 40.0, 5000.0])
def test_axes_of_ratios_have_few_round_ticks(estimate):
    axis = estimates(make_estimates(estimate=estimate), ratio=True).layout.xaxis
    assert 1 <= len(axis.tickvals) <= 7
    assert np.isfinite(axis.range).all()


def test_each_comparison_is_a_panel_and_more_than_fit_are_told():
    figure = estimates(make_estimates([f"change per week in {n}" for n in range(8)]))
    assert len({trace.yaxis for trace in figure.data}) == PANELS_SHOWN
    words = words_of(figure)
    assert "Change per week in 0" in words
    assert f"The first {PANELS_SHOWN} of 8 comparisons" in words


def test_an_estimate_that_is_missing_is_said_and_n_is_given():
    table = make_estimates()
    table.loc[0, ["estimate", "low", "high"]] = np.nan
    figure = estimates(table)
    assert "no estimate" in figure.data[0].text[0]
    assert "n = 12 participants, 371 results" in words_of(figure)


def test_what_was_chosen_stands_on_the_figure_as_text():
    about = FigureAbout("pilot", False, ABOUT.drawn_on, "shift <b>night</b>")
    words = words_of(estimates(make_estimates(), about=about))
    assert "Only shift &lt;b&gt;night" in words
    assert "Synthetic" not in words


def test_a_spread_of_ids_is_the_same_at_every_call_and_keeps_their_order():
    ids = list(range(1, 1001))
    picked = pick_spread(ids, 100)
    assert len(picked) == 100
    assert picked == sorted(picked) == pick_spread(ids, 100)
    assert picked[0] < 100
    assert picked[-1] > 900
    assert pick_spread([3, 1], 5) == [3, 1]
