"""The three views of the Self-report page; the address keeps which one is open."""

from __future__ import annotations

from heliograph.ui import views
from heliograph.ui.query import restore_choices

__all__ = ["AGREEMENT", "QUESTIONNAIRES", "SAME_SCALE", "choose_view"]

AGREEMENT, SAME_SCALE, QUESTIONNAIRES = "Beside the voice", "Two measures", "Import"
VIEWS = (AGREEMENT, SAME_SCALE, QUESTIONNAIRES)


def choose_view() -> str:
    """Draw the views as one row of buttons."""
    restore_choices("selfreport_")
    return views.choose_view(VIEWS, key="selfreport_view")
