"""When and how long participants sleep: each on the clock, the measures of all of them, and the table behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from heliograph.charts import Mode
from heliograph.charts.sleep import MeasureView, format_clock, plot_sleep_measures, plot_sleep_times
from heliograph.store import CohortFilter, Sample, load_labels, load_sleep_rows
from heliograph.ui.figures import show_chart
from heliograph.ui.formats import plain_line
from heliograph.ui.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from heliograph.charts.cohort_frame import FigureAbout

__all__ = ["VIEWS", "SleepRows", "choose_range", "load_rows", "show_sample", "show_sleep"]

VIEWS = ("Sleep", "Sleep and the voice")
RANGES: dict[str, int | None] = {"30 days": 30, "60 days": 60, "90 days": 90, "All": None}
ROW_LIMIT = 20_000
MEASURES = (
    MeasureView("duration_h", "Duration, hours"),
    MeasureView("mid_sleep_h", "Middle of sleep, clock time", clock=True),
    MeasureView("hours_awake", "Awake before recording, hours"),
    MeasureView("mid_sleep_sd_h", "Irregularity, hours"),
    MeasureView("sri", "Sleep Regularity Index"),
    MeasureView("social_jetlag_h", "Social jetlag, hours"),
)
EXPLAINED = """
- **Duration** and **middle of sleep** come from the times of falling asleep and waking up that were entered with
  each recording; of one day the longest sleep counts. Only days with a recording are known.
- **Awake before recording**: hours from waking up to the recording.
- **Irregularity**: standard deviation of the middle of sleep, from 3 nights on (around the clock: 23:50 and 00:10
  are 20 minutes apart).
- **Sleep Regularity Index**: the chance of being in the same state, asleep or awake, 24 hours later; 100 is
  perfectly regular, 0 is chance; from 5 pairs of consecutive days on. Naps are not known, so it comes out higher
  than from a wrist sensor (Phillips and others 2017).
- **Social jetlag**: how far the middle of sleep lies apart between free days (Saturday, Sunday) and the others;
  from 2 nights of each on. For shift workers weekends may not be the free days (Wittmann and others 2006).
"""


@dataclass(frozen=True)
class SleepRows:
    """The runs whose sleep is known in the chosen range, and what was chosen in words."""

    rows: pd.DataFrame
    sample: Sample
    chosen: str


def choose_range() -> str:
    """Draw the ranges."""
    chosen = st.segmented_control(
        "Range",
        list(RANGES),
        default="All",
        required=True,
        key="sleep_range",
        bind="query-params",
        persist_state="session",
    )
    return chosen or "All"


def load_rows(workspace: Workspace, chosen: str) -> SleepRows:
    """Read the runs of the range; of very many runs, those of a sample of participants."""
    days = RANGES.get(chosen)
    since = f"{date.today() - timedelta(days=days)}" if days else None
    rows, sample = load_sleep_rows(workspace.store, CohortFilter(since_local=since), limit=ROW_LIMIT)
    return SleepRows(rows, sample, f"the last {days} days" if days else "")


def show_sample(sample: Sample) -> None:
    """Say so where not everybody is in the frame."""
    if sample.sampled:
        st.caption(
            f"A sample: {sample.n_participants:,} of {sample.n_participants_total:,} participants with"
            f" {sample.n_runs:,} of {sample.n_runs_total:,} runs; always the same ones."
        )


def show_sleep(workspace: Workspace, found: SleepRows, about: FigureAbout) -> None:
    """Draw the clock, the measures and the tables."""
    from heliograph.analysis.sleep_people import compute_sleep_people, compute_sleep_summary

    people = compute_sleep_people(found.rows)
    labels = load_labels(workspace.store, [int(number) for number in people["participant_id"]])
    summary = compute_sleep_summary(people)
    nights = _list_nights(found.rows)
    named = people.assign(label=[labels.get(int(number), "") for number in people["participant_id"]])

    def make_times(mode: Mode) -> go.Figure:
        return plot_sleep_times(nights, labels, about=about, mode=mode)

    def make_measures(mode: Mode) -> go.Figure:
        return plot_sleep_measures(named, summary, MEASURES, about=about, mode=mode)

    left, right = st.columns(2, gap="large")
    with left:
        show_chart(
            make_times, key="sleep_times", alt="Sleep times of each participant on the clock", numbers=nights,
            file_name="heliograph-sleep-times",
        )  # fmt: skip
        st.markdown("**All participants**")
        st.dataframe(
            _make_summary(summary), hide_index=True, key="sleep_summary",
            column_config={
                # Measure, number and median fit side by side on a phone; the others are scrolled to.
                "Measure": st.column_config.TextColumn(width=165),
                "Participants": st.column_config.NumberColumn(width=90),
                "Median": st.column_config.TextColumn(width=70),
            },
            alt="Sleep measures over all participants",
        )  # fmt: skip
        st.caption("Each participant counts once, with their own mean.")
    with right:
        show_chart(
            make_measures, key="sleep_measures", alt="Six measures of sleep, one dot a participant",
            numbers=people, file_name="heliograph-sleep-measures",
        )  # fmt: skip
    st.markdown("**Each participant**")
    st.dataframe(
        _make_people(named), hide_index=True, key="sleep_people", column_config=_configure_people(),
        placeholder="–", alt="Sleep measures of each participant",
    )  # fmt: skip
    with st.expander("How these are computed", icon=":material/help:"):
        st.markdown(EXPLAINED)


def _list_nights(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a reported sleep, on the clock of the day of waking."""
    import pandas as pd

    known = rows.dropna(subset=["asleep_local", "awake_local", "mid_sleep_h"])
    known = known.drop_duplicates(["participant_id", "asleep_local", "awake_local"])
    half = known["sleep_h"] / 2
    return pd.DataFrame(
        {
            "participant_id": known["participant_id"],
            "awake_on": known["awake_local"].dt.normalize(),
            "asleep_h": known["mid_sleep_h"] - half,
            "awake_h": known["mid_sleep_h"] + half,
            "mid_sleep_h": known["mid_sleep_h"],
        }
    ).reset_index(drop=True)


