"""Trends: one participant, every run on a true time axis, against that person's own normal."""

from heliograph.ui.frame import show_header
from heliograph.ui.trend_panel import show_trends

show_header("Trends")
show_trends()
