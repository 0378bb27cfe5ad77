"""Placeholder."""

from __future__ import annotations

import streamlit as st

from heliograph.ui.cohort_data import CohortScene

__all__ = ["show_models"]


def show_models(scene: CohortScene) -> None:
    """Models."""
    st.info("Models")
