"""Which runs a question about a cohort touches, and into which groups they fall, as SQL over the narrow table
`cohort`. Queries go from participant to participant and, within each, through the days asked for: what they cost
grows with the rows they touch, not with the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from heliograph.store._database import Store
from heliograph.store._rows import select_rows, select_value
from heliograph.store._run_queries import TAG_NAMES, TAG_VALUES

if TYPE_CHECKING:
    import numpy as np

CONTINUOUS_COLUMNS = (
    "mental_strain",
    "uniform_distress",
    "uniform_stress",
    "uniform_exhaustion",
    "uniform_sleep_propensity",
    "uniform_low_self_esteem",
)
"""The scores that may be averaged."""
LEVEL_COLUMNS = ("distress", "stress", "exhaustion", "sleep_propensity", "low_self_esteem")
"""The scores that are levels 0 to 3 in a cohort's frames."""
AGE_BANDS = ("under 18", "18-29", "30-39", "40-49", "50-59", "60+")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_PARTS = ("night", "morning", "afternoon", "evening")
"""Six hours each, the night from midnight on."""
EVERYBODY = "all"
"""The name of the one group there is without grouping."""
NOT_SET = "(not set)"
"""The group of the runs without the tag, or of participants whose age is not known."""

PERIODS = ("none", "week")
MAX_OPTIONS = 200
FIRST_SESSION, LAST_SESSION = (
    f"SELECT {which}(session_local) FROM runs INDEXED BY runs_state_session WHERE state = 'complete_ok'"  # noqa: S608
    for which in ("min", "max")
)
_UNTAGGED = "tag:"
_FIRST_DAY, _LAST_DAY = -1_000_000, 10_000_000
_WEEKDAY = "((c.day + 3) % 7 + 7) % 7"  # day 0, 1970-01-01, was a Thursday
_MONDAY = f"c.day - {_WEEKDAY}"
_AGE_BAND = "CASE WHEN c.age < 18 THEN 0 WHEN c.age < 30 THEN 1 WHEN c.age < 60 THEN c.age / 10 - 1 ELSE 5 END"
_AGE_BAND_OR_NONE = f"CASE WHEN c.age IS NULL THEN -1 ELSE {_AGE_BAND} END"
_DAY_PART = "c.minute / 360"
_EPOCH = date(1970, 1, 1).toordinal()
_CODED: dict[str, tuple[str, tuple[str, ...]]] = {
    "age_band": (_AGE_BAND_OR_NONE, AGE_BANDS),
    "weekday": (_WEEKDAY, WEEKDAYS),
    "day_part": (_DAY_PART, DAY_PARTS),
}
_FACTS = ("birth_sex", "language")
GROUPINGS = ("none", "birth_sex", "age_band", "language", "week", "weekday", "day_part")
"""What runs may be grouped by, besides `tag:<name>`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortFilter:
    """Which runs a question is about; all conditions hold together and an empty one lets everything pass.
    `since_local` (inclusive) and `until_local` (exclusive) are days; tags match exactly; `weekdays` count from 0
    for Monday; `age_bands` and `day_parts` are of `AGE_BANDS` and `DAY_PARTS`."""

    since_local: str | None = None
    until_local: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    birth_sex: str | None = None
    language: str | None = None
    age_bands: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    day_parts: tuple[str, ...] = ()
    participant_ids: tuple[int, ...] | None = None


EVERY_RESULT = CohortFilter()


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortOptions:
    """What can be filtered and grouped by: the values of each tag, languages and sexes as participants have them
    now, and the days of the first and the last result (None without any)."""

    tags: Mapping[str, tuple[str, ...]]
    languages: tuple[str, ...]
    birth_sexes: tuple[str, ...]
    first_day: str | None
    last_day: str | None


@dataclass(slots=True)
class CohortQuery:
    """A question's rows, `c`, by participant (`p.id`) and day, and what it binds."""

    people: str = "participants AS p NOT INDEXED"  # by id: the order in which cohort is stored
    conditions: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The rows, to stand after FROM."""
        return f"{self.people} CROSS JOIN cohort AS c ON {self.where}"

    @property
    def where(self) -> str:
        """The condition of a row `c` of the participant `p`."""
        return " AND ".join(self.conditions)

    def bind(self, value: object) -> str:
        """A parameter that holds `value`."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"


def load_cohort_options(store: Store) -> CohortOptions:
    """What there is to filter and group by; at most `MAX_OPTIONS` tags and values each. The cost grows with
    participants and different tags, not with runs."""
    most = {"limit": MAX_OPTIONS}
    with store.read() as db:
        names = [row["name"] for row in select_rows(db, TAG_NAMES, most)]
        tags = {
            name: tuple(row["value"] for row in select_rows(db, TAG_VALUES, {"name": name, **most}))
            for name in names
        }
        facts = select_rows(db, "SELECT DISTINCT language, birth_sex FROM participants")
        first, last = (select_value(db, sql) for sql in (FIRST_SESSION, LAST_SESSION))
    return CohortOptions(
        tags=tags,
        languages=tuple(sorted({row["language"] for row in facts})),
        birth_sexes=tuple(sorted({row["birth_sex"] for row in facts})),
        first_day=None if first is None else first[:10],
        last_day=None if last is None else last[:10],
    )


