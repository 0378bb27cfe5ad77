"""`docs/analysis.md` names every statistic, every setting with its default, and the figures of the charts."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from heliograph import analysis
from heliograph.analysis import baseline, confounders, paired, reliability, sleep, slope, terms
from heliograph.store import StudySettings

TEXT = (Path(__file__).resolve().parent.parent / "docs" / "analysis.md").read_text(encoding="utf-8")
VERBS = ("compute_", "find_", "fit_", "adjust_", "mark_", "split_", "select_")


def test_every_statistic_is_explained():
    functions = {name for name in analysis.__all__ if name.startswith(VERBS)}
    assert {name for name in functions if f"`{name}`" not in TEXT} == set()
    assert set(re.findall(r"`((?:compute|fit|find)_\w+)`", TEXT)) <= functions


def test_every_setting_is_listed_with_its_default():
    shown = dict(re.findall(r"^\| `(\w+)`(?:, `\w+`)? \| ([^|]+) \|", TEXT, flags=re.MULTILINE))
    words = {None: "none", False: "off", (): "none"}
    defaults = {name: str(words.get(value, value)) for name, value in asdict(StudySettings()).items()}
    del defaults["baseline_until"]
    assert {name: value.strip() for name, value in shown.items()} == defaults


def test_the_average_run_lengths_are_those_of_the_charts():
    (line,) = re.findall(
        r"^\| mean number of runs to a false flag.*\| (\d+) \| (\d+) \|$", TEXT, flags=re.MULTILINE
    )
    lengths = analysis.compute_ewma_arl(0.2, 2.962), analysis.compute_cusum_arl(0.5, 5.0)
    assert tuple(int(number) for number in line) == tuple(round(length) for length in lengths)


@pytest.mark.parametrize(
    ("n_runs", "words"), [(20, "within 20 runs, baseline of 5"), (50, "within 50 runs, baseline of 5")]
)
def test_the_chances_of_a_false_flag_are_those_of_the_charts(n_runs, words):
    (shown,) = re.findall(rf"{words} \| (\d+) % \| (\d+) % \|", TEXT)
    for text, chart in zip(shown, ("ewma", "cusum"), strict=True):
        chance = 100 * analysis.compute_false_alarm_chance(5, n_runs, chart=chart)
        assert abs(float(text) - chance) < 0.6  # The simulation's own error is 0.2.


def test_what_each_method_needs_is_what_the_code_asks_for():
    assert (baseline.MIN_BASELINE_RUNS, slope.MIN_SLOPE_RUNS, reliability.MIN_REPEAT_GROUPS) == (3, 5, 5)
    assert (paired.PAIRED_NEEDS, terms.PARTICIPANTS_NEEDED, terms.GROUP_LIMIT) == (5, 5, 12)
    assert (confounders.RUNS_PER_TERM, sleep.NIGHTS_NEEDED, sleep.SRI_PAIRS_NEEDED) == (10, 3, 5)
    assert slope.MAX_PAIRED_RUNS == 1500
    for words in ("Needs all `baseline_runs` results (3 with dates)", "Needs 5 groups of repeats", "12 groups",
                  "10 complete results for each term", "(3 nights)", "(5 pairs of consecutive days)"):  # fmt: skip
        assert words in " ".join(TEXT.split())
