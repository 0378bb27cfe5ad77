"""The words around a figure: everything that it needs to be read without its page."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go
import pytest

from heliograph.charts import make_template
from heliograph.charts._stamp import SYNTHETIC_LINE, stamp


def make(mode="light", *, height=300, **changes):
    figure = go.Figure(go.Scatter(x=[1, 2], y=[0.2, 0.4]), layout=go.Layout(template=make_template(mode)))
    figure.update_layout(height=height)
    words = {
        "title": "Participant P-001", "subtitle_lines": ["Score from 0 to 1 · <b>higher is worse</b>"],
        "notes": ["n = 2"], "workspace": "sandbox", "synthetic": True, "drawn_on": date(2026, 5, 1),
    }  # fmt: skip
    stamp(figure, mode=mode, **(words | changes))
    return figure


def notes(figure) -> str:
    (note,) = [entry for entry in figure.layout.annotations if entry.name == "notes"]
    return note.text


def test_title_units_n_workspace_day_and_the_synthetic_line_are_on_the_figure():
    figure = make()
    assert figure.layout.title.text == "Participant P-001"
    assert figure.layout.title.subtitle.text == (
        f"Score from 0 to 1 · <b>higher is worse</b><br><b>{SYNTHETIC_LINE}</b>"
    )
    assert notes(figure) == "n = 2<br>Workspace sandbox · drawn 01 May 2026"
    assert SYNTHETIC_LINE not in make(synthetic=False).layout.title.subtitle.text


@pytest.mark.parametrize("lines", [0, 1, 4])
def test_the_plotting_area_stays_as_tall_as_it_was_and_margins_hold_the_words(lines):
    layout = make(notes=["a note"] * lines, subtitle_lines=["a line"] * lines).layout
    assert layout.height - layout.margin.t - layout.margin.b == 300
    assert layout.margin.t >= 34 + 19 * (lines + 1)
    assert layout.margin.b >= 42 + 17 * (lines + 1)


def test_a_title_that_people_typed_stays_text_and_is_cut():
    title = make(title="<a href='x'>$1$</a> " + "long " * 30).layout.title.text
    assert "<a" not in title
    assert "$" not in title
    assert title.endswith("…")


def test_margins_that_a_figure_chose_stay():
    figure = go.Figure(layout=go.Layout(height=100, margin={"l": 120, "r": 3}))
    stamp(figure, title="t", subtitle_lines=[], notes=[], workspace="w", synthetic=False,
          drawn_on=date(2026, 5, 1), mode="dark")  # fmt: skip
    assert (figure.layout.margin.l, figure.layout.margin.r) == (120, 3)
    (note,) = figure.layout.annotations
    assert note.xshift == 8 - 120
