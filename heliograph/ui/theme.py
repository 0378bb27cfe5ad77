"""Light or dark, and the one way in which figures and small tables are put on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from heliograph.charts import Mode

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["get_mode", "show_facts", "show_figure"]

# Zoom and lasso buttons would cover the title on a phone; dragging pans and a double click goes back.
FIGURE_CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}


def get_mode() -> Mode:
    """The theme that the browser shows now; light where it did not say."""
    return "dark" if st.context.theme.type == "dark" else "light"


def show_figure(
    figure: go.Figure, *, key: str, alt: str, file_name: str = "heliograph-trend", clickable: bool = True
) -> int | None:
    """Draw a figure as it is (its own template) and return the run id of the point that was clicked just now.
    The camera button's PNG is called `file_name`."""
    camera = {"format": "png", "filename": file_name, "scale": 2}
    config = FIGURE_CONFIG | {"toImageButtonOptions": camera}
    if not clickable:
        st.plotly_chart(figure, theme=None, key=key, alt=alt, config=config)
        return None
    event = st.plotly_chart(
        figure, theme=None, key=key, alt=alt, on_select="rerun", selection_mode="points", config=config
    )
    points = event.get("selection", {}).get("points", [])
    data = points[0].get("customdata") if points else None
    if isinstance(data, dict):  # Streamlit turns the list into a mapping of its positions.
        data = [data[key] for key in sorted(data, key=int)]
    return int(data[0]) if data else None


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Two columns, name and value; values must be escaped already where they are somebody's text."""
    st.table(
        {"name": [name for name, _ in facts], "value": [value for _, value in facts]},
        border="horizontal",
        hide_index=True,
        hide_header=True,
    )