def _make_summary(summary: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    views = {view.column: view for view in MEASURES}
    rows = []
    for row in summary.to_dict("records"):
        view = views[str(row["column"])]
        rows.append(
            {
                "Measure": view.title.partition(",")[0].partition(":")[0],
                "Participants": int(row["n_participants"]),
                "Median": _format(row["median"], view),
                "Middle half": f"{_format(row['low'], view)} to {_format(row['high'], view)}",
                "Mean ± SD": f"{_format(row['mean'], view)} ± {_format_spread(row['sd'], view)}",
            }
        )
        if not row["n_participants"]:
            rows[-1] |= {"Median": "–", "Middle half": "–", "Mean ± SD": "–"}
    return pd.DataFrame(rows)


def _format(value: float, view: MeasureView) -> str:
    if value != value:
        return "–"
    if view.clock:
        return format_clock(value)
    return f"{value:.0f}" if view.column == "sri" else f"{value:.2f}"


def _format_spread(value: float, view: MeasureView) -> str:
    """A standard deviation with the digits of its mean; beside a time of day in hours."""
    if value != value:
        return "–"
    return f"{value:.2f} h" if view.clock else _format(value, view)


def _make_people(people: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "Participant": [plain_line(label) for label in people["label"]],
            "Nights": people["n_nights"],
            "Duration": people["duration_h"],
            "Middle": [_format(value, MEASURES[1]) for value in people["mid_sleep_h"]],
            "Awake before": people["hours_awake"],
            "Irregularity": people["mid_sleep_sd_h"],
            "Regularity Index": people["sri"],
            "Social jetlag": people["social_jetlag_h"],
            "Missing": [f"{text[:1].upper()}{text[1:]}" for text in people["note"]],
        }
    )


def _configure_people() -> dict[str, Any]:
    hours: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%.2f h", width=width)
        for name, width in (("Duration", 90), ("Awake before", 110), ("Irregularity", 100), ("Social jetlag", 110))
    }
    return hours | {
        "Participant": st.column_config.TextColumn(width=120),
        "Nights": st.column_config.NumberColumn(width=70),
        "Middle": st.column_config.TextColumn(width=75),
        "Regularity Index": st.column_config.NumberColumn(format="%.0f", width=130),
        "Missing": st.column_config.TextColumn(width=480),
    }