def build_query(cohort_filter: CohortFilter, *, participant_ids: Sequence[int] | None = None) -> CohortQuery:
    """The rows that pass the filter, of `participant_ids` alone when given. ValueError for an age band, weekday
    or part of the day that there is not, or a date that is none."""
    query = CohortQuery()
    since = _FIRST_DAY if cohort_filter.since_local is None else to_day(cohort_filter.since_local)
    until = _LAST_DAY if cohort_filter.until_local is None else to_day(cohort_filter.until_local)
    people = cohort_filter.participant_ids if participant_ids is None else participant_ids
    if people is not None:
        query.people = f"(SELECT value AS id FROM json_each({query.bind(list_ids(people))})) AS p"  # noqa: S608
    query.conditions += [
        "c.participant_id = p.id",
        f"c.day >= {query.bind(since)}",
        f"c.day < {query.bind(until)}",
        *_build_conditions(query, cohort_filter),
    ]
    return query


def build_group(query: CohortQuery, group: str) -> str | None:
    """The expression of a run's group, None for one group of all; see `name_groups`. ValueError for a grouping
    that there is not."""
    if group == "none":
        return None
    if group in _CODED:
        return _CODED[group][0]
    if group == "week":
        return _MONDAY
    if group in _FACTS:
        return f"c.{group}"
    if group.startswith(_UNTAGGED) and group != _UNTAGGED:
        return f"coalesce({build_tag(query, group.removeprefix(_UNTAGGED))}, {query.bind(NOT_SET)})"
    raise ValueError(f"runs cannot be grouped by {group!r}")


def build_period(period: str) -> str | None:
    """The expression of a run's period (the day of its Monday), None for no periods."""
    if period not in PERIODS:
        raise ValueError(f"the period must be one of {', '.join(PERIODS)}, not {period!r}")
    return None if period == "none" else _MONDAY


def build_tag(query: CohortQuery, name: str) -> str:
    """The value of a tag of the run."""
    return _build_json(query, "tags", name, "SELECT value FROM tags WHERE run_id = c.run_id AND name = {}")


def build_rating(query: CohortQuery, scale: str) -> str:
    """The run's rating on a scale."""
    return _build_json(query, "ratings", scale, "SELECT value FROM ratings WHERE run_id = c.run_id AND scale = {}")


def name_groups(group: str, codes: np.ndarray[Any, Any], values: Sequence[Any]) -> Any:
    """The names of the groups, as a column of text: for each of `codes` that of the value (which the expression of
    the group gave) at that place."""
    import numpy as np
    import pandas as pd

    if group == "none":
        names = [EVERYBODY for _ in values]
    elif group == "week":
        names = [date.fromordinal(value + _EPOCH).isoformat() for value in values]
    elif group in _CODED:
        known = (*_CODED[group][1], NOT_SET)
        names = [known[value] for value in values]  # -1, not known, is the last
    else:
        names = list(values)
    return pd.array(np.array(names, dtype=object), dtype="str").take(codes)


def list_ids(participant_ids: Sequence[int]) -> str:
    """Ids as SQLite's `json_each` takes them, sorted and each once."""
    return "[" + ",".join(str(int(number)) for number in sorted(set(participant_ids))) + "]"


def to_day(text: str) -> int:
    """The day's number, counted from 1970-01-01; ValueError for a text that does not begin with one."""
    try:
        return date.fromisoformat(text[:10]).toordinal() - _EPOCH
    except ValueError:
        raise ValueError(f"{text!r} is no day as YYYY-MM-DD") from None


def _build_conditions(query: CohortQuery, wanted: CohortFilter) -> list[str]:
    conditions = [f"{build_tag(query, name)} = {query.bind(value)}" for name, value in wanted.tags.items()]
    if wanted.birth_sex is not None:
        conditions.append(f"c.birth_sex = {query.bind(wanted.birth_sex)}")
    if wanted.language is not None:
        conditions.append(f"c.language = {query.bind(wanted.language)}")
    if wanted.age_bands:
        conditions.append(f"{_AGE_BAND_OR_NONE} IN ({_list_codes('age band', wanted.age_bands, AGE_BANDS)})")
    if wanted.weekdays:
        conditions.append(f"{_WEEKDAY} IN ({_list_codes('weekday', wanted.weekdays, range(7))})")
    if wanted.day_parts:
        conditions.append(f"{_DAY_PART} IN ({_list_codes('part of the day', wanted.day_parts, DAY_PARTS)})")
    return conditions


def _list_codes(what: str, chosen: Sequence[Any], known: Sequence[Any]) -> str:
    unknown = [value for value in chosen if value not in known]
    if unknown:
        raise ValueError(f"there is no {what} {unknown[0]!r}")
    return ", ".join(str(known.index(value)) for value in chosen)


def _build_json(query: CohortQuery, column: str, name: str, lookup: str) -> str:
    """A member of a JSON object of the row; one whose name JSON has to escape is looked up where it comes from,
    as not every SQLite finds it."""
    if '"' in name or "\\" in name or any(ord(character) < 32 for character in name):
        return f"({lookup.format(query.bind(name))})"
    member = query.bind(f'$."{name}"')
    return f"json_extract(c.{column}, {member})"
