"""Small drawings as SVG text: the ring of speech seconds, the level bar, the waveform. Numbers in, markup out.

They hold no text from users and take their colours from the page, so they fit both themes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

__all__ = ["GOOD_SPEECH_S", "NEEDED_SPEECH_S", "draw_level", "draw_ring", "draw_waveform", "ring_colour"]

NEEDED_SPEECH_S = 10.0  # thymia's minimum.
GOOD_SPEECH_S = 15.0  # A margin: another detector may count a second or two less.
FLOOR_DBFS = -60.0
RED, AMBER, GREEN = "#d1495b", "#c77d0a", "#2a9d6f"  # Told apart by the number and the words as well.
TRACK = "rgba(128,128,128,0.25)"
RADIUS = 52


def ring_colour(speech_s: float) -> str:
    """Red below what thymia needs, amber up to a safe margin, green above."""
    return RED if speech_s < NEEDED_SPEECH_S else AMBER if speech_s < GOOD_SPEECH_S else GREEN


def draw_ring(speech_s: float, elapsed_s: float) -> str:
    """The ring that fills while somebody speaks, full at `GOOD_SPEECH_S`; seconds of speech in its middle."""
    round_ = 2 * pi * RADIUS
    filled = round_ * min(speech_s / GOOD_SPEECH_S, 1.0)
    minutes, seconds = divmod(int(elapsed_s), 60)
    whole_s = int(speech_s)  # Not rounded: “15” must not stand in a ring that is still amber.
    label = f"{whole_s} seconds of speech, {minutes} minutes {seconds} seconds recorded"
    return (
        '<svg viewBox="0 0 120 120" style="display:block;margin:auto;width:100%;max-width:200px;color:inherit" '
        f'role="img" aria-label="{label}">'
        f'<circle cx="60" cy="60" r="{RADIUS}" fill="none" stroke="{TRACK}" stroke-width="10"/>'
        f'<circle cx="60" cy="60" r="{RADIUS}" fill="none" stroke="{ring_colour(speech_s)}" stroke-width="10" '
        f'stroke-linecap="round" stroke-dasharray="{filled:.1f} {round_:.1f}" transform="rotate(-90 60 60)"/>'
        '<g fill="currentColor" text-anchor="middle" font-family="inherit">'
        f'<text x="60" y="62" font-size="32" font-weight="600">{whole_s}</text>'
        '<text x="60" y="80" font-size="12">s of speech</text>'
        f'<text x="60" y="95" font-size="11" opacity="0.8">{minutes}:{seconds:02d} in all</text></g></svg>'
    )


def draw_level(level_dbfs: float | None, peak_dbfs: float | None) -> str:
    """A bar from -60 to 0 dBFS with a mark at the peak; empty when nothing is heard."""
    level, peak = _share(level_dbfs), _share(peak_dbfs)
    colour = RED if peak > 0.985 else GREEN if level > 0.25 else AMBER
    said = "no sound" if level_dbfs is None else f"{level_dbfs:.0f} decibels below full scale"
    return (
        '<svg viewBox="0 0 300 14" preserveAspectRatio="none" style="display:block;width:100%;height:14px" '
        f'role="img" aria-label="Level: {said}">'
        f'<rect width="300" height="14" rx="4" fill="{TRACK}"/>'
        f'<rect width="{300 * level:.1f}" height="14" rx="4" fill="{colour}"/>'
        f'<rect x="{max(300 * peak - 2, 0):.1f}" width="2" height="14" fill="currentColor" opacity="0.6"/></svg>'
    )


def draw_waveform(lows: Sequence[float], highs: Sequence[float]) -> str:
    """The outline of a recording from its minima and maxima (each in [-1, 1], same length, one a column)."""
    width = len(lows)
    upper = " ".join(f"{x},{50 - 48 * high:.1f}" for x, high in enumerate(highs))
    lower = " ".join(f"{x},{50 - 48 * low:.1f}" for x, low in reversed(list(enumerate(lows))))
    return (
        f'<svg viewBox="0 0 {max(width, 1)} 100" preserveAspectRatio="none" '
        'style="display:block;width:100%;height:90px" role="img" aria-label="Waveform of the recording">'
        f'<rect y="49.6" width="{width}" height="0.8" fill="currentColor" opacity="0.3"/>'
        f'<polygon points="{upper} {lower}" fill="#1f8a94"/></svg>'
    )


def _share(dbfs: float | None) -> float:
    return 0.0 if dbfs is None else min(max((dbfs - FLOOR_DBFS) / -FLOOR_DBFS, 0.0), 1.0)
