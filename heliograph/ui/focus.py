"""Where the keyboard and a screen reader go on when a step of the page has given way to the next one."""

from __future__ import annotations

import streamlit as st

__all__ = ["show_focused_heading"]

# Once what was pressed is gone and has left the focus nowhere; not where somebody has gone elsewhere meanwhile.
JS = """
export default function ({ data, parentElement }) {
  if (parentElement.focusedFor === data.heading) return;
  parentElement.focusedFor = data.heading;
  const before = document.activeElement;
  const isMeant = (one) => one.textContent.trim() === data.heading;
  const attempt = (left) => {
    const heading = [...document.querySelectorAll("h2, h3")].find(isMeant);
    if (heading && document.activeElement === document.body) {
      heading.tabIndex = -1;
      heading.style.outline = "none";
      heading.style.scrollMarginTop = "5rem";
      heading.focus();
    } else if (left && [before, document.body].includes(document.activeElement)) {
      setTimeout(attempt, 200, left - 1);
    }
  };
  attempt(15);
}
"""


def show_focused_heading(heading: str, *, key: str) -> None:
    """A subheader that takes the focus; once, as long as `key` stays on the page."""
    take_focus = st.components.v2.component("heliograph_focus", html="<i hidden></i>", js=JS)
    with st.container(gap=None):
        st.subheader(heading, anchor=False)
        take_focus(data={"heading": heading}, key=key)
