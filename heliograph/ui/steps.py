"""Where one is in the four steps of Record: the first thing a newcomer asks."""

from __future__ import annotations

import streamlit as st

__all__ = ["STEPS", "make_steps_html", "show_steps"]

STEPS = ("Participant", "Recording", "Review and submit", "Result")
STYLE = """
<style>
ol.hg-steps { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; list-style: none;
  margin: 0 !important; padding: 0 !important;
  font-size: .95rem; }
ol.hg-steps li { display: flex; align-items: center; gap: .45rem; margin: 0; padding: 0; opacity: .78; }
ol.hg-steps li[aria-current] { font-weight: 600; opacity: 1; }
.hg-steps span { display: inline-grid; place-items: center; width: 1.5rem; height: 1.5rem; border-radius: 50%;
  border: 1.5px solid currentColor; font-size: .8rem; }
.hg-steps li[aria-current] span { background: #1a7f8a; border-color: #1a7f8a; color: #fff; }
@media (max-width: 640px) { .hg-steps li:not([aria-current]) b { display: none; } ol.hg-steps { gap: .6rem; } }
.hg-steps b { font-weight: inherit; }
</style>
"""


def show_steps(current: str) -> None:
    """Draw the steps with `current` (one of `STEPS`) marked."""
    st.html(make_steps_html(current))


def make_steps_html(current: str) -> str:
    """The list as HTML; a step before `current` has a tick. Raises `ValueError` for a step that is none."""
    if current not in STEPS:
        raise ValueError(f"{current!r} is none of {STEPS}")
    position = STEPS.index(current)
    items = "".join(
        f"<li{' aria-current=step' if number == position else ''}>"
        f"<span>{'✓' if number < position else number + 1}</span><b>{name}</b></li>"
        for number, name in enumerate(STEPS)
    )
    return f'{STYLE}<ol class="hg-steps" aria-label="Steps">{items}</ol>'
