"""The fixed colour of each biomarker, the scales for groups, levels and differences, and the words for the four
bucket levels.

The sets for biomarkers and groups (light, dark) were found by maximising the smallest CIE Lab distance between
any two colours over normal vision and simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira and
Fernandes 2009), with a contrast of at least 3 : 1 against the background; those for groups stay near the hues of
Okabe and Ito (2008). Where colour carries an order (levels, differences), lightness does too, so that a grey print
says the same. A test computes all this again.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from thymia_api import BUCKET_LEVELS

__all__ = [
    "BACKGROUNDS",
    "BIOMARKER_COLOURS",
    "DIVERGING",
    "GROUP_COLOURS",
    "GROUP_DASHES",
    "GROUP_SYMBOLS",
    "INK",
    "LEVEL_COLOURS",
    "LEVEL_NAMES",
    "MUTED",
    "Mode",
    "blend",
    "fade",
    "name_level",
    "write_on",
]

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

# Groups of people, in the order in which a figure names them; symbol and dash say the same as the colour.
GROUP_COLOURS: dict[Mode, tuple[str, ...]] = {
    "light": ("#0027B2", "#E76C00", "#01A680", "#712D72", "#8C3900", "#2E2B23"),
    "dark": ("#56F3FA", "#CC7D01", "#00745A", "#A96FB4", "#FBE240", "#DCFFD2"),
}
GROUP_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star")
GROUP_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

# Differences from zero: blue is lower (better), orange higher (worse), the middle is close to the page.
DIVERGING: dict[Mode, tuple[tuple[float, str], ...]] = {
    "light": ((0.0, "#08458f"), (0.25, "#6ea3d4"), (0.5, "#f4f2ee"), (0.75, "#e69a4b"), (1.0, "#9a3c00")),
    "dark": ((0.0, "#7cc4ff"), (0.25, "#3373b3"), (0.5, "#262d31"), (0.75, "#b5651d"), (1.0, "#ffb066")),
}

# The four levels, lowest first: one hue, ever further from the page.
LEVEL_COLOURS: dict[Mode, tuple[str, ...]] = {
    "light": ("#f0cda6", "#dd9550", "#a9561a", "#5c2603"),
    "dark": ("#553d28", "#935a28", "#d98a45", "#ffd9b0"),
}

# thymia numbers its four levels and does not name them. These words say an order and nothing clinical.
LEVEL_NAMES: dict[float, str] = dict(zip(BUCKET_LEVELS, ("lowest", "lower", "higher", "highest"), strict=True))
LEVEL_TOLERANCE = 0.01


def name_level(value: float | None) -> str | None:
    """The word for a bucketed value in [0, 1]; None for no value or one that is none of the four levels."""
    if value is None:
        return None
    return next((name for level, name in LEVEL_NAMES.items() if abs(value - level) < LEVEL_TOLERANCE), None)


def blend(scale: Sequence[tuple[float, str]], place: float) -> str:
    """The colour at a place of a scale from 0 to 1, linear in RGB between its stops as Plotly draws it."""
    (low, first), (high, second) = next(
        pair for pair in pairwise(scale) if place <= pair[1][0] or pair[1] == scale[-1]
    )
    share = min(1.0, max(0.0, (place - low) / (high - low)))
    mixed = ((1 - share) * one + share * other for one, other in zip(_split(first), _split(second), strict=True))
    return "#" + "".join(f"{round(part):02x}" for part in mixed)


def write_on(colour: str) -> str:
    """Black or white, whichever is read better on `colour`: with one of them contrast is never below 4.5 : 1.

    Relative luminance and contrast as in the Web Content Accessibility Guidelines 2.2.
    """
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _split(colour))
    )
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"


def _split(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def fade(colour: str, opacity: float) -> str:
    """A colour written `#rrggbb`, let through to what lies under it."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
