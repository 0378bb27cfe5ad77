"""Lists of runs: a table whose rows open a run. Every cell shows plain text, whatever people typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from heliograph.store import RunRow, Store, count_runs
from heliograph.ui import messages
from heliograph.ui.formats import plain_line
from thymia_api import BIOMARKERS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["count_opened", "make_run_frame", "open_run", "show_no_runs", "show_run_table"]

RUNS_PAGE = "runs.py"
OPENED_KEY = "run_table_opened"
ROW_PX = 35
MAX_ROWS_SHOWN = 16


def open_run(run_id: int) -> None:
    """Go to a run's own page; its address can be kept and shared."""
    st.session_state[OPENED_KEY] = count_opened() + 1
    st.switch_page(RUNS_PAGE, query_params={"run": str(run_id)})


def count_opened() -> int:
    """How many runs were opened in this session. Part of the keys of what opens them: a table or figure that kept
    its selection would open the same run again when one comes back."""
    opened: int = st.session_state.get(OPENED_KEY, 0)
    return opened


def make_run_frame(rows: Sequence[RunRow]) -> pd.DataFrame:
    """What the table shows: one row a run, times as wall times, scores in [0, 1] or missing."""
    import pandas as pd  # Half a second that a page without runs need not wait for.

    frame = pd.DataFrame(
        {
            "Session": pd.to_datetime([row.session_local for row in rows]),
            "Participant": [plain_line(row.participant_label) for row in rows],
            "State": [_describe(row) for row in rows],
            **{b.title: [row.scores.get(b.continuous) for row in rows] for b in BIOMARKERS},
            "Warnings": ["yes" if row.warnings else "" for row in rows],
            "Tags": [", ".join(f"{k}: {v}" for k, v in row.tags.items()) for row in rows],
            "Run": [row.id for row in rows],
        }
    )
    return frame.astype({b.title: "float64" for b in BIOMARKERS})


def show_run_table(rows: Sequence[RunRow], *, key: str, results_only: bool = False) -> None:
    """Draw the table (at least one row); choosing a row opens its run. Where all rows are results their states,
    all the same, make room for the scores."""
    columns = {
        "Session": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", width=130),
        "Participant": st.column_config.TextColumn(width=105),
        "State": st.column_config.TextColumn(width=170),
        "Tags": st.column_config.TextColumn(width=130),
        "Warnings": st.column_config.TextColumn(width=85),
        "Run": st.column_config.NumberColumn(format="%d", width=60),
    } | {
        b.title: st.column_config.ProgressColumn(
            min_value=0, max_value=1, format="%.2f", width=112, help=f"{b.reads}. {messages.HIGHER_IS_WORSE}"
        )
        for b in BIOMARKERS
    }
    event = st.dataframe(
        make_run_frame(rows).drop(columns="State" if results_only else "Warnings"),
        key=f"{key}_{count_opened()}_{rows[0].id}",
        column_config=columns,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        height=ROW_PX * (1 + min(len(rows), MAX_ROWS_SHOWN)) + 3,
        alt="Runs, newest first; choosing a cell opens its run",
    )
    cells = event["selection"].get("cells", [])
    if cells and cells[0][0] < len(rows):
        open_run(rows[cells[0][0]].id)


def show_no_runs(store: Store) -> None:
    """What stands where the table would be."""
    if count_runs(store, cap=1):
        st.info("No runs match. Take a filter away, or go back to newer runs.")
        return
    with st.container(border=True):
        st.markdown("**No runs yet.** A run is one recording on its way to its scores.")
        if st.button("Record a session", key="runs_record", type="primary", icon=":material/mic:"):
            st.switch_page("record.py")


def _describe(row: RunRow) -> str:
    name = messages.describe_state(row.state).name
    return f"{name}, with warnings" if row.warnings else name
