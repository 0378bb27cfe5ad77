"""What is drawn around a participant's runs: own normal range, noise floor, slope, flags and breaks.

The numbers come from `heliograph.analysis`; here they get a place and a look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase

import pandas as pd

from heliograph.charts._palette import INK, MUTED, Mode, fade
from heliograph.charts._text import escape_plotly
from heliograph.charts.trend_layout import LANE, SCORE_RANGE, Trace, make_scatter, make_uprights
from heliograph.charts.trend_points import as_text

__all__ = [
    "FLAG_COLOURS",
    "BaselineLayer",
    "BreakLayer",
    "ControlLayer",
    "EventLayer",
    "FlagLayer",
    "SlopeLayer",
    "TrendLayers",
    "make_baseline",
    "make_breaks",
    "make_flags",
    "make_noise_floor",
    "make_slope",
    "name_breaks",
]

# Vermilion: apart from the six biomarkers' colours for every kind of colour vision; the ring says it as well.
FLAG_COLOURS: dict[Mode, str] = {"light": "#C4320A", "dark": "#FF8A5C"}
NOISE_OPACITY, BAND_OPACITY, RUNS_OPACITY = 0.06, 0.13, 0.12


@dataclass(frozen=True)
class BaselineLayer:
    """Own normal range of one biomarker, from `n` runs; where there is none, `problem` says why."""

    n: int
    low: float = math.nan
    high: float = math.nan
    mean: float = math.nan
    confidence: float = 0.95
    problem: str | None = None
    run_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ControlLayer:
    """A control chart of the main biomarker: `rows` has run_id, at, z, centre, low, high, flag and, where the
    chart has two sides, `z_low`."""

    name: str
    words: str
    rows: pd.DataFrame


@dataclass(frozen=True)
class SlopeLayer:
    """A robust slope over the range shown, per week, with its interval; the line is `intercept` at `start`."""

    n: int
    per_week: float
    low: float
    high: float
    intercept: float
    start: pd.Timestamp


@dataclass(frozen=True)
class FlagLayer:
    """One flagged run of one score column."""

    run_id: int
    column: str
    direction: str
    dismissed: bool = False


@dataclass(frozen=True)
class BreakLayer:
    """From this run on the recordings are not like the ones before; `reasons` are words."""

    run_id: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class EventLayer:
    """A dated note; `on_local` is a day or a wall time."""

    on_local: str
    kind: str
    note: str = ""
    whole_study: bool = False


@dataclass(frozen=True)
class TrendLayers:
    """Everything that a trend figure shows besides the runs. What is not given is not drawn.

    `values` replaces the main biomarker's scores by run id, and `values_words` says how they were made.
    `confounders` has run_id, sleep_h, hours_awake and hour. `baselines` is by score column.
    """

    baselines: dict[str, BaselineLayer] = field(default_factory=dict)
    control: ControlLayer | None = None
    slope: SlopeLayer | None = None
    mdc: float | None = None
    mdc_n: int | None = None
    flags: Sequence[FlagLayer] = ()
    breaks: Sequence[BreakLayer] = ()
    events: Sequence[EventLayer] = ()
    confounders: pd.DataFrame | None = None
    values: dict[int, float] | None = None
    values_words: str | None = None


def make_baseline(layer: BaselineLayer, rows: pd.DataFrame, colour: str, axes: dict[str, str]) -> list[Trace]:
    """The range for a new run over the whole view, darker where the baseline's own runs stand, and its mean."""
    if layer.problem or not len(rows):
        return []
    first, last = rows["at"].min(), rows["at"].max()
    room = max((last - first) * 0.02, pd.Timedelta(hours=8))
    own = rows.loc[rows["run_id"].isin(list(layer.run_ids)), "at"]
    spans = [(first - room, last + room, BAND_OPACITY)]
    if len(own):
        spans.append((max(own.min() - room, first - room), own.max() + room / 2, RUNS_OPACITY))
    bands = [_make_box(start, end, layer.low, layer.high, colour, opacity, axes) for start, end, opacity in spans]
    ends = as_text(pd.Series([first - room, last + room]))
    bands.append(
        make_scatter(
            x=ends, y=[layer.mean] * 2, mode="lines", hoverinfo="skip", name="own mean", opacity=0.6,
            line={"color": colour, "width": 1, "dash": "dot"}, **axes,
        )
    )  # fmt: skip
    return bands


