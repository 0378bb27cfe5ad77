"""Sleep: when and how long participants sleep, and what goes with it in the voice."""

from heliograph.ui.frame import show_disclaimer, show_header
from heliograph.ui.sleep_page import show_sleep_page

workspace = show_header("Sleep")
show_sleep_page(workspace)
show_disclaimer()
