"""A drawn outline shows every extreme of the sound."""

import numpy as np
import pytest

from heliograph.audio import compute_peaks
from tests.audio.sounds import make_noise, to_int16


@pytest.mark.parametrize("n", [1, 7, 800, 4801, 100_000])
def test_no_extreme_is_lost_whatever_the_number_of_columns(n: int) -> None:
    sound = make_noise(0.1)
    low, high = compute_peaks(sound, n)
    assert low.size == high.size == min(n, sound.size)
    assert (low.min(), high.max()) == (sound.min(), sound.max())
    assert np.all(low <= high)


def test_a_click_shows_in_its_own_column_only() -> None:
    sound = np.zeros(1000, np.float32)
    sound[505] = -0.5
    low, high = compute_peaks(sound, 10)
    assert low.tolist() == [0, 0, 0, 0, 0, -0.5, 0, 0, 0, 0]
    assert not high.any()


def test_int16_gives_the_same_outline_as_float() -> None:
    sound = to_int16(make_noise(0.1))
    for ours, theirs in zip(
        compute_peaks(sound, 50), compute_peaks(sound.astype(np.float32) / 32768, 50), strict=True
    ):
        assert np.allclose(ours, theirs)
        assert ours.dtype == np.float32


def test_nothing_gives_nothing_and_nonsense_is_refused() -> None:
    assert [edge.size for edge in compute_peaks(np.zeros(0, np.float32), 10)] == [0, 0]
    with pytest.raises(ValueError, match="at least 1"):
        compute_peaks(np.zeros(5, np.float32), 0)
    with pytest.raises(ValueError, match="one dimension"):
        compute_peaks(np.zeros((2, 5), np.float32), 1)
