"""The colours of the biomarkers can be told apart by everybody, and read on both backgrounds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from plotly.colors import sample_colorscale

from heliograph.charts import BIOMARKER_COLOURS, LEVEL_NAMES, name_level
from heliograph.charts._palette import (
    BACKGROUNDS,
    DIVERGING,
    GROUP_COLOURS,
    GROUP_DASHES,
    GROUP_SYMBOLS,
    INK,
    LEVEL_COLOURS,
    MUTED,
    blend,
    write_on,
)
from thymia_api import BIOMARKERS, BUCKET_LEVELS

# Machado, Oliveira and Fernandes (2009), severity 1.0, for linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
SRGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def to_linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def to_lab(linear: np.ndarray) -> np.ndarray:
    xyz = SRGB_TO_XYZ @ np.clip(linear, 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(to_linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def see(colours, vision: str) -> list[np.ndarray]:
    """The colours as somebody with this kind of vision sees them, in CIE Lab."""
    return [to_lab(np.array(VISIONS[vision]) @ to_linear(colour)) for colour in colours]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("colours", [BIOMARKER_COLOURS, GROUP_COLOURS], ids=["biomarkers", "groups"])
def test_any_two_colours_differ_clearly_in_every_kind_of_colour_vision(mode, vision, colours):
    chosen = colours[mode]
    seen = see(chosen.values() if isinstance(chosen, dict) else chosen, vision)
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) >= 30


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_levels_are_ordered_in_lightness_away_from_the_page_in_every_kind_of_colour_vision(mode, vision):
    lightness = [float(colour[0]) for colour in see(LEVEL_COLOURS[mode], vision)]
    steps = np.diff(lightness) * (1 if mode == "dark" else -1)
    assert steps.min() > 12
    assert contrast(LEVEL_COLOURS[mode][0], BACKGROUNDS[mode]) >= 1.45


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_the_diverging_scale_has_two_arms_that_everybody_tells_apart_and_a_middle_like_the_page(mode, vision):
    """Both arms are equally strong at equal distance from zero, and a middle value is nearly the page itself."""
    assert [place for place, _ in DIVERGING[mode]] == [0.0, 0.25, 0.5, 0.75, 1.0]
    low, lower, middle, higher, high = see([colour for _, colour in DIVERGING[mode]], vision)
    (page,) = see([BACKGROUNDS[mode]], vision)
    assert np.linalg.norm(middle - page) < 12
    for one, other in ((low, high), (lower, higher)):
        assert np.linalg.norm(one - other) > 30
        assert abs(one[0] - other[0]) < 13
    for outer, inner in ((low, lower), (high, higher)):
        assert abs(outer[0] - page[0]) > abs(inner[0] - page[0]) > abs(middle[0] - page[0])


def test_groups_are_told_apart_by_symbol_and_dash_as_well():
    n = len(GROUP_COLOURS["light"])
    assert [len(set(kinds)) for kinds in (GROUP_COLOURS["dark"], GROUP_SYMBOLS, GROUP_DASHES)] == [n, n, n]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_stand_out_from_the_background_and_words_can_be_read_on_it(mode):
    background = BACKGROUNDS[mode]
    colours = [*BIOMARKER_COLOURS[mode].values(), *GROUP_COLOURS[mode]]
    assert all(contrast(colour, background) >= 3 for colour in colours)
    assert contrast(INK[mode], background) >= 7
    assert contrast(MUTED[mode], background) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_biomarker_has_a_colour(mode):
    assert list(BIOMARKER_COLOURS[mode]) == [biomarker.name for biomarker in BIOMARKERS]


def test_every_level_has_a_word_and_nothing_else_has():
    assert tuple(LEVEL_NAMES) == BUCKET_LEVELS
    assert [name_level(level) for level in BUCKET_LEVELS] == ["lowest", "lower", "higher", "highest"]
    assert name_level(0.5) is None
    assert name_level(None) is None


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_what_is_written_on_a_colour_can_be_read(mode):
    grounds = [*LEVEL_COLOURS[mode], *(blend(DIVERGING[mode], place) for place in np.linspace(0, 1, 201))]
    assert min(contrast(write_on(ground), ground) for ground in grounds) >= 4.5


def test_even_on_a_middle_grey_one_of_black_and_white_can_be_read():
    greys = [f"#{value:02x}{value:02x}{value:02x}" for value in range(256)]
    assert min(contrast(write_on(grey), grey) for grey in greys) >= 4.5


@pytest.mark.parametrize("place", [0.0, 0.1, 0.25, 0.4, 0.5, 0.8, 1.0])
def test_a_blend_is_the_colour_that_plotly_draws(place):
    (wanted,) = sample_colorscale([list(stop) for stop in DIVERGING["light"]], [place], colortype="tuple")
    found = blend(DIVERGING["light"], place)
    assert [int(found[i : i + 2], 16) for i in (1, 3, 5)] == pytest.approx([255 * part for part in wanted], abs=1)
