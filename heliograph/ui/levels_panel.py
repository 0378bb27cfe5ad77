"""What is shown at two levels: on the left within persons, on the right between them, and below all six biomarkers
at both. Each level has a figure, an axis and a table of its own; nothing here takes both at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from heliograph.charts import BIOMARKER_COLOURS, Mode
from heliograph.ui.figures import show_chart
from thymia_api import BIOMARKERS, Biomarker

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from heliograph.analysis.levels_apart import LevelsApart
    from heliograph.charts.cohort_frame import FigureAbout
    from heliograph.charts.two_levels import Slope
    from heliograph.store import StudySettings

__all__ = [
    "ADJUSTMENTS",
    "MINUS",
    "Side",
    "SixWords",
    "format_interval",
    "format_p",
    "show_sides",
    "show_six",
    "tabulate_six",
]

ADJUSTMENTS = {"holm": "Holm", "bh": "Benjamini–Hochberg"}
MINUS = "−"  # As long as the digits, as the axes have it.
LEVELS = {"within": "Within persons", "between": "Between persons"}
SIX_COLUMNS = (
    "name",
    "level",
    "predictor",
    "estimate",
    "low",
    "high",
    "confidence",
    "p",
    "p_adjusted",
    "p_adjusted_by",
    "n_participants",
    "n_runs",
    "df",
    "formula",
    "note",
)


@dataclass(frozen=True)
class Side:
    """The words of one level's figure; user text in `lines`, `notes` and `x_title` is escaped already."""

    asked: str
    title: str
    lines: Sequence[str]
    notes: Sequence[str]
    x_title: str
    slope: Slope | None


@dataclass(frozen=True)
class SixWords:
    """The words of the figure and the tables of all six biomarkers; `units` by level, `limits` of both axes."""

    title: str
    lines: Sequence[str]
    notes: Sequence[str]
    units: Mapping[str, str]
    statistic: str
    limits: tuple[float, float] | None
    digits: int = 2


def show_sides(
    apart: LevelsApart,
    labels: Mapping[int, str],
    sides: Mapping[str, Side | str],
    *,
    biomarker: Biomarker,
    about: FigureAbout,
    key: str,
    file_name: str,
) -> None:
    """Draw both figures side by side (below each other on a phone), each with its downloads. A text instead of a
    side says why there is no such figure."""
    for column, level in zip(st.columns(2, gap="large"), LEVELS, strict=True):
        side = sides[level]
        with column:
            st.subheader(LEVELS[level], anchor=False)
            if isinstance(side, str):
                st.info(side)
                continue
            st.caption(side.asked)
            make = _prepare(level, apart, labels, side, biomarker, about)
            numbers = (
                apart.points if level == "within" else apart.people.drop(columns=["low_x", "high_x", "slope"])
            )
            show_chart(
                make, key=f"{key}_{level}", alt=f"{side.title}: {side.lines[-1]}", numbers=numbers,
                file_name=f"{file_name}-{level}",
            )  # fmt: skip


def tabulate_six(level: str, settings: StudySettings, *, p: Sequence[float], **columns: Any) -> pd.DataFrame:
    """One level's part of the table that `show_six` takes: a row a biomarker, with p adjusted over the six.

    Each of `columns` is one of `SIX_COLUMNS` and has six values, or one for all.
    """
    import pandas as pd

    from heliograph.analysis import adjust_p

    table = pd.DataFrame(
        {
            "name": [biomarker.name for biomarker in BIOMARKERS],
            "level": level,
            "confidence": settings.confidence,
            "p": p,
            "p_adjusted": list(adjust_p(p, settings.p_adjust)),
            "p_adjusted_by": settings.p_adjust,
            **columns,
        }
    )
    return table[[name for name in SIX_COLUMNS if name in table]]


