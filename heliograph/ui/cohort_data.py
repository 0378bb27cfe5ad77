"""What the cohort figures are made from: frames of the store, kept for a moment so that another biomarker or view
asks the store nothing, and prepared for showing. Small groups leave here when Settings say so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import pandas as pd
import streamlit as st

from heliograph.charts.cohort_frame import FigureAbout, count_of, pick_spread
from heliograph.store import StudySettings, load_labels
from heliograph.ui.cohort_controls import CohortChoice
from heliograph.ui.workspace import Workspace

__all__ = ["CohortScene", "add_labels", "hide_small", "remember", "tell_hidden"]

KEPT = 4  # At 10,000 participants and a year of weeks a frame takes 50 MB.
KEPT_S = 60.0
MEMORY_KEY = "cohorts_memory"

T = TypeVar("T")


@dataclass(frozen=True)
class CohortScene:
    """Everything that a view needs besides its own frames."""

    workspace: Workspace
    choice: CohortChoice
    settings: StudySettings

    def make_about(self) -> FigureAbout:
        """What each figure says about its origin."""
        return FigureAbout(
            workspace=self.workspace.name,
            synthetic=self.workspace.synthetic,
            drawn_on=date.today(),
            chosen=self.choice.chosen,
        )


def remember(what: str, scene: CohortScene, load: Callable[[], T], *, grouping: str = "") -> T:
    """The result of `load`, asked again after a minute or when the question changes. Kept for this session."""
    memory: dict[str, tuple[float, T]] = st.session_state.setdefault(MEMORY_KEY, {})
    question = repr((what, grouping, scene.choice.cohort_filter, scene.settings))
    now = time.monotonic()
    found = memory.get(question)
    if found is not None and now - found[0] < KEPT_S:
        return found[1]
    with st.spinner("Reading results…", show_time=True):
        value = load()
    memory[question] = (now, value)
    newest = sorted(memory, key=lambda entry: memory[entry][0])[-KEPT:]
    for old in [entry for entry in memory if entry not in newest or now - memory[entry][0] >= KEPT_S]:
        del memory[old]
    return value


def hide_small(frame: pd.DataFrame, settings: StudySettings) -> pd.DataFrame:
    """The rows (marked `small` or not) that may be shown: all of them unless small groups are suppressed."""
    return frame[~frame["small"]] if settings.suppress_small else frame


def tell_hidden(n_hidden: int, one: str, settings: StudySettings, *, many: str = "") -> None:
    """Say how many small groups are left out, and where that is set; nothing when none is."""
    if n_hidden:
        st.caption(
            f"{count_of(n_hidden, one, many)} with fewer than {settings.small_group} participants left out, in"
            " figures, tables and files (Settings, Analysis)."
        )


def add_labels(frame: pd.DataFrame, scene: CohortScene, limit: int) -> pd.DataFrame:
    """The frame with the `label` of the participants that a figure draws when it picks `limit` of them; none where
    small groups are suppressed, for sharing."""
    if scene.settings.suppress_small:
        return frame.assign(label=None)
    ids = pick_spread(sorted(int(number) for number in frame["participant_id"].unique()), limit)
    return frame.assign(label=frame["participant_id"].map(load_labels(scene.workspace.store, ids)))
