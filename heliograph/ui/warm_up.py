"""What takes a while at its first use, done once before anybody waits for it; in a thread of its own."""

from __future__ import annotations

import importlib
from datetime import date

from heliograph.store import Store, load_trend

__all__ = ["WANTED_SOON", "warm_up"]

WANTED_SOON = (
    "pandas",
    "heliograph.charts.trend",
    "heliograph.audio",
    "scipy.stats",
    "heliograph.ui.trend_panel",
    "heliograph.ui.cohort_page",
    "heliograph.ui.sleep_page",
    "statsmodels.stats.multitest",
)
"""The first page needs none of these, and would have to wait for all of them."""


def warm_up(store: Store) -> None:
    """Import what pages import when they need it, draw a trend that nobody sees (Plotly imports most of itself
    with the first figure), and work out the study's noise floor, which the first trend needs."""
    for name in WANTED_SOON:
        importlib.import_module(name)
    from heliograph.charts import plot_trend
    from heliograph.ui import trend_noise

    nobody = load_trend(store, 0)
    plot_trend(nobody, participant_label="", workspace="", synthetic=True, drawn_on=date.today()).to_json()
    trend_noise.prepare(store)