def make_noise_floor(
    results: pd.DataFrame, values: pd.Series, mdc: float, broken: Sequence[bool], mode: Mode
) -> Trace:
    """A grey box around each step: from one result to the next, `mdc` above and below the first of the two."""
    x: list[str | None] = []
    y: list[float | None] = []
    times = as_text(results["at"])
    for number in range(1, len(times)):
        if broken[number]:
            continue
        low, high = float(values.iloc[number - 1]) - mdc, float(values.iloc[number - 1]) + mdc
        start, end = times[number - 1], times[number]
        x += [start, end, end, start, start, None]
        y += [low, low, high, high, low, None]
    return make_scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=fade(MUTED[mode], NOISE_OPACITY), line={"width": 0},
        # Hatched: apart from the plain band of the own normal range, whose colour may be a grey as well.
        fillpattern={"shape": "/", "fgcolor": fade(MUTED[mode], 0.5), "size": 6, "solidity": 0.2},
        hoverinfo="skip", name="noise floor", xaxis="x", yaxis="y",
    )  # fmt: skip


def make_slope(layer: SlopeLayer, times: pd.Series, mode: Mode) -> Trace:
    """The straight line of that slope from the first to the last of `times`."""
    ends = pd.Series([times.min(), times.max()])
    weeks = (ends - layer.start) / pd.Timedelta(weeks=1)
    return make_scatter(
        x=as_text(ends), y=[layer.intercept + layer.per_week * float(week) for week in weeks], mode="lines",
        hoverinfo="skip", name="slope", line={"color": INK[mode], "width": 1.5, "dash": "dash"}, opacity=0.75,
        xaxis="x", yaxis="y",
    )  # fmt: skip


def make_flags(
    flags: Sequence[FlagLayer],
    results: pd.DataFrame,
    values: pd.Series,
    axes: dict[str, str],
    mode: Mode,
    *,
    large: bool,
) -> list[Trace]:
    """Rings around flagged runs; grey where the flag was dismissed."""
    rings = []
    at = dict(zip(results["run_id"], zip(as_text(results["at"]), values, strict=True), strict=True))
    for dismissed, colour in ((False, FLAG_COLOURS[mode]), (True, MUTED[mode])):
        found = [at[flag.run_id] for flag in flags if flag.dismissed is dismissed and flag.run_id in at]
        if found:
            rings.append(
                make_scatter(
                    x=[x for x, _ in found], y=[float(y) for _, y in found], mode="markers", hoverinfo="skip",
                    name="dismissed flag" if dismissed else "flag",
                    marker={"symbol": "circle-open", "size": 18 if large else 14, "color": colour,
                            "line": {"width": 2, "color": colour}},
                    **axes,
                )
            )  # fmt: skip
    return rings


def make_breaks(breaks: Sequence[BreakLayer], results: pd.DataFrame, mode: Mode, *, lane: int) -> list[Trace]:
    """A dotted line and a letter where recordings stop being comparable, half way between the two runs."""
    at = results.set_index("run_id")["at"]
    earlier = at.shift()
    found = [
        (letter, entry, earlier[entry.run_id] + (after - earlier[entry.run_id]) / 2)
        for letter, entry, after in name_breaks(breaks, results)
    ]
    if not found:
        return []
    x = as_text(pd.Series([middle for _, _, middle in found]))
    y = SCORE_RANGE[1] + LANE * (lane + 0.45)
    return [
        make_uprights(x, [y] * len(x), "dot", MUTED[mode], "not comparable line"),
        make_scatter(
            x=x, y=[y] * len(x), mode="markers+text", name="not comparable", cliponaxis=False,
            text=[letter for letter, _, _ in found], textfont={"size": 11, "color": INK[mode]},
            marker={"symbol": "circle", "size": 17, "color": fade(MUTED[mode], 0.28)},
            hovertext=[
                "<b>Not comparable with the runs before</b><br>"
                + "<br>".join(escape_plotly(reason, max_chars=90) for reason in entry.reasons)
                for _, entry, _ in found
            ],
            hoverinfo="text", xaxis="x", yaxis="y",
        ),
    ]  # fmt: skip


def name_breaks(breaks: Sequence[BreakLayer], results: pd.DataFrame) -> list[tuple[str, BreakLayer, pd.Timestamp]]:
    """Each break between two results in view with its letter and the time of the later one, in order."""
    at = results.set_index("run_id")["at"]
    first = results["run_id"].iloc[0] if len(results) else None
    seen = [entry for entry in breaks if entry.run_id in at.index and entry.run_id != first]
    seen.sort(key=lambda entry: at[entry.run_id])
    letters = list(ascii_lowercase[: len(seen)]) + ["…"] * max(0, len(seen) - len(ascii_lowercase))
    return [(letter, entry, at[entry.run_id]) for letter, entry in zip(letters, seen, strict=True)]


def _make_box(
    start: pd.Timestamp,
    end: pd.Timestamp,
    low: float,
    high: float,
    colour: str,
    opacity: float,
    axes: dict[str, str],
) -> Trace:
    left, right = as_text(pd.Series([start, end]))
    return make_scatter(
        x=[left, right, right, left, left], y=[low, low, high, high, low], mode="lines", fill="toself",
        fillcolor=fade(colour, opacity), line={"width": 0}, hoverinfo="skip",
        name="own normal" if opacity == BAND_OPACITY else "baseline runs", **axes,
    )  # fmt: skip
