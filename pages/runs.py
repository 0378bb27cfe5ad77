"""Runs: all of them with filters, or one in full when the address names it."""

import streamlit as st

from heliograph.store import load_runs
from heliograph.ui.frame import show_disclaimer, show_header
from heliograph.ui.query import read_id
from heliograph.ui.run_actions import show_saved_notice
from heliograph.ui.run_detail import show_run_detail
from heliograph.ui.run_filters import show_page_buttons, show_run_filters
from heliograph.ui.run_table import show_no_runs, show_run_table

PAGE_ROWS = 50

workspace = show_header("Runs")
run_id = read_id("run")
if run_id is not None:
    show_run_detail(workspace.store, run_id)
    st.stop()

show_saved_notice()
run_filter = show_run_filters(workspace.store)
rows = load_runs(workspace.store, run_filter, before_id=read_id("before"), limit=PAGE_ROWS)
if rows:
    show_run_table(rows, key="runs_table")
    show_page_buttons([row.id for row in rows], limit=PAGE_ROWS)
    show_disclaimer()
else:
    show_no_runs(workspace.store)
    show_page_buttons([], limit=PAGE_ROWS)
