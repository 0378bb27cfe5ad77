"""Two self-report measures on one scale: how far apart they lie (Bland and Altman). Only a researcher can say that
two measures mean the same on the same range; without that word nothing is drawn, and the page says why."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import streamlit as st

from heliograph.charts import Mode, escape_plotly
from heliograph.store import Store, load_labels, load_study_settings
from heliograph.ui.figures import show_chart
from heliograph.ui.levels_panel import MINUS
from heliograph.ui.markup import escape
from heliograph.ui.self_report_agreement import show_no_self_report
from heliograph.ui.self_report_measures import Measure, choose_measure, load_measure_values, load_measures
from heliograph.ui.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from heliograph.analysis import BlandAltman

__all__ = ["pair_measures", "show_same_scale"]

PERCENT = 100.0
FIELD_PX = 250
LEAD = (
    "Limits of agreement tell by how much two measures **of the same thing** differ. They need one scale: a score"
    " of the voice shares no unit with a rating, so biomarkers are compared under *Beside the voice* only."
)


@st.fragment
def show_same_scale(workspace: Workspace) -> None:
    """Draw the choices and, once both measures are declared to be on one scale, the limits of agreement."""
    measures = load_measures(workspace.store)
    if not measures:
        show_no_self_report()
        return
    st.markdown(LEAD)
    if len(measures) < 2:
        st.info(f"There is one measure so far ({escape(measures[0].title)}). A second one is needed to compare.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        first = choose_measure(measures, "First measure", key="selfreport_first")
        second = choose_measure(measures, "Second measure", key="selfreport_second", default=1)
    if first.key == second.key and first.is_rating == second.is_rating:
        st.info("Choose two different measures.")
        return
    first, second = _ask_range(first, "first"), _ask_range(second, "second")
    same_range = (first.low, first.high) == (second.low, second.high)
    within_days = 0
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if not (first.is_rating and second.is_rating):
            within_days = int(
                st.number_input("Days apart, at most", 0, 31, value=3, key="selfreport_apart", width=170)
            )
        declared = st.checkbox(
            "I declare: both measure the same thing",
            key=f"selfreport_declared_{first.is_rating}_{first.key}_{second.key}",
            help="And the ends of both ranges mean the same: none of it, and the most possible.",
        )
    reason = _why_not(first, second, declared)
    if reason:
        st.info(reason)
        return
    pairs = pair_measures(workspace.store, first, second, within_days=within_days)
    if not same_range:
        pairs = pairs.assign(first=_to_share(pairs["first"], first), second=_to_share(pairs["second"], second))
    _show_pairs(workspace, first, second, pairs, "% of the range" if not same_range else "points", within_days)


def pair_measures(store: Store, first: Measure, second: Measure, *, within_days: int) -> pd.DataFrame:
    """Values of both measures that belong together: of the same run for two ratings, else the nearest in time of
    the same participant, at most `within_days` days apart; each value is used once. Columns `participant_id`,
    `at`, `first`, `second`."""
    import pandas as pd

    one = load_measure_values(store, first).rename(columns={"value": "first"})
    other = load_measure_values(store, second).rename(columns={"value": "second"})
    if first.is_rating and second.is_rating:
        return one.merge(other, on=["participant_id", "at"], validate="m:m").drop_duplicates(
            ["participant_id", "at"]
        )
    # Questionnaires are known to the day; a rating's clock time must not push it out of the same day.
    one, other = (frame.assign(day=frame["at"].astype("datetime64[s]").dt.normalize()) for frame in (one, other))
    joined = pd.merge_asof(
        one.sort_values("day"), other.drop(columns="at").assign(other_day=other["day"]).sort_values("day"),
        on="day", by="participant_id", direction="nearest", tolerance=pd.Timedelta(days=within_days),
    ).dropna(subset=["second"])  # fmt: skip
    apart = (joined["day"] - joined["other_day"]).abs()
    joined = joined.assign(apart=apart).sort_values(["participant_id", "apart", "day"])
    return joined.drop_duplicates(["participant_id", "other_day"])[["participant_id", "at", "first", "second"]]


def _ask_range(measure: Measure, place: str) -> Measure:
    """The measure with the ends of its range; those of a questionnaire are the researcher's to say."""
    if measure.is_rating and measure.low is not None:
        return measure
    key, title = f"selfreport_{place}_{measure.key}", escape(measure.title)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        low, high = (
            st.number_input(
                f"{words} possible total of {title}", value=None, key=f"{key}_{end}", width=FIELD_PX, step=1.0,
                format="%g",
            )
            for words, end in (("Lowest", "low"), ("Highest", "high"))
        )  # fmt: skip
    return replace(measure, low=low, high=high)


