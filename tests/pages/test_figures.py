"""A chart comes with its downloads, which are made when somebody clicks and never before."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from heliograph.charts import export
from heliograph.ui import messages


def draw() -> None:
    """The script of a page with one chart; whoever calls `make` is noted."""
    import pandas as pd
    import plotly.graph_objects as go
    import streamlit as st

    from heliograph.ui.figures import show_chart

    def make(mode: str) -> go.Figure:
        st.session_state.setdefault("made", []).append(mode)
        return go.Figure(go.Scatter(x=[1], y=[2]), layout={"title": {"text": mode}})

    show_chart(
        make, key="test_chart", alt="One point", numbers=pd.DataFrame({"x": [1]}), file_name="heliograph-test"
    )


@pytest.fixture
def page(home):
    return AppTest.from_function(draw, default_timeout=30)


def buttons(app):
    return {entry.proto.label: entry.proto for entry in app.get("download_button")}


def test_a_chart_has_png_svg_and_csv_and_only_the_page_itself_is_drawn(page, monkeypatch):
    monkeypatch.setattr("heliograph.ui.figures.find_image_browser", lambda: "/usr/bin/chromium")
    app = page.run()
    assert not app.exception
    assert list(buttons(app)) == ["PNG", "SVG", "CSV"]
    assert not any(button.disabled for button in buttons(app).values())
    assert all(button.deferred_file_id for button in buttons(app).values())
    assert app.session_state["made"] == ["light"]
    assert not app.caption


def test_without_a_browser_the_images_are_off_and_a_sentence_says_what_to_do(page, monkeypatch):
    monkeypatch.setattr("heliograph.ui.figures.find_image_browser", lambda: None)
    app = page.run()
    assert [button.disabled for button in buttons(app).values()] == [True, True, False]
    assert app.caption[0].value == messages.NO_IMAGE_BROWSER


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (export.ImageTimeoutError("slow"), messages.IMAGE_SLOW),
        (export.ImagesBusyError("busy"), messages.IMAGE_BUSY),
        (export.ImageError("broke"), messages.IMAGE_FAILED),
    ],
)
def test_an_image_that_failed_is_explained_once_when_the_chart_is_drawn_again(page, monkeypatch, error, words):
    renders = []

    def remember(label, data, **_options):
        if label == "PNG":
            renders.append(data)
        return False

    def fail(*_arguments):
        raise error

    monkeypatch.setattr("heliograph.ui.figures.find_image_browser", lambda: "/usr/bin/chromium")
    monkeypatch.setattr("heliograph.ui.figures.st.download_button", remember)
    monkeypatch.setattr("heliograph.ui.figures.render_image", fail)
    app = page.run()
    assert not app.caption
    with pytest.raises(export.ImageError):
        renders[0]()
    assert [entry.value for entry in app.run().caption] == [words]
    assert not app.run().caption
