"""Cohorts: groups of participants compared, over time, in levels and in models."""

from heliograph.ui.cohort_page import show_cohorts
from heliograph.ui.frame import show_disclaimer, show_header

workspace = show_header("Cohorts")
show_cohorts(workspace)
show_disclaimer()
