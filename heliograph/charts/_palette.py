"""The fixed colour of each biomarker, the scales for groups, levels and differences, and the words for the four
bucket levels.

The sets for biomarkers and groups (light, dark) were found by maximising the smallest CIE Lab distance between
any two colours over normal vision and simulated protanopia, deuteranopia and tritanopia (Machado, Oliveira and
Fernandes 2009), with a contrast of at least 3 : 1 against the background; those for groups stay near the hues of
Okabe and Ito (2008). Where colour carries an order (levels, differences), lightness does too, so that a grey print
says the same. A test computes all this again.
"""

from __future__ import annotations

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
    "name_level",
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
