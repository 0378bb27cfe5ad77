"""What analysis says about one participant's runs, gathered for the Trends page. Draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from heliograph.analysis import (
    Adjusted,
    Baseline,
    Slope,
    adjust_for_confounders,
    compute_baseline,
    compute_confounders,
    compute_cusum_chart,
    compute_ewma_chart,
    compute_slope_per_week,
    find_breaks,
    mark_repeats,
    select_baseline,
)
from heliograph.audio import Quality, Verdict, judge_quality
from heliograph.store import StudySettings
from thymia_api import BIOMARKERS, Biomarker

__all__ = ["Drift", "TrendReading", "judge_recordings", "read_slope", "read_trend"]

MEASURES = ("speech_s", "duration_s", "level_dbfs", "peak_dbfs", "clipped_share", "missing_share")
UNCERTAIN_MEASURES = ("snr_db", "bandwidth_hz")
"""Not known of every recording that was measured."""


@dataclass(frozen=True)
class Drift:
    """One score against its own baseline: `chart` has a row for each run after it, with run_id and at."""

    baseline: Baseline
    run_ids: frozenset[int]
    chart: pd.DataFrame

    @property
    def band(self) -> tuple[float, float]:
        """The baseline's range cut at the ends of the scale, which the interval knows nothing of."""
        return max(0.0, self.baseline.low), min(1.0, self.baseline.high)

    @property
    def beyond(self) -> tuple[str, int, pd.Timestamp] | None:
        """Direction, first run and its time of the stretch beyond a limit that the newest run belongs to."""
        sides = list(self.chart["flag"])
        if not sides or sides[-1] not in ("up", "down"):
            return None
        first = len(sides) - 1
        while first and sides[first - 1] == sides[-1]:
            first -= 1
        row = self.chart.iloc[first]
        return sides[-1], int(row["run_id"]), row["at"]


@dataclass(frozen=True)
class TrendReading:
    """All of a participant's results, in order of time, and what follows from them.

    `drifts` is by score column; `scores` are those of the main biomarker, adjusted where that was asked for and
    possible (`adjusted` says how, or what is missing).
    """

    biomarker: Biomarker
    results: pd.DataFrame
    scores: pd.Series
    drifts: Mapping[str, Drift]
    breaks: pd.DataFrame
    confounders: pd.DataFrame
    adjusted: Adjusted | None
    settings: StudySettings

    def get_drift(self, biomarker: Biomarker) -> Drift:
        """The drift of a biomarker's continuous score."""
        return self.drifts[biomarker.continuous]

    def get_scores(self, biomarker: Biomarker) -> pd.Series:
        """What is charted of a biomarker, by the index of `results`."""
        return self.scores if biomarker == self.biomarker else self.results[biomarker.continuous]


def read_trend(
    frame: pd.DataFrame, biomarker: Biomarker, settings: StudySettings, *, adjust: bool = False
) -> TrendReading:
    """Compute everything about the whole of one participant's runs; `frame` is `load_trend`'s."""
    results = frame[frame["state"] == "complete_ok"].sort_values(["session_local", "run_id"], kind="stable")
    results = results.reset_index(drop=True)
    confounders = compute_confounders(results)
    scores = results[biomarker.continuous]
    adjusted = adjust_for_confounders(scores, confounders) if adjust else None
    if adjusted is not None and adjusted.problem is None:
        scores = adjusted.values
    drifts = {
        entry.continuous: _read_drift(
            results, scores if entry == biomarker else results[entry.continuous], settings
        )
        for entry in BIOMARKERS
    }
    return TrendReading(
        biomarker=biomarker,
        results=results,
        scores=scores,
        drifts=drifts,
        breaks=find_breaks(results),
        confounders=confounders.assign(run_id=results["run_id"]),
        adjusted=adjusted,
        settings=settings,
    )


def read_slope(reading: TrendReading, since_local: str | None) -> Slope:
    """The slope of the main biomarker over the range shown."""
    shown = reading.results["session_local"] >= pd.Timestamp(since_local or "0001-01-01")
    return compute_slope_per_week(
        reading.results.loc[shown, "session_local"], reading.scores[shown], reading.settings.confidence
    )


def judge_recordings(frame: pd.DataFrame) -> pd.Series:
    """One word a row for the recording: good, fair (one measure warns), poor (more, or one fails), unknown."""
    words = [_judge(row) for row in frame[[*MEASURES, *UNCERTAIN_MEASURES]].to_dict("records")]
    return pd.Series(words, index=frame.index, dtype=object)


def _read_drift(results: pd.DataFrame, scores: pd.Series, settings: StudySettings) -> Drift:
    rows = results[["run_id", "session_local"]].assign(score=scores)
    rows = rows[~mark_repeats(rows, "score", settings.repeat_window_min)].reset_index(drop=True)
    chosen = select_baseline(
        rows, "score", first=settings.baseline_runs, since=settings.baseline_from, until=settings.baseline_until
    )
    baseline = compute_baseline(
        rows.loc[chosen, "score"], first=None, confidence=settings.confidence,
        needed=None if settings.baseline_until else settings.baseline_runs,
    )  # fmt: skip
    begin = int(chosen[chosen].index[-1]) + 1 if chosen.any() else len(rows)
    after = rows.iloc[begin:]
    if settings.chart == "cusum":
        chart = compute_cusum_chart(after["score"], baseline, k=settings.cusum_k, h=settings.cusum_h)
        chart = chart.assign(z=chart["up"], z_low=-chart["down"], centre=0.0, low=-chart["limit"])
        chart = chart.rename(columns={"limit": "high"})
    else:
        chart = compute_ewma_chart(after["score"], baseline, lam=settings.ewma_lambda, width=settings.ewma_width)
    chart = chart.assign(run_id=after["run_id"], at=after["session_local"])
    run_ids = frozenset(int(run_id) for run_id in rows.loc[chosen, "run_id"])
    return Drift(baseline, run_ids, chart[chart["z"].notna()].reset_index(drop=True))


def _judge(row: Mapping[Any, Any]) -> str:
    if any(pd.isna(row[name]) for name in MEASURES):
        return "unknown"
    measures: dict[str, Any] = {name: float(row[name]) for name in MEASURES}
    quality = Quality(
        **measures,
        snr_db=None if pd.isna(row["snr_db"]) else float(row["snr_db"]),
        bandwidth_hz=None if pd.isna(row["bandwidth_hz"]) else float(row["bandwidth_hz"]),
        sample_rate_hz=0,
    )
    verdicts = [entry.verdict for entry in judge_quality(quality)]
    if Verdict.FAIL in verdicts or verdicts.count(Verdict.WARN) > 1:
        return "poor"
    return "fair" if Verdict.WARN in verdicts else "good"
