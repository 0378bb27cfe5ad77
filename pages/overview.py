"""Overview: what is in the workspace, what moves, and what needs somebody."""

from heliograph.ui.frame import show_header
from heliograph.ui.overview_panels import show_overview

workspace = show_header("Overview")
show_overview(workspace)
