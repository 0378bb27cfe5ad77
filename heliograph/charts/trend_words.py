"""The words in the trend figure: title, what the bands mean, and the notes under the axes."""

from __future__ import annotations

import textwrap
from datetime import date
from typing import Any

import pandas as pd

from heliograph.charts._palette import BIOMARKER_COLOURS, INK, MUTED, Mode, fade
from heliograph.charts._stamp import TEXT_PX
from heliograph.charts._text import escape_plotly
from heliograph.charts.trend_events import list_numbered
from heliograph.charts.trend_layers import FLAG_COLOURS, EventLayer, TrendLayers, name_breaks
from heliograph.charts.trend_layout import LEFT_PX
from heliograph.charts.trend_points import has_warnings
from thymia_api import Biomarker

__all__ = ["make_legend", "make_note", "make_title", "place_legend", "place_note", "wrap_words"]

SHOWN_BREAKS, SHOWN_EVENTS = 4, 8
LINE_CHARS = 48  # What a line of a note has on a phone.
SHAPES = {"good": "● good", "fair": "◆ fair", "poor": "▲ poor", "unknown": "■ not measured"}


def make_legend(layers: TrendLayers, biomarker: Biomarker, mode: Mode) -> list[str]:
    """What the bands and marks of the main panel are, one line each."""
    lines = []
    colour = BIOMARKER_COLOURS[mode][biomarker.name]
    if baseline := layers.baselines.get(biomarker.continuous):
        lines.append(
            baseline.problem
            or f"{_swatch(fade(colour, 0.45), '■')} own normal {baseline.low:.2f} to {baseline.high:.2f}"
            f" ({baseline.confidence:.0%} for a new run, n = {baseline.n})"
        )
    if layers.mdc is not None:
        n = "" if layers.mdc_n is None else f" (n = {layers.mdc_n} repeats)"
        lines.append(f"{_swatch(MUTED[mode], '▨')} noise floor: steps within ±{layers.mdc:.2f}{n}")
    if layers.slope is not None:
        slope = layers.slope
        lines.append(
            f"{_swatch(INK[mode], '╌╌')} slope {_sign(slope.per_week)} a week"
            f" ({_sign(slope.low)} to {_sign(slope.high)}, n = {slope.n})"
        )
    if any(not flag.dismissed for flag in layers.flags):
        lines.append(f"{_swatch(FLAG_COLOURS[mode], '◯')} flagged as a drift")
    return lines


def make_note(
    results: pd.DataFrame,
    *,
    without: int,
    break_days: int,
    layers: TrendLayers,
    buckets: bool,
    workspace: str,
    drawn_on: date,
) -> list[str]:
    """The lines under the axes; a phone shows about 55 characters of each."""
    warned = int(has_warnings(results).sum())
    lines = [f"● result (n = {len(results)})  ○ with warnings ({warned})  ✕ none ({without})"]
    qualities = [name for name in SHAPES if name in set(results["quality"])]
    if qualities not in ([], ["good"]):
        lines.append("Recording: " + "  ".join(SHAPES[name] for name in qualities))
    named = name_breaks(layers.breaks, results)
    lines += [
        f"<b>{letter}</b>  {at.day} {at:%b}: {escape_plotly('; '.join(entry.reasons), max_chars=LINE_CHARS)}"
        for letter, entry, at in named[:SHOWN_BREAKS]
    ]
    if len(named) > SHOWN_BREAKS:
        lines.append(f"and {len(named) - SHOWN_BREAKS} more letters where recordings changed")
    lines += _list_events(list_numbered(layers.events, results["at"]))
    days = "a day" if break_days == 1 else f"{break_days} days"
    lines.append(f"Lines break after more than {days} without a result.")
    if buckets:
        lines.append("Levels are steps: no value between them, no average.")
    return [
        *lines,
        "A state at one point in time, no diagnosis.",
        f"Workspace {workspace} · drawn {drawn_on:%d %b %Y}",
        "Session times are the participant's own.",
    ]


def make_title(label: str, synthetic: bool, values_words: str | None, mode: Mode) -> dict[str, Any]:
    """Whose figure it is, the scale and its direction, and what must not be overlooked."""
    subtitle = "Score from 0 to 1 · <b>higher is worse</b>"
    if synthetic:
        subtitle += "<br><b>Synthetic sandbox scores: they mean nothing</b>"
    if values_words:
        subtitle += "".join(f"<br>{escape_plotly(line)}" for line in wrap_words(values_words))
    return {
        "text": f"Participant {escape_plotly(label, max_chars=36)}",
        "subtitle": {"text": subtitle, "font": {"size": 13, "color": MUTED[mode]}},
        "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 10, "l": TEXT_PX},
    }  # fmt: skip


def place_legend(lines: list[str], mode: Mode) -> dict[str, Any]:
    """The annotation between the main panel's title and its axes."""
    return _make_text(lines, mode) | {"y": 1, "yanchor": "bottom", "yshift": 2}


def place_note(lines: list[str], mode: Mode) -> dict[str, Any]:
    """The annotation under the last axis."""
    return _make_text(lines, mode) | {"y": 0, "yanchor": "top", "yshift": -42}


def wrap_words(values_words: str | None) -> list[str]:
    """What was done to the values, in lines of a phone's width."""
    return textwrap.wrap(values_words or "", LINE_CHARS)


def _list_events(numbered: list[tuple[int, EventLayer]]) -> list[str]:
    lines = []
    for number, event in numbered[:SHOWN_EVENTS]:
        at = pd.to_datetime(event.on_local)
        lines.append(f"<b>{number}</b>  {at.day} {at:%b}: {escape_plotly(event.kind, max_chars=LINE_CHARS)}")
    if len(numbered) > SHOWN_EVENTS:
        lines.append(f"and {len(numbered) - SHOWN_EVENTS} more dated notes")
    return lines


def _make_text(lines: list[str], mode: Mode) -> dict[str, Any]:
    return {
        "text": "<br>".join(lines), "x": 0, "xref": "paper", "xanchor": "left", "xshift": TEXT_PX - LEFT_PX,
        "yref": "paper", "showarrow": False, "align": "left", "font": {"size": 12, "color": MUTED[mode]},
    }  # fmt: skip


def _swatch(colour: str, sign: str) -> str:
    return f"<span style='color:{colour}'>{sign}</span>"


def _sign(value: float) -> str:
    """A signed number with a true minus; +0.000 and −0.000 are 0."""
    text = f"{value:+.3f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
