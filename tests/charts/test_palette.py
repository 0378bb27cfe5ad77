"""The colours of the biomarkers can be told apart by everybody, and read on both backgrounds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from heliograph.charts import BIOMARKER_COLOURS, LEVEL_NAMES, name_level
from heliograph.charts._palette import BACKGROUNDS, INK, MUTED
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


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_biomarkers_differ_clearly_in_every_kind_of_colour_vision(mode, vision):
    seen = [to_lab(np.array(VISIONS[vision]) @ to_linear(colour)) for colour in BIOMARKER_COLOURS[mode].values()]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 30


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_stand_out_from_the_background_and_words_can_be_read_on_it(mode):
    background = BACKGROUNDS[mode]
    assert all(contrast(colour, background) >= 3 for colour in BIOMARKER_COLOURS[mode].values())
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
