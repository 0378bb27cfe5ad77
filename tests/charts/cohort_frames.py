"""Cohort frames with known values: the columns that the store and the analysis give the figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from heliograph.charts.cohort_frame import FigureAbout
from thymia_api import BIOMARKERS

MONDAY = pd.Timestamp("2026-03-02")
STRESS = next(biomarker for biomarker in BIOMARKERS if biomarker.name == "stress")
ABOUT = FigureAbout(workspace="pilot", synthetic=True, drawn_on=date(2026, 5, 1))


def make_means(values: dict[str, Sequence[float]]) -> pd.DataFrame:
    """One row a participant: group → the participants' means, numbered through."""
    rows = [(group, value) for group, means in values.items() for value in means]
    return pd.DataFrame(
        {
            "participant_id": range(1, len(rows) + 1),
            "group": [group for group, _ in rows],
            "n_runs": 10,
            "value": [value for _, value in rows],
            "label": [f"P-{number + 1:03d}" for number in range(len(rows))],
        }
    )


def make_summary(means: pd.DataFrame, *, small_group: int = 5, by: Sequence[str] = ("group",)) -> pd.DataFrame:
    """A summary with an interval of the mean ± 0.1 wherever there are two participants."""
    found = means.groupby(list(by), as_index=False).agg(
        n_participants=("participant_id", "nunique"), n_runs=("n_runs", "sum"), mean=("value", "mean")
    )
    known = found["n_participants"] > 1
    return found.assign(
        low=(found["mean"] - 0.1).where(known),
        high=(found["mean"] + 0.1).where(known),
        small=found["n_participants"] < small_group,
    )


def make_weeks(groups: dict[str, int], *, weeks: Sequence[int] = (0, 1, 2, 3)) -> pd.DataFrame:
    """One row a participant and week: group → how many participants; values rise by 0.01 a week."""
    rows = []
    person = 0
    for group, count in groups.items():
        for _ in range(count):
            person += 1
            for week in weeks:
                rows.append(
                    (person, group, MONDAY + pd.Timedelta(days=7 * week), 3, 0.3 + 0.01 * week, f"P-{person}")
                )
    return pd.DataFrame(rows, columns=["participant_id", "group", "period", "n_runs", "value", "label"])


def words_of(figure) -> str:
    """Everything that is written on a figure outside the hover texts."""
    title = figure.layout.title
    notes = [str(note.text) for note in figure.layout.annotations]
    return " ".join([title.text, title.subtitle.text, *notes])


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]
