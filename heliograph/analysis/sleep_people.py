"""The sleep of each participant in one row, and of all of them in one row a measure."""

from __future__ import annotations

import pandas as pd

from heliograph.analysis.sleep import (
    compute_mean_clock,
    compute_regularity,
    compute_sleep_measures,
    compute_social_jetlag,
    list_nights,
)

__all__ = ["PEOPLE_MEASURES", "compute_sleep_people", "compute_sleep_summary", "unwrap_clock"]

PEOPLE_MEASURES = ("duration_h", "mid_sleep_h", "hours_awake", "mid_sleep_sd_h", "sri", "social_jetlag_h")
"""The columns of `compute_sleep_people` that are measures."""
FIRST_HOUR = -6.0


def unwrap_clock(hours: float) -> float:
    """An hour of the clock in [-6, 18): times around midnight and late sleeps of shift workers stay in order."""
    return (hours - FIRST_HOUR) % 24 + FIRST_HOUR


def compute_sleep_people(rows: pd.DataFrame) -> pd.DataFrame:
    """Describe each participant's sleep.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a run: `participant_id`, `session_local`, `asleep_local`, `awake_local`. Not changed.

    Returns
    -------
    pandas.DataFrame
        One row a participant in order: `participant_id`, `n_nights`, `n_runs` (whose hours awake are known), the
        measures of `PEOPLE_MEASURES`, `n_pairs` (of consecutive days), `n_free`, `n_work` and `note`. What cannot
        be had is NaN, and `note` says what is missing.

    Notes
    -----
    Duration: mean over nights, one a day of waking. Middle of sleep: circular mean, in [-6, 18). Hours awake: mean
    over runs. Regularity and social jetlag: see `compute_regularity` and `compute_social_jetlag`.
    """
    nights = list_nights(rows)
    grouped = nights.groupby("participant_id", sort=True)
    middles = {
        person: unwrap_clock(compute_mean_clock(part.to_numpy())) for person, part in grouped["mid_sleep_h"]
    }
    awake = rows[["participant_id"]].assign(hours_awake=compute_sleep_measures(rows)["hours_awake"])
    runs = awake.groupby("participant_id", sort=True)["hours_awake"].agg(["mean", "count"])
    people = pd.DataFrame(index=runs.index.rename("participant_id"))
    people["n_nights"] = grouped.size().reindex(people.index, fill_value=0)
    people["n_runs"] = runs["count"]
    people["duration_h"] = grouped["duration"].mean().reindex(people.index)
    people["mid_sleep_h"] = pd.Series(middles, dtype=float).reindex(people.index)
    people["hours_awake"] = runs["mean"]
    regularity = compute_regularity(rows).set_index("participant_id")
    jetlag = compute_social_jetlag(rows).set_index("participant_id")
    for name, part in (("mid_sleep_sd_h", regularity), ("sri", regularity), ("social_jetlag_h", jetlag)):
        people[name] = part[name].astype(float).reindex(people.index)
    for name, part in (("n_pairs", regularity), ("n_free", jetlag), ("n_work", jetlag)):
        people[name] = part[name].reindex(people.index, fill_value=0).astype(int)
    notes = pd.DataFrame({"regularity": regularity["note"], "jetlag": jetlag["note"]}).reindex(people.index)
    people["note"] = ["; ".join(text for text in row if text and text == text) for row in notes.to_numpy()]
    return people.reset_index()


def compute_sleep_summary(people: pd.DataFrame) -> pd.DataFrame:
    """Summarise the participants, each counted once.

    Parameters
    ----------
    people : pandas.DataFrame
        As `compute_sleep_people` gives it.

    Returns
    -------
    pandas.DataFrame
        One row a measure: `column`, `n_participants`, `mean`, `sd`, `median`, `low` and `high` (quartiles by
        linear interpolation, Hyndman and Fan's type 7), `least`, `most`. NaN where nobody has it.

    References
    ----------
    Hyndman RJ, Fan Y (1996). Sample quantiles in statistical packages. Am Stat 50:361–365.
    """
    found = []
    for column in PEOPLE_MEASURES:
        known = people[column].dropna().astype(float)
        found.append(
            {
                "column": column,
                "n_participants": len(known),
                "mean": known.mean(),
                "sd": known.std(ddof=1),
                "median": known.median(),
                "low": known.quantile(0.25),
                "high": known.quantile(0.75),
                "least": known.min(),
                "most": known.max(),
            }
        )
    return pd.DataFrame(found)
