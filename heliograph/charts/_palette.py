"""The fixed colour of each biomarker and the words for the four bucket levels.

The two sets (light, dark) were found by maximising the smallest CIE Lab distance between any two colours over
normal vision and simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira and Fernandes 2009), with
a contrast of at least 3 : 1 against the background. A test computes both again.
"""

from __future__ import annotations

from typing import Literal

from thymia_api import BUCKET_LEVELS

__all__ = ["BACKGROUNDS", "BIOMARKER_COLOURS", "INK", "LEVEL_NAMES", "MUTED", "Mode", "name_level"]

Mode = Literal["light", "dark"]

BIOMARKER_COLOURS: dict[Mode, dict[str, str]] = {
    "light": {
        "mental_strain": "#191946",
        "distress": "#4752ED",
        "stress": "#783609",
        "exhaustion": "#A98C0E",
        "sleep_propensity": "#DF64BC",
        "low_self_esteem": "#20A86C",
    },
    "dark": {
        "mental_strain": "#EFFAFF",
        "distress": "#4382FF",
        "stress": "#D65630",
        "exhaustion": "#FFBA2C",
        "sleep_propensity": "#AB96BD",
        "low_self_esteem": "#22E18F",
    },
}

# The pages' own background and text colours (`.streamlit/config.toml`), so that an exported image matches.
BACKGROUNDS: dict[Mode, str] = {"light": "#ffffff", "dark": "#12181b"}
INK: dict[Mode, str] = {"light": "#1b2529", "dark": "#e6edef"}
MUTED: dict[Mode, str] = {"light": "#5a686e", "dark": "#9fb0b6"}

# thymia numbers its four levels and does not name them. These words say an order and nothing clinical.
LEVEL_NAMES: dict[float, str] = dict(zip(BUCKET_LEVELS, ("lowest", "lower", "higher", "highest"), strict=True))
LEVEL_TOLERANCE = 0.01


def name_level(value: float | None) -> str | None:
    """The word for a bucketed value in [0, 1]; None for no value or one that is none of the four levels."""
    if value is None:
        return None
    return next((name for level, name in LEVEL_NAMES.items() if abs(value - level) < LEVEL_TOLERANCE), None)
