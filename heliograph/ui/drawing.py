"""Shows the small SVG drawings of `meters` in the page itself (`st.html` would strip them), and live texts.

The markup is ours and holds numbers only; no text from users goes through here.
"""

from __future__ import annotations

import streamlit as st

__all__ = ["show_drawing", "show_live_text"]

JS = """
export default function (component) {
  const { data, parentElement } = component;
  const drawing = parentElement.querySelector(".drawing");
  const first = drawing.innerHTML === "";
  drawing.innerHTML = data.svg;
  if (first && data.reveal && window.matchMedia("(max-width: 640px)").matches) {
    const root = drawing.getRootNode();
    const outer = (root.host || drawing).closest("[data-testid=stColumn]");
    if (outer) outer.scrollIntoView({ block: "start", behavior: "smooth" });
  }
}
"""


def show_drawing(svg: str, *, key: str, reveal: bool = False) -> None:
    """Draw `svg`, replacing what `key` showed before without flicker.

    With `reveal` a phone scrolls to the column that it is in when it first appears.
    """
    draw = st.components.v2.component("heliograph_drawing", html='<div class="drawing"></div>', js=JS)
    draw(data={"svg": svg, "reveal": reveal}, key=key)


TEXT_JS = """
export default function ({ data, parentElement }) {
  const text = parentElement.querySelector("p");
  if (text.textContent !== data.text) text.textContent = data.text;
}
"""
TEXT_CSS = (
    "p { margin: 0; font-family: var(--st-font); font-size: .875rem; color: var(--st-text-color); opacity: .8; }"
)


def show_live_text(text: str, *, key: str) -> None:
    """A faint line that a screen reader reads whenever it changes: Streamlit's own captions are silent."""
    draw = st.components.v2.component(
        "heliograph_live_text", html='<p role="status"></p>', css=TEXT_CSS, js=TEXT_JS
    )
    draw(data={"text": text}, key=key)
