"""The noise floor of each biomarker: from the participant's own repeats, else from those of the whole study."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from heliograph.analysis import Reliability, compute_reliability, find_repeats
from heliograph.store import (
    Store,
    StoreError,
    StudySettings,
    count_results,
    load_cohort_runs,
    load_study_settings,
)
from thymia_api import BIOMARKERS

__all__ = ["NoiseFloor", "describe_floor", "load_noise_floor", "load_study_reliability", "prepare"]

SAMPLED_RUNS = 4000
SEED = 1
KEPT_S = 600.0
RENEWED_AFTER_S = 60.0
"""In a store of more runs than the sample, of which no few change it much."""

Question: TypeAlias = tuple[Path, float, float]


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
    study = load_study_reliability(store, settings)[column]
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


@dataclass(frozen=True)
class _Kept:
    """The last answer, for all sessions: there is one store a process."""

    question: Question
    at_s: float
    n_results: int
    sampled: bool
    found: dict[str, Reliability]


_kept: _Kept | None = None
_computing = threading.Lock()


def prepare(store: Store) -> None:
    """Work out beforehand what the first trend would have to wait for."""
    load_study_reliability(store, load_study_settings(store))


def load_study_reliability(store: Store, settings: StudySettings) -> dict[str, Reliability]:
    """The reliability of each score column over a sample of whole participants. It is kept while no result comes
    or goes, and in a store of more runs than the sample renewed in a thread of its own: nobody waits for it."""
    kept = _kept
    if kept is None or kept.question != _ask(store, settings):
        return _renew(store, settings, kept)
    age_s = time.monotonic() - kept.at_s
    if age_s < KEPT_S and kept.n_results == count_results(store):
        return kept.found
    if not kept.sampled:
        return _renew(store, settings, kept)
    if age_s >= RENEWED_AFTER_S and not _computing.locked():
        threading.Thread(target=_renew_behind, args=(store, settings, kept), daemon=True).start()
    return kept.found


def _renew_behind(store: Store, settings: StudySettings, known: _Kept) -> None:
    with suppress(StoreError, RuntimeError):  # closed meanwhile, or busy: the next view tries again
        _renew(store, settings, known)


def _renew(store: Store, settings: StudySettings, known: _Kept | None) -> dict[str, Reliability]:
    """Compute anew, unless another thread did so since `known`."""
    global _kept  # noqa: PLW0603 - one per process is the point
    question = _ask(store, settings)
    with _computing:
        if _kept is not None and _kept is not known and _kept.question == question:
            return _kept.found
        n_results = count_results(store)  # before the runs: what comes in between is seen the next time
        rows, sample = load_cohort_runs(store, limit=SAMPLED_RUNS, seed=SEED)
        found = {b.continuous: _compute(rows, b.continuous, settings) for b in BIOMARKERS}
        _kept = _Kept(question, time.monotonic(), n_results, sample.sampled, found)
    return found


def _ask(store: Store, settings: StudySettings) -> Question:
    return store.folder, settings.repeat_window_min, settings.confidence


def _compute(rows: pd.DataFrame, column: str, settings: StudySettings) -> Reliability:
    groups = find_repeats(rows, column, settings.repeat_window_min)
    return compute_reliability(groups["group"], groups["value"], settings.confidence)
