"""What participants said about themselves, as measures to choose from: rating scales and questionnaires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from heliograph.runs.ratings import SCALES
from heliograph.store import Store, load_instruments, load_rating_scales
from heliograph.ui.formats import plain_line
from heliograph.ui.ratings import describe_scale

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Measure", "choose_measure", "load_measure_values", "load_measures"]

CHOICE_PX = 300


@dataclass(frozen=True)
class Measure:
    """A rating scale or an instrument. `low` and `high` are the ends of its range, None where only the researcher
    knows them."""

    key: str
    title: str
    is_rating: bool
    low: float | None = None
    high: float | None = None

    @property
    def more(self) -> str:
        """What a higher value means; the researcher's matter for a questionnaire."""
        return SCALES[self.key].more if self.is_rating and self.key in SCALES else "a higher score"


def load_measures(store: Store) -> list[Measure]:
    """The measures that there is something of, ratings first."""
    ratings = [
        Measure(
            name, describe_scale(name), True,
            float(SCALES[name].low) if name in SCALES else None,
            float(SCALES[name].high) if name in SCALES else None,
        )
        for name in load_rating_scales(store)
    ]  # fmt: skip
    return [*ratings, *(Measure(name, plain_line(name), False) for name in load_instruments(store))]


def choose_measure(
    measures: list[Measure], label: str, *, key: str, default: int = 0, help: str | None = None
) -> Measure:
    """Draw the choice; `measures` holds at least one. The address names it by its place in the list's kind."""
    titles = {f"{measure.title}": measure for measure in measures}
    if st.session_state.get(key) not in (None, *titles):
        st.session_state.pop(key, None)
    options = list(titles)
    chosen = st.selectbox(
        label, options, index=min(default, len(options) - 1), key=key,
        bind="query-params", persist_state="session", width=CHOICE_PX, help=help,
    )  # fmt: skip
    return titles.get(chosen or options[0], measures[0])


def load_measure_values(store: Store, measure: Measure) -> pd.DataFrame:
    """All values of a measure: `participant_id`, `at`, `value`, by participant and time."""
    from heliograph.store import load_questionnaires, load_rating_pairs

    if measure.is_rating:
        frame, _ = load_rating_pairs(store, measure.key)
        return frame[["participant_id", "session_local", "value"]].set_axis(
            ["participant_id", "at", "value"], axis=1
        )
    frame = load_questionnaires(store)
    frame = frame[frame["instrument"] == measure.key]
    return frame[["participant_id", "answered_local", "score"]].set_axis(["participant_id", "at", "value"], axis=1)
