"""What the models found: a figure, a table and, in words, everything that a reader must know about the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from heliograph.analysis import mark_small
from heliograph.charts import Mode
from heliograph.charts.cohort_estimates import plot_cohort_estimates
from heliograph.store import Sample
from heliograph.ui.cohort_data import CohortScene, hide_small, tell_hidden
from heliograph.ui.cohort_patterns import tell_sample
from heliograph.ui.figures import show_chart
from heliograph.ui.markup import escape
from thymia_api import BIOMARKERS

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["FittedModels", "show_fitted"]

TITLES = {name: b.title for b in BIOMARKERS for name in (b.continuous, b.bucketed) if name}
SMALL_RATIO = 0.095
ALL_ROWS = 60  # Longer tables scroll.
MIXED_WORDS = (
    "Linear mixed model: each participant has an own level, and an own change per week where the data allow it."
    " Estimates are differences of scores from 0 to 1; above zero is worse."
    " Weeks count from each participant's first result."
)
PAIRED_WORDS = (
    "Mean change of the participants who have results in both; the interval is from a bootstrap over participants."
    " d_z and g_av are effect sizes: the change over the spread of changes, and over the spread of participants."
)
LEVEL_WORDS = (
    "Proportional odds of a higher level, with intervals that allow for repeated results of a participant. An odds"
    " ratio above 1 means that higher, worse levels are more frequent. Mental strain has no levels."
)


@dataclass(frozen=True)
class FittedModels:
    """The tables of a fit, the words for the pair that was compared, and what the models were fitted to."""

    mixed: pd.DataFrame
    levels: pd.DataFrame
    paired: pd.DataFrame
    paired_words: str
    sample: Sample


@dataclass(frozen=True)
class Part:
    """One of the three models: its heading, its figure's title, its explanation, and how it is labelled."""

    key: str
    heading: str
    title: str
    words: str
    unit: str
    effects: tuple[str, ...] = ()
    ratio: bool = False


MIXED = Part(
    "mixed", "Groups and time", "Mixed models", MIXED_WORDS, "Difference of scores · <b>above 0 is worse</b>"
)
PAIRED = Part(
    "paired", "Change within participants", "Change within participants", PAIRED_WORDS,
    "Mean change · <b>above 0 is worse</b>",
    effects=("d_z", "hedges_g_av"),
)  # fmt: skip
LEVELS = Part(
    "levels", "Levels", "Models of levels", LEVEL_WORDS, "Odds ratio · <b>above 1 is worse</b>", ratio=True
)
EFFECT_NAMES = {"d_z": "d_z", "hedges_g_av": "g_av"}


def show_fitted(scene: CohortScene, fitted: FittedModels) -> None:
    """Draw the results of all models."""
    tell_sample(fitted.sample)
    for part, table in ((MIXED, fitted.mixed), (PAIRED, fitted.paired), (LEVELS, fitted.levels)):
        _show_part(scene, part, table)


def _show_part(scene: CohortScene, part: Part, table: pd.DataFrame) -> None:
    st.subheader(part.heading, anchor=False)
    st.caption(part.words)
    if table.empty:
        st.info("Nothing to compare: choose a grouping, or let scores change per week.")
        return
    marked = mark_small(table, scene.settings.small_group)
    shown = hide_small(marked, scene.settings)
    tell_hidden(len(marked) - len(shown), "row", scene.settings)
    known = shown[shown["estimate"].notna()]
    if known.empty:
        for text in dict.fromkeys(str(text) for text in shown["problems"] if text):
            st.info(escape(text))
        return
    compared = known[known["kind"] != "intercept"] if "kind" in known else known
    if len(compared):
        _show_figure(scene, part, compared)
    _show_table(scene, part, shown)
    _show_problems(shown)


