"""The noise floor of each biomarker: from the participant's own repeats, else from those of the whole study."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from heliograph.analysis import Reliability, compute_reliability, find_repeats
from heliograph.store import Store, StudySettings, load_cohort_runs
from thymia_api import BIOMARKERS

__all__ = ["NoiseFloor", "describe_floor", "load_noise_floor"]

KEPT_S = 600.0
SAMPLED_RUNS = 4000
SEED = 1


@dataclass(frozen=True)
class NoiseFloor:
    """The smallest change that two single recordings can tell from noise; `mdc` None where it isn't known."""

    mdc: float | None
    n_runs: int
    words: str


def load_noise_floor(store: Store, results: pd.DataFrame, column: str, settings: StudySettings) -> NoiseFloor:
    """The noise floor of a score column for the participant whose `results` these are."""
    own = _compute(results, column, settings)
    if own.problem is None:
        return describe_floor(own, "this person's own repeats")
    study = _load_study_reliability(store, settings)[column]
    return describe_floor(study if study.problem is None else own, "the repeats of the whole study")


def describe_floor(reliability: Reliability, source: str) -> NoiseFloor:
    """What repeats say, in words with n."""
    if reliability.problem is not None:
        words = f"not known: {reliability.problem}. Record the same person twice within minutes to learn it."
        return NoiseFloor(None, reliability.n_runs, words)
    icc = f"ICC {reliability.icc:.2f} ({reliability.icc_low:.2f} to {reliability.icc_high:.2f})"
    words = (
        f"a step within **±{reliability.mdc:.2f}** can't be told from noise (MDC95; SEM {reliability.sem:.3f},"
        f" {icc}; n = {reliability.n_runs} recordings in {reliability.n_groups} groups, from {source})."
    )
    return NoiseFloor(reliability.mdc, reliability.n_runs, words)


def _load_study_reliability(store: Store, settings: StudySettings) -> dict[str, Reliability]:
    """Over a sample of whole participants; kept for ten minutes, as no single run changes it much."""
    key = ("trends_study_noise", settings.repeat_window_min, settings.confidence)
    kept = st.session_state.get("trends_study_noise")
    if kept is not None and kept[0] == key and time.monotonic() - kept[1] < KEPT_S:
        found: dict[str, Reliability] = kept[2]
        return found
    rows, _ = load_cohort_runs(store, limit=SAMPLED_RUNS, seed=SEED)
    found = {b.continuous: _compute(rows, b.continuous, settings) for b in BIOMARKERS}
    st.session_state["trends_study_noise"] = (key, time.monotonic(), found)
    return found


def _compute(rows: pd.DataFrame, column: str, settings: StudySettings) -> Reliability:
    groups = find_repeats(rows, column, settings.repeat_window_min)
    return compute_reliability(groups["group"], groups["value"], settings.confidence)
