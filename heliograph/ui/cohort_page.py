"""The cohort page below its head: what is asked, and the view that answers. One fragment, so that another view or
biomarker redraws nothing else."""

from __future__ import annotations

import streamlit as st

from heliograph.store import load_cohort_options, load_study_settings
from heliograph.ui.cohort_controls import VIEWS, choose_cohort
from heliograph.ui.cohort_data import CohortScene
from heliograph.ui.cohort_groups import show_groups, show_weeks
from heliograph.ui.cohort_heat import show_heat
from heliograph.ui.cohort_models import show_models
from heliograph.ui.cohort_patterns import show_correlations, show_levels
from heliograph.ui.query import clear_param, restore_choices
from heliograph.ui.views import choose_view
from heliograph.ui.workspace import Workspace

__all__ = ["show_cohorts"]

SHOW = {
    "Groups": show_groups,
    "Over time": show_weeks,
    "Heat map": show_heat,
    "Levels": show_levels,
    "Correlations": show_correlations,
    "Models": show_models,
}


@st.fragment
def show_cohorts(workspace: Workspace) -> None:
    """Draw the controls and the chosen view; a way to record where there are no results yet."""
    restore_choices("cohorts_")
    clear_param("participant")  # Streamlit leaves it here when one goes back from a trend.
    options = load_cohort_options(workspace.store)
    if options.last_day is None:
        _show_no_results()
        return
    view = choose_view(VIEWS, key="cohorts_view")
    choice = choose_cohort(options, view)
    if not options.tags:
        st.caption(
            "Runs have no tags yet. With tags such as arm or shift, set in Record, they can be compared too."
        )
    SHOW[view](CohortScene(workspace, choice, load_study_settings(workspace.store)))


def _show_no_results() -> None:
    with st.container(border=True):
        st.markdown("**No results yet.** Groups can be compared once two or more participants have results.")
        if st.button("Record a session", key="cohorts_record", type="primary", icon=":material/mic:"):
            st.switch_page("record.py")