def _show_figure(scene: CohortScene, part: Part, table: pd.DataFrame) -> None:
    about = scene.make_about()
    by = f" by {scene.choice.grouping_title}" if scene.choice.grouping_title and part is not PAIRED else ""
    confidence = scene.settings.confidence
    method = next((str(text).partition(" over ")[0] for text in table["p_method"] if text), "not adjusted")
    notes = [f"p adjusted over the biomarkers of a panel: {method}"]

    def make(mode: Mode) -> go.Figure:
        return plot_cohort_estimates(
            table, title=f"{part.title}{by}", unit=part.unit, notes=notes, confidence=confidence, about=about,
            mode=mode, ratio=part.ratio,
        )  # fmt: skip

    show_chart(
        make, key=f"cohorts_model_{part.key}", numbers=table.assign(confidence=confidence),
        file_name=f"heliograph-cohort-model-{part.key}",
        alt=f"{part.heading}: estimates with intervals for each biomarker; the table below has every number",
    )  # fmt: skip


def _show_table(scene: CohortScene, part: Part, table: pd.DataFrame) -> None:
    # By comparison: the biomarkers over which p is adjusted stand together. The reference's own level comes last.
    terms = list(dict.fromkeys(table["term"]))
    levels = set(table["term"][table["kind"] == "intercept"]) if "kind" in table else set()
    order = {term: place for place, term in enumerate(sorted(terms, key=lambda term: term in levels))}
    rows = sorted(table.to_dict("records"), key=lambda row: order[row["term"]])
    columns: dict[str, list[object]] = {
        "Biomarker": [TITLES[str(row["column"])] for row in rows],
        "Comparison": [row["term"] or "not fitted" for row in rows],
        "Odds ratio" if part.ratio else "Estimate": [_write(row["estimate"], ratio=part.ratio) for row in rows],
        f"{scene.settings.confidence:.0%} interval": [_write_interval(row, ratio=part.ratio) for row in rows],
        **{EFFECT_NAMES[name]: [_write(row[name]) for row in rows] for name in part.effects},
        "p": [_write_p(row["p"]) for row in rows],
        "Adjusted p": [_write_p(row["p_adjusted"]) for row in rows],
        "Adjustment": [row["p_method"] or "–" for row in rows],
        "Participants": [int(row["n_participants"]) for row in rows],
        "Results": [int(row["n_runs"]) for row in rows],
        "Problems": [
            "; ".join([*(["small group"] if row["small"] else []), str(row["problems"])]) for row in rows
        ],
    }
    st.dataframe(
        pd.DataFrame(columns), hide_index=True, key=f"cohorts_table_{part.key}",
        alt=f"{part.heading}: every estimate with interval, p and n",
        height="content" if len(rows) <= ALL_ROWS else "auto",
        column_config={"Problems": st.column_config.TextColumn(width="large")},
    )  # fmt: skip


def _show_problems(table: pd.DataFrame) -> None:
    """Each problem once, with the biomarkers that have it."""
    found: dict[str, list[str]] = {}
    for row in table.to_dict("records"):
        title = TITLES[str(row["column"])]
        if row["problems"] and title not in found.setdefault(str(row["problems"]), []):
            found[str(row["problems"])].append(title)
    if found:
        lines = [f"- **{', '.join(titles)}**: {escape(text)}" for text, titles in found.items()]
        st.markdown("**Read with care**\n" + "\n".join(lines))


def _write(value: float, *, ratio: bool = False) -> str:
    """Differences with their sign and three decimals; ratios with two, small ones with two digits."""
    if pd.isna(value):
        return "–"
    if ratio:
        return f"{value:.2f}" if value >= SMALL_RATIO else f"{value:.2g}"
    text = f"{value:+.3f}".replace("-", "−")
    return "0.000" if text in ("+0.000", "−0.000") else text


def _write_interval(row: dict[str, float], *, ratio: bool) -> str:
    return (
        "–" if pd.isna(row["low"]) else f"{_write(row['low'], ratio=ratio)} to {_write(row['high'], ratio=ratio)}"
    )


def _write_p(p: float) -> str:
    if pd.isna(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
