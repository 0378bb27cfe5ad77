"""Shows the small SVG drawings of `meters` in the page itself: `st.html` would strip them.

The markup is ours and holds numbers only; no text from users goes through here.
"""

from __future__ import annotations

import streamlit as st

__all__ = ["show_drawing"]

JS = """
export default function (component) {
  const { data, parentElement } = component;
  parentElement.querySelector(".drawing").innerHTML = data.svg;
}
"""


def show_drawing(svg: str, *, key: str) -> None:
    """Draw `svg`, replacing what `key` showed before without flicker."""
    draw = st.components.v2.component("heliograph_drawing", html='<div class="drawing"></div>', js=JS)
    draw(data={"svg": svg}, key=key)
