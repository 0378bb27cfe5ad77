"""What groups and filters are called, and in which order groups stand."""

from __future__ import annotations

import pytest

from heliograph.store import NOT_SET, CohortFilter
from heliograph.ui.cohort_words import describe_filter, list_groupings, name_groups, title_of_grouping


def test_the_study_arm_is_the_tag_of_that_name_and_other_tags_come_last():
    offered = list_groupings(["shift", "arm", "site"])
    assert offered["Study arm"] == "tag:arm"
    assert list(offered)[:2] == ["No grouping", "Study arm"]
    assert list(offered)[-2:] == ["Tag: shift", "Tag: site"]
    assert "Study arm" not in list_groupings([])


@pytest.mark.parametrize(
    ("grouping", "values", "titles"),
    [
        ("none", ["all"], ["All participants"]),
        ("age_band", ["60+", "18-29", "under 18"], ["Under 18", "18–29", "60 and over"]),
        ("weekday", ["Sunday", "Monday"], ["Monday", "Sunday"]),
        ("day_part", ["evening", "night"], ["Night (0–6 h)", "Evening (18–24 h)"]),
        ("week", ["2026-03-09", "2026-03-02"], ["Week of 02 Mar 2026", "Week of 09 Mar 2026"]),
        ("birth_sex", ["MALE", "FEMALE"], ["Female", "Male"]),
        ("tag:arm", ["b", NOT_SET, "A"], ["A", "b", "Without study arm"]),
        ("age_band", [NOT_SET, "30-39"], ["30–39", "Age not known"]),
        ("tag:shift", [], []),
    ],
)
def test_groups_stand_in_their_own_order_and_missing_ones_last(grouping, values, titles):
    assert list(name_groups(grouping, values).values()) == titles


def test_every_grouping_has_a_name_for_titles():
    assert title_of_grouping("none") == ""
    assert title_of_grouping("tag:arm") == "study arm"
    assert title_of_grouping("tag:two  lines\nlong") == "two lines long"
    assert title_of_grouping("day_part") == "time of day"


def test_a_filter_is_told_in_words_with_its_last_day_inside():
    wanted = CohortFilter(
        since_local="2026-03-02", until_local="2026-04-01", tags={"arm": "B"}, birth_sex="FEMALE",
        age_bands=("18-29", "60+"), weekdays=(0, 4), day_parts=("morning",),
    )  # fmt: skip
    assert describe_filter(wanted) == (
        "study arm B, birth sex female, age 18–29 or 60 and over, Monday or Friday, morning,"
        " from 02 Mar 2026, to 31 Mar 2026"
    )
    assert describe_filter(CohortFilter()) == ""
