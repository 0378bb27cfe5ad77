"""A figure with what people take away from it: PNG and SVG at publication size, and the numbers behind it as CSV.

Nothing is made before somebody clicks: Streamlit calls the download's function then, in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from heliograph.charts import Mode
from heliograph.charts.export import (
    ImageError,
    ImageFormat,
    ImagesBusyError,
    ImageTimeoutError,
    find_image_browser,
    render_image,
    write_numbers_csv,
)
from heliograph.ui import messages
from heliograph.ui.theme import get_mode, show_figure
from heliograph.ui.workspace import get_workspace

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

__all__ = ["show_chart"]

_PROBLEMS = "figures_problems"
MEDIA_TYPES: dict[ImageFormat, str] = {"png": "image/png", "svg": "image/svg+xml"}


def show_chart(
    make: Callable[[Mode], go.Figure],
    *,
    key: str,
    alt: str,
    numbers: pd.DataFrame,
    file_name: str,
    clickable: bool = False,
) -> int | None:
    """Draw the figure that `make` gives for the page's theme, with its downloads below; images are always light.

    `make` is called again, perhaps much later and in another thread, when an image is downloaded: it may only use
    what it was given. `numbers` is the frame behind the figure; `file_name` begins all three files' names, has no
    extension and no participant's label. Returns the first `customdata` of the point that was clicked just now,
    where `clickable`.
    """
    clicked = show_figure(make(get_mode()), key=key, alt=alt, file_name=file_name, clickable=clickable)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{key}_downloads"):
        has_browser = find_image_browser() is not None
        for image_format in MEDIA_TYPES:
            _show_image_download(make, image_format, key, file_name, has_browser)
        synthetic = get_workspace().synthetic
        st.download_button(
            "CSV", lambda: write_numbers_csv(numbers, synthetic=synthetic), file_name=f"{file_name}.csv",
            mime="text/csv", key=f"{key}_csv", icon=":material/download:", on_click="ignore", type="tertiary",
            help="The numbers behind the figure, for R, pandas or a spreadsheet.",
        )  # fmt: skip
    if not has_browser:
        st.caption(messages.NO_IMAGE_BROWSER)
    elif problem := st.session_state.get(_PROBLEMS, {}).pop(key, None):
        st.caption(problem)
    return clicked


def _show_image_download(
    make: Callable[[Mode], go.Figure], image_format: ImageFormat, key: str, file_name: str, has_browser: bool
) -> None:
    # The function below runs without a session; what it has to say waits here until the chart is drawn again.
    problems: dict[str, str] = st.session_state.setdefault(_PROBLEMS, {})

    def render() -> bytes:
        try:
            image = render_image(make("light"), image_format)
        except ImageError as error:
            problems[key] = _describe(error)
            raise  # Streamlit logs it, and says under the button that there is no file.
        problems.pop(key, None)
        return image

    st.download_button(
        image_format.upper(), render, file_name=f"{file_name}.{image_format}", mime=MEDIA_TYPES[image_format],
        key=f"{key}_{image_format}", icon=":material/image:", on_click="ignore", type="tertiary",
        disabled=not has_browser, help=messages.IMAGE_HELP,
    )  # fmt: skip


def _describe(error: ImageError) -> str:
    if isinstance(error, ImagesBusyError):
        return messages.IMAGE_BUSY
    return messages.IMAGE_SLOW if isinstance(error, ImageTimeoutError) else messages.IMAGE_FAILED