def show_six(table: pd.DataFrame, words: SixWords, *, about: FigureAbout, key: str, file_name: str) -> None:
    """Draw the estimates of the six biomarkers at both levels, and their tables.

    `table` has one row a biomarker and level: `name`, `level`, `estimate`, `low`, `high`, `p_adjusted`,
    `n_participants`, `n_runs`, `note`.
    """
    from heliograph.charts.two_levels import plot_effects

    def make(mode: Mode) -> go.Figure:
        return plot_effects(
            table, title=words.title, lines=words.lines, notes=words.notes, units=words.units, limits=words.limits,
            about=about, mode=mode,
        )  # fmt: skip

    left, right = st.columns(2, gap="large")
    with left:
        show_chart(make, key=f"{key}_six", alt=words.title, numbers=table, file_name=f"{file_name}-all")
    with right:
        for level, title in LEVELS.items():
            if not (table["level"] == level).any():
                continue
            st.markdown(f"**{title}**")
            st.dataframe(
                _make_table(table[table["level"] == level], words), hide_index=True,
                key=f"{key}_{level}_table", column_config={"Biomarker": st.column_config.TextColumn(width=140)},
                alt=f"{words.title}, {title.lower()}",
            )  # fmt: skip
        for note in _list_notes(table):
            st.caption(note)


def format_interval(estimate: float, low: float, high: float, *, digits: int = 2) -> str:
    """`+0.42 [0.30, 0.53]`; a dash for none."""
    if not math.isfinite(estimate):
        return "–"
    text = f"{estimate:+.{digits}f}"
    if math.isfinite(low) and math.isfinite(high):
        text += f" [{low:.{digits}f}, {high:.{digits}f}]"
    return text.replace("-", MINUS)


def format_p(p: float) -> str:
    """`0.013`, `< 0.001`; a dash for none."""
    if not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _prepare(
    level: str,
    apart: LevelsApart,
    labels: Mapping[int, str],
    side: Side,
    biomarker: Biomarker,
    about: FigureAbout,
) -> Any:
    """The figure as a function of light and dark: a download draws it again later, in another thread."""
    from heliograph.charts.two_levels import plot_between, plot_within

    people = apart.people.assign(
        label=[labels.get(int(number), str(number)) for number in apart.people["participant_id"]]
    )

    def make(mode: Mode) -> go.Figure:
        words: dict[str, Any] = {
            "title": side.title, "lines": side.lines, "notes": side.notes, "x_title": side.x_title,
            "colour": BIOMARKER_COLOURS[mode][biomarker.name], "slope": side.slope, "about": about, "mode": mode,
        }  # fmt: skip
        if level == "within":
            return plot_within(apart.points, people[people["n_runs"] >= 2], **words)
        return plot_between(people, **words)

    return make


def _make_table(rows: pd.DataFrame, words: SixWords) -> pd.DataFrame:
    import pandas as pd

    titles = {biomarker.name: biomarker.title for biomarker in BIOMARKERS}
    records = rows.to_dict("records")
    return pd.DataFrame(
        {
            "Biomarker": [titles[str(row["name"])] for row in records],
            words.statistic: [
                format_interval(row["estimate"], row["low"], row["high"], digits=words.digits) for row in records
            ],
            "p adjusted": [format_p(row["p_adjusted"]) for row in records],
            "Participants": [int(row["n_participants"]) for row in records],
            "Runs": [int(row["n_runs"]) for row in records],
        }
    )


def _list_notes(table: pd.DataFrame) -> list[str]:
    """Each note once, with the biomarkers that it is about."""
    titles = {biomarker.name: biomarker.title for biomarker in BIOMARKERS}
    about: dict[tuple[str, str], list[str]] = {}
    for row in table.to_dict("records"):
        if row["note"]:
            about.setdefault((str(row["level"]), str(row["note"])), []).append(titles[str(row["name"])])
    return [
        f"{LEVELS[level]}, {'all six' if len(names) == len(titles) else ', '.join(names)}: {note}."
        for (level, note), names in about.items()
    ]
