"""What groups and filters of a cohort are called on the screen, and the order in which groups are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from heliograph.store import AGE_BANDS, DAY_PARTS, EVERYBODY, NOT_SET, WEEKDAYS, CohortFilter
from heliograph.ui.demographics import describe_language, describe_sex
from heliograph.ui.formats import plain_line

__all__ = [
    "AGE_TITLES",
    "ARM",
    "DAY_PART_TITLES",
    "describe_filter",
    "list_groupings",
    "name_groups",
    "title_of_grouping",
]

ARM = "arm"
"""The tag that holds the study arm."""
NO_GROUPING = "No grouping"
FIXED = {
    "Birth sex": "birth_sex",
    "Age band": "age_band",
    "Language": "language",
    "Week": "week",
    "Weekday": "weekday",
    "Time of day": "day_part",
}
AGE_TITLES = {band: band.replace("-", "–") for band in AGE_BANDS} | {"under 18": "Under 18", "60+": "60 and over"}
DAY_PART_TITLES = {
    "night": "Night (0–6 h)",
    "morning": "Morning (6–12 h)",
    "afternoon": "Afternoon (12–18 h)",
    "evening": "Evening (18–24 h)",
}
NOT_GIVEN = "Not given"


def list_groupings(tag_names: Iterable[str]) -> dict[str, str]:
    """What can be grouped by: the words on the screen → the store's grouping. The study arm comes first."""
    names = list(tag_names)
    groupings = {NO_GROUPING: "none"}
    if ARM in names:
        groupings["Study arm"] = f"tag:{ARM}"
    groupings |= FIXED
    return groupings | {f"Tag: {plain_line(name)}": f"tag:{name}" for name in names if name != ARM}


def title_of_grouping(grouping: str) -> str:
    """The grouping inside a title: `study arm`, `week`, the tag's own name; empty for none."""
    if grouping == "none":
        return ""
    if grouping == f"tag:{ARM}":
        return "study arm"
    if grouping.startswith("tag:"):
        return plain_line(grouping.removeprefix("tag:"))
    return next(words for words, value in FIXED.items() if value == grouping).lower()


def name_groups(grouping: str, values: Iterable[str]) -> dict[str, str]:
    """The groups' names in the order in which they are shown: the grouping's own, otherwise alphabetical; runs
    without the tag come last."""
    found = set(values)
    fixed = _titles_of(grouping)
    known = [value for value in fixed if value in found]
    others = sorted(found - set(known) - {NOT_SET}, key=lambda value: (value.casefold(), value))
    names = {value: fixed[value] for value in known} | {value: _name_group(grouping, value) for value in others}
    return names | ({NOT_SET: _name_missing(grouping)} if NOT_SET in found else {})


def describe_filter(cohort_filter: CohortFilter) -> str:
    """What was chosen, in words: `birth sex female, mornings, from 02 Mar 2026`; empty when nothing was."""
    tags = cohort_filter.tags.items()
    parts = [f"{title_of_grouping('tag:' + name)} {plain_line(value)}" for name, value in tags]
    if cohort_filter.birth_sex:
        parts.append(f"birth sex {describe_sex(cohort_filter.birth_sex).lower()}")
    if cohort_filter.age_bands:
        parts.append("age " + " or ".join(AGE_TITLES[band].lower() for band in cohort_filter.age_bands))
    if cohort_filter.language:
        parts.append(describe_language(cohort_filter.language))
    if cohort_filter.weekdays:
        parts.append(" or ".join(WEEKDAYS[day] for day in cohort_filter.weekdays))
    if cohort_filter.day_parts:
        parts.append(" or ".join(cohort_filter.day_parts))
    if cohort_filter.since_local:
        parts.append(f"from {_write_day(cohort_filter.since_local)}")
    if cohort_filter.until_local:
        last = date.fromisoformat(cohort_filter.until_local) - timedelta(days=1)
        parts.append(f"to {last:%d %b %Y}")
    return ", ".join(parts)


def _titles_of(grouping: str) -> Mapping[str, str]:
    return {
        "none": {EVERYBODY: "All participants"},
        "age_band": AGE_TITLES,
        "weekday": {day: day for day in WEEKDAYS},
        "day_part": {part: DAY_PART_TITLES[part] for part in DAY_PARTS},
    }.get(grouping, {})


def _name_group(grouping: str, value: str) -> str:
    if grouping == "week":
        return f"Week of {_write_day(value)}"
    if grouping == "birth_sex":
        return describe_sex(value)
    return describe_language(value) if grouping == "language" else plain_line(value) or NOT_GIVEN


def _name_missing(grouping: str) -> str:
    return f"Without {title_of_grouping(grouping)}" if grouping.startswith("tag:") else "Age not known"


def _write_day(text: str) -> str:
    return f"{date.fromisoformat(text[:10]):%d %b %Y}"
