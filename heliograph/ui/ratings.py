"""Ratings with one tap at a recording, on the scales that were chosen in Settings, and how they are read later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from heliograph.runs.ratings import SCALES, RatingScale
from heliograph.ui.markup import escape

__all__ = ["ask_ratings", "describe_rating", "describe_scale", "list_ratings"]


def ask_ratings(names: Sequence[str], *, key: str) -> dict[str, float]:
    """Draw one row of taps for each scale and return what was tapped; a second tap takes the answer back."""
    ratings: dict[str, float] = {}
    for name in names:
        scale = SCALES[name]
        value = st.pills(
            f"{scale.question} ({scale.low}–{scale.high})",
            list(scale.steps),
            key=f"{key}_rating_{name}",
            help=_describe_anchors(scale) if len(scale.anchors) > 2 else None,
        )
        st.caption(_tell(scale, value))
        if value is not None:
            ratings[name] = float(value)
    return ratings


def describe_scale(name: str) -> str:
    """A scale's title; its own name where it is not one of ours."""
    return SCALES[name].title if name in SCALES else name


def describe_rating(name: str, value: float) -> str:
    """`6 of 9: some signs of sleepiness`, in Markdown."""
    scale = SCALES.get(name)
    if scale is None:
        return f"{value:g}"
    words = scale.anchors.get(int(value), "")
    return escape(f"{value:g} of {scale.high}" + (f": {words}" if words else ""))


def list_ratings(ratings: Mapping[str, float]) -> list[tuple[str, str]]:
    """Name and value of each rating, for a table of facts."""
    return [(escape(describe_scale(name)), describe_rating(name, value)) for name, value in ratings.items()]


def _tell(scale: RatingScale, value: int | None) -> str:
    """The words of the step that was tapped; before, those of both ends."""
    if value is None:
        ends = f"{scale.low}: {scale.anchors[scale.low]} · {scale.high}: {scale.anchors[scale.high]}"
        return f"{ends}. Optional."
    return f"{value}: {scale.anchors[value]}" if value in scale.anchors else f"{value} of {scale.high}"


def _describe_anchors(scale: RatingScale) -> str:
    return "  \n".join(f"{step}: {words}" for step, words in scale.anchors.items())
