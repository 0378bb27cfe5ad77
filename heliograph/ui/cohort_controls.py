"""What a cohort page is asked: by what to group, which results, which biomarker. All of it lives in the address,
so that a view can be kept and shared; no participant's label ever does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeVar

import streamlit as st

from heliograph.store import AGE_BANDS, DAY_PARTS, WEEKDAYS, CohortFilter, CohortOptions
from heliograph.ui.cohort_words import (
    AGE_TITLES,
    ARM,
    DAY_PART_TITLES,
    describe_filter,
    list_groupings,
    title_of_grouping,
)
from heliograph.ui.demographics import describe_language, describe_sex
from heliograph.ui.markup import escape
from thymia_api import BIOMARKERS, Biomarker

__all__ = [
    "CHOICE_PX",
    "VIEWS",
    "CohortChoice",
    "choose_cohort",
    "clear_filters",
]

VIEWS = ("Groups", "Over time", "Heat map", "Levels", "Correlations", "Models")
WITHOUT_GROUPS = ("Heat map", "Correlations")
ALL_BIOMARKERS = ("Correlations", "Models")
CHOICE_PX = 170  # Two of them fit side by side on a phone.
TAG_VALUES = ("cohorts_tag", "cohorts_value")
CHOSEN_ONE = ("cohorts_arm", *TAG_VALUES, "cohorts_sex", "cohorts_language", "cohorts_since", "cohorts_until")
CHOSEN_MANY = ("cohorts_age", "cohorts_weekday", "cohorts_part")

T = TypeVar("T")


@dataclass(frozen=True)
class CohortChoice:
    """The store's grouping, its name inside a title, the biomarker, the filter, and the filter in words."""

    grouping: str
    grouping_title: str
    biomarker: Biomarker
    cohort_filter: CohortFilter
    chosen: str


def choose_cohort(options: CohortOptions, view: str) -> CohortChoice:
    """Draw the grouping, the biomarker and the filters; what plays no part in the view is greyed out and kept."""
    groupings = list_groupings(options.tags)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _forget_unknown("cohorts_group", list(groupings))
        words = st.selectbox(
            "Group by", list(groupings), key="cohorts_group",
            bind="query-params", persist_state="session", width=CHOICE_PX,
            disabled=view in WITHOUT_GROUPS,
        )  # fmt: skip
        biomarker = _choose_biomarker(view)
        with st.popover("Filters", icon=":material/filter_alt:", key="cohorts_filters"):
            cohort_filter = _show_filters(options)
    chosen = describe_filter(cohort_filter)
    if chosen:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"Only {escape(chosen)}.", width="content")
            st.button(
                "Clear filters", key="cohorts_clear", icon=":material/close:", type="tertiary",
                on_click=clear_filters,
            )  # fmt: skip
    grouping = groupings.get(words or "", "none")
    return CohortChoice(grouping, title_of_grouping(grouping), biomarker, cohort_filter, chosen)


def _choose_biomarker(view: str) -> Biomarker:
    """Draw the choice of one biomarker; for levels, of those that have them."""
    offered = {biomarker.title: biomarker for biomarker in BIOMARKERS if biomarker.bucketed or view != "Levels"}
    _forget_unknown("cohorts_biomarker", list(offered))
    title = st.selectbox(
        "Biomarker", list(offered), key="cohorts_biomarker",
        bind="query-params", persist_state="session", width=CHOICE_PX,
        disabled=view in ALL_BIOMARKERS,
    )  # fmt: skip
    return offered.get(title or "", next(iter(offered.values())))


def clear_filters() -> None:
    """Take every filter back, in the address too."""
    for key in CHOSEN_ONE:
        st.session_state[key] = None
    for key in CHOSEN_MANY:
        st.session_state[key] = []


def _show_filters(options: CohortOptions) -> CohortFilter:
    tags = {name: values for name, values in options.tags.items() if values}
    chosen_tags: dict[str, str] = {}
    with st.container(horizontal=True):
        since = _show_date("From", "cohorts_since")
        until = _show_date("To", "cohorts_until")
    if ARM in tags:
        _add_tag(chosen_tags, ARM, _show_one("Study arm", tags[ARM], "cohorts_arm"))
    others = [name for name in tags if name != ARM]
    if others:
        with st.container(horizontal=True):
            name = _show_one("Tag", others, TAG_VALUES[0], width=150)
            value = _show_one("Tag's value", tags.get(name or "", ()), TAG_VALUES[1], width=150)
        _add_tag(chosen_tags, name, value)
    with st.container(horizontal=True):
        sex = _show_coded("Birth sex", {describe_sex(code): code for code in options.birth_sexes}, "cohorts_sex")
        languages = {describe_language(code): code for code in options.languages}
        language = _show_coded("Language", languages, "cohorts_language")
    ages = _show_many("Age", {AGE_TITLES[band]: band for band in AGE_BANDS}, "cohorts_age")
    parts = _show_many("Time of day", {DAY_PART_TITLES[part]: part for part in DAY_PARTS}, "cohorts_part")
    weekdays = _show_many("Weekday", {day: number for number, day in enumerate(WEEKDAYS)}, "cohorts_weekday")
    return CohortFilter(
        since_local=since.isoformat() if since else None,
        until_local=(until + timedelta(days=1)).isoformat() if until else None,
        tags=chosen_tags,
        birth_sex=sex,
        language=language,
        age_bands=ages,
        weekdays=weekdays,
        day_parts=parts,
    )


def _add_tag(tags: dict[str, str], name: str | None, value: str | None) -> None:
    if name is not None and value is not None:
        tags[name] = value


def _show_date(label: str, key: str) -> date | None:
    chosen = st.date_input(
        label, value=None, key=key, bind="query-params", persist_state="session", format="YYYY-MM-DD", width=150,
        min_value=date(2000, 1, 1), max_value=date(2100, 1, 1),
    )  # fmt: skip
    return chosen if isinstance(chosen, date) else None


def _show_one(
    label: str, offered: Sequence[str], key: str, *, width: int | Literal["stretch"] = "stretch"
) -> str | None:
    _forget_unknown(key, offered)
    return st.selectbox(
        label, offered, index=None, key=key,
        bind="query-params", persist_state="session", placeholder="Any", width=width,
        disabled=not offered,
    )  # fmt: skip


def _show_coded(label: str, offered: dict[str, str], key: str) -> str | None:
    words = _show_one(label, list(offered), key, width=150)
    return offered.get(words or "")


def _show_many(label: str, offered: dict[str, T], key: str) -> tuple[T, ...]:
    chosen = st.multiselect(
        label, list(offered), key=key, bind="query-params", persist_state="session", placeholder="Any"
    )
    return tuple(offered[words] for words in chosen if words in offered)


def _forget_unknown(key: str, offered: Sequence[str]) -> None:
    """A value of another workspace or tag would stop the widget; it is taken for none."""
    if st.session_state.get(key) not in (None, *offered):
        st.session_state.pop(key, None)