def _why_not(first: Measure, second: Measure, declared: bool) -> str:
    for measure in (first, second):
        if measure.low is None or measure.high is None:
            return f"Not drawn yet: enter the lowest and highest possible total of {escape(measure.title)}."
        if measure.low >= measure.high:
            return f"Not drawn: the lowest total of {escape(measure.title)} must be below the highest."
    if not declared:
        same = (first.low, first.high) == (second.low, second.high)
        ranges = "have the same range" if same else "have different ranges and would be rescaled to 0–100 %"
        return (
            f"Not drawn yet: {escape(first.title)} and {escape(second.title)} {ranges}, but only you know whether"
            " they measure the same thing. Tick the declaration if they do."
        )
    return ""


def _to_share(values: pd.Series, measure: Measure) -> pd.Series:
    low, high = measure.low or 0.0, measure.high or 1.0
    return (values - low) / (high - low) * PERCENT


def _show_pairs(
    workspace: Workspace, first: Measure, second: Measure, pairs: pd.DataFrame, unit: str, within_days: int
) -> None:
    from heliograph.analysis import compute_bland_altman
    from heliograph.charts.agreement import plot_bland_altman
    from heliograph.charts.cohort_frame import FigureAbout

    if not len(pairs):
        near = f"at most {within_days} days apart" if within_days else "of the same day"
        st.info(f"No pairs yet: nobody has both measures {near}.")
        return
    settings = load_study_settings(workspace.store)
    found = compute_bland_altman(
        pairs["first"], pairs["second"], persons=pairs["participant_id"], confidence=settings.confidence
    )
    labels = load_labels(workspace.store, [int(number) for number in pairs["participant_id"].unique()])
    named = pairs.assign(label=[labels.get(int(number), "") for number in pairs["participant_id"]])
    about = FigureAbout(workspace.name, workspace.synthetic, date.today())
    lines = [
        f"{escape_plotly(first.title, max_chars=36)}, minus",
        f"{escape_plotly(second.title, max_chars=36)}",
        f"n = {found.n} pairs of {found.n_participants} participants",
    ]
    several = found.n > found.n_participants
    level = f"{100 * settings.confidence:g} %"
    notes = [f"Dashed: 95 % of differences lie between · bands: {level} intervals"]
    if several:
        notes.append("Several pairs a person are allowed for in limits and intervals")
    notes.append("The researcher declared both to be on one scale")

    def make(mode: Mode) -> go.Figure:
        return plot_bland_altman(
            named, found, title="Agreement of two measures", lines=lines, notes=notes, unit=unit, about=about,
            mode=mode,
        )  # fmt: skip

    left, right = st.columns([3, 2], gap="large")
    with left:
        show_chart(
            make, key="selfreport_same", alt="Differences of two measures over their mean", numbers=pairs,
            file_name="heliograph-agreement",
        )  # fmt: skip
    with right:
        _show_limits(found, unit, level)


def _show_limits(found: BlandAltman, unit: str, level: str) -> None:
    import pandas as pd

    rows = [
        ("Mean difference", found.bias, found.bias_low, found.bias_high),
        ("Upper limit", found.high, found.high_low, found.high_high),
        ("Lower limit", found.low, found.low_low, found.low_high),
    ]
    st.dataframe(
        pd.DataFrame(
            {
                f"In {unit}": [name for name, *_ in rows],
                "Estimate": [_tell(at) for _, at, *_ in rows],
                f"{level} interval": [_tell_interval(low, high) for _, _, low, high in rows],
            }
        ),
        hide_index=True, key="selfreport_limits", alt="Mean difference and limits of agreement",
    )  # fmt: skip
    st.caption(f"n = {found.n} pairs of {found.n_participants} participants.")
    if found.note:
        st.caption(f"{found.note[:1].upper()}{found.note[1:]}.")


def _tell(value: float) -> str:
    return f"{value:+.2f}".replace("-", MINUS) if math.isfinite(value) else "–"


def _tell_interval(low: float, high: float) -> str:
    return f"{_tell(low)} to {_tell(high)}" if math.isfinite(low) and math.isfinite(high) else "–"
