"""The one sentence above a trend: does this week differ from the person's own normal, since when, in what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import streamlit as st

from heliograph.ui.markup import escape
from heliograph.ui.trend_reading import TrendReading
from thymia_api import BIOMARKERS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TrendVerdict", "format_day", "make_verdict", "show_verdict"]

Tone = Literal["above", "below", "within", "mixed", "unknown"]

WEEK = timedelta(days=6)
SIDES = {"up": "Above", "down": "Below"}


@dataclass(frozen=True)
class TrendVerdict:
    """Markdown, and how it looks."""

    text: str
    tone: Tone


def make_verdict(
    reading: TrendReading, label: str, today: date, *, dismissed: Collection[tuple[str, int]] = ()
) -> TrendVerdict:
    """Say how a participant's newest week lies to their own normal range.

    `dismissed` are flags (column, run) that somebody took for explained; they are told, but raise no alarm.
    """
    whose = escape(label)
    usable = {b: reading.get_drift(b) for b in BIOMARKERS if reading.get_drift(b).baseline.is_enough}
    if not usable:
        problem = reading.get_drift(BIOMARKERS[0]).baseline.problem or "no baseline"
        return TrendVerdict(f"**{problem[:1].upper()}{problem[1:]}.** {whose} can't be compared yet.", "unknown")
    counts = sorted({drift.baseline.n for drift in usable.values()})
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    beyond: dict[str, list[tuple[date, str]]] = {"up": [], "down": []}
    explained: list[str] = []
    for biomarker, drift in usable.items():
        if (found := drift.beyond) is None:
            continue
        side, run_id, at = found
        if (biomarker.continuous, run_id) in dismissed:
            explained.append(biomarker.title.lower())
        else:
            beyond[side].append((at.date(), biomarker.title.lower()))
    tail = f" Left out, as dismissed: {_join(explained)}." if explained else ""
    if parts := [_describe_side(side, sorted(found), today) for side, found in beyond.items() if found]:
        tone: Tone = "above" if beyond["up"] else "below"
        return TrendVerdict(f"{'. '.join(parts)} (n = {n} baseline runs).{tail}", tone)
    week = _describe_week(reading, whose, today, n, explained)
    return TrendVerdict(week.text + tail, week.tone)


def show_verdict(verdict: TrendVerdict) -> None:
    """Draw the sentence in its colour, with a sign of its own."""
    if verdict.tone == "above":
        st.warning(verdict.text, icon=":material/trending_up:")
    elif verdict.tone == "below":
        st.info(verdict.text, icon=":material/trending_down:")
    elif verdict.tone == "within":
        st.success(verdict.text, icon=":material/check_circle:")
    elif verdict.tone == "mixed":
        st.info(verdict.text, icon=":material/trending_flat:")
    else:
        st.info(verdict.text, icon=":material/hourglass_empty:")


def format_day(at: date, today: date) -> str:
    """A day as `12 Nov`, with the year where it is not this one."""
    return f"{at.day} {at:%b}" if at.year == today.year else f"{at.day} {at:%b %Y}"


def _describe_side(side: str, found: list[tuple[date, str]], today: date) -> str:
    """`**Above own normal since 12 Nov:** mental strain`, days apart where they differ."""
    days = {day for day, _ in found}
    if len(days) == 1:
        return (
            f"**{SIDES[side]} own normal since {format_day(days.pop(), today)}:** {_join([n for _, n in found])}"
        )
    names = [f"{name} (since {format_day(day, today)})" for day, name in found]
    return f"**{SIDES[side]} own normal:** {_join(names)}"


def _describe_week(
    reading: TrendReading, whose: str, today: date, n: str, explained: Collection[str]
) -> TrendVerdict:
    """No drift: the week's runs, and single ones that were outside the range for a new run."""
    days = reading.results["session_local"].dt.date
    newest = days.iloc[-1]
    is_current = newest >= today - WEEK
    week = days >= (max(today, newest) if is_current else newest) - WEEK
    n_runs = int(week.sum())
    runs = "1 run" if n_runs == 1 else f"{n_runs} runs"
    facts = f"(n = {n} baseline runs, {runs} {'this week' if is_current else 'then'})"
    when = "This week" if is_current else f"The week to {format_day(newest, today)}, the newest with runs,"
    outside = _count_outside(reading, week, explained)
    if not outside:
        return TrendVerdict(f"**{when} is within {whose}'s own normal range** {facts}.", "within")
    text = f"**{when} shows no drift from {whose}'s own normal** {facts}, but single runs were outside its range:"
    return TrendVerdict(f"{text} {_join(outside)}.", "mixed")


def _count_outside(reading: TrendReading, week: pd.Series, explained: Collection[str]) -> list[str]:
    """`stress (1 of 4)` for each biomarker with runs outside the range for a new run."""
    outside = []
    for biomarker in BIOMARKERS:
        baseline = reading.get_drift(biomarker).baseline
        scores = reading.get_scores(biomarker)[week]
        count = int(((scores < baseline.low) | (scores > baseline.high)).sum())
        if baseline.is_enough and count and biomarker.title.lower() not in explained:
            outside.append(f"{biomarker.title.lower()} ({count} of {int(scores.notna().sum())})")
    return outside


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
