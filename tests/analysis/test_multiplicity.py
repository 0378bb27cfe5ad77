"""p values adjusted for having been tested together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.multiplicity import adjust_p

# Benjamini and Hochberg (1995), J R Stat Soc B 57:289-300: fifteen comparisons of two treatments of myocardial
# infarction. Reprinted, with the adjusted values below and what is rejected, in SciPy's documentation:
# https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.false_discovery_control.html.
INFARCTION = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
    0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip
INFARCTION_BH = [
    0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645,
    0.0765, 0.486, 0.58118182, 0.714875, 0.75323077, 0.81321429, 1.0,
]  # fmt: skip


def test_the_published_example_rejects_four_by_false_discovery_rate():
    assert adjust_p(INFARCTION, "bh").tolist() == pytest.approx(INFARCTION_BH, abs=5e-9)
    assert (adjust_p(INFARCTION, "bh") <= 0.05).tolist() == [True] * 4 + [False] * 11


def test_holm_rejects_the_three_of_them_that_bonferroni_rejects():
    assert (adjust_p(INFARCTION, "holm") <= 0.05).tolist() == [True] * 3 + [False] * 12


def test_adjusted_values_are_those_of_the_formulas():
    holm, bh = adjust_p(INFARCTION, "holm"), adjust_p(INFARCTION, "bh")
    assert holm[:4].tolist() == pytest.approx([15 * 0.0001, 14 * 0.0004, 13 * 0.0019, 12 * 0.0095])
    assert bh[:4].tolist() == pytest.approx([0.0015, 15 / 2 * 0.0004, 15 / 3 * 0.0019, 15 / 4 * 0.0095])
    assert bh.iloc[5] == pytest.approx(min(15 / 6 * 0.0278, 15 / 7 * 0.0298, 15 / 8 * 0.0344))


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_missing_values_stay_missing_and_do_not_count_as_tests(method):
    some = pd.Series([0.01, np.nan, 0.04, np.nan], index=list("abcd"))
    adjusted = adjust_p(some, method)
    assert list(adjusted.index) == list("abcd")
    assert adjusted.isna().tolist() == [False, True, False, True]
    assert adjusted[["a", "c"]].tolist() == adjust_p([0.01, 0.04], method).tolist() == [0.02, 0.04]
    assert some.tolist()[2] == 0.04


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_none_one_and_ties(method):
    assert adjust_p([], method).empty
    assert adjust_p([np.nan], method).isna().all()
    assert adjust_p([0.03], method).tolist() == [0.03]
    assert adjust_p([0.02, 0.02, 0.02], method).nunique() == 1
    assert adjust_p([0.9, 0.9, 0.9], method).max() <= 1


def test_an_unknown_method_and_an_impossible_value_are_named():
    with pytest.raises(ValueError, match="bonferroni"):
        adjust_p([0.1], "bonferroni")
    with pytest.raises(ValueError, match=r"1\.5"):
        adjust_p([0.1, 1.5])
