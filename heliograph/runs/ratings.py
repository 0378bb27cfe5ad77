"""The ready-made rating scales that a person can answer with one tap at a recording.

The Karolinska Sleepiness Scale and its words: Åkerstedt and Gillberg (1990), Int J Neurosci 52, 29–37; the even
steps were given words later by the same group (Åkerstedt et al. 2014, J Sleep Res 23, 240–252).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["SCALES", "RatingScale", "check_rating"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingScale:
    """A scale of whole numbers from `low` to `high`; `anchors` are the words of single steps."""

    name: str
    title: str
    short: str
    question: str
    low: int
    high: int
    more: str
    anchors: Mapping[int, str] = field(default_factory=dict)

    @property
    def steps(self) -> range:
        return range(self.low, self.high + 1)


_ALL = (
    RatingScale(
        name="stress_0_10",
        title="Stress (0–10)",
        short="Stress",
        question="How stressed do you feel right now?",
        low=0,
        high=10,
        more="more stress",
        anchors={0: "not at all", 10: "as much as possible"},
    ),
    RatingScale(
        name="energy_0_10",
        title="Energy (0–10)",
        short="Energy",
        question="How much energy do you have right now?",
        low=0,
        high=10,
        more="more energy",
        anchors={0: "none", 10: "as much as possible"},
    ),
    RatingScale(
        name="kss",
        title="Karolinska Sleepiness Scale (1–9)",
        short="Sleepiness (KSS)",
        question="How sleepy have you been in the last 5 minutes?",
        low=1,
        high=9,
        more="sleepier",
        anchors={
            1: "extremely alert",
            2: "very alert",
            3: "alert",
            4: "rather alert",
            5: "neither alert nor sleepy",
            6: "some signs of sleepiness",
            7: "sleepy, no effort to stay awake",
            8: "sleepy, some effort to stay awake",
            9: "very sleepy, great effort to keep awake, fighting sleep",
        },
    ),
)
SCALES: Mapping[str, RatingScale] = {scale.name: scale for scale in _ALL}
"""By the name under which the store keeps them."""


def check_rating(name: str, value: float) -> str | None:
    """What is wrong with a rating, in words; None when it is a step of a known scale."""
    scale = SCALES.get(name)
    if scale is None:
        return f"there is no scale {name!r}"
    return None if value in scale.steps else f"must be a whole number from {scale.low} to {scale.high}"
