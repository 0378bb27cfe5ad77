"""What stands on every page: where one is, whether scores are synthetic, and what keeps the worker from work."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from heliograph.store import load_worker
from heliograph.ui import messages
from heliograph.ui.style import show_style
from heliograph.ui.workspace import Workspace, get_workspace

__all__ = ["ICON", "just_entered", "note_page", "show_disclaimer", "show_header"]

NOTICE_EVERY_S = 20.0
ICON = str(Path(__file__).with_name("icon.png"))  # A material icon would be fetched from elsewhere.


def show_header(title: str, lead: str | None = None) -> Workspace:
    """Draw the head of a page and return the workspace that the page works with."""
    workspace = get_workspace()
    show_style()
    with st.container(horizontal=True, vertical_alignment="center", key="frame_head"):
        st.title(title, anchor=False, width="content")
        st.badge(
            f"Workspace: {workspace.name}",
            icon=":material/science:" if workspace.synthetic else ":material/verified_user:",
            color="orange" if workspace.synthetic else "green",
        )
    if workspace.synthetic:
        with st.container(key="frame_banner"):
            st.warning(messages.SANDBOX_BANNER, icon=":material/science:")
    show_notices()
    if lead:
        st.markdown(lead)
    return workspace


@st.fragment(run_every=NOTICE_EVERY_S)
def show_notices() -> None:
    """The worker's troubles, in words; empty while all is well."""
    notice = messages.worker_notice(load_worker(get_workspace().store))
    if notice is None:
        return
    draw = st.error if notice.severe else st.warning
    draw(notice.text, icon=":material/error:" if notice.severe else ":material/cloud_off:")


def note_page(name: str) -> None:
    """Called by the navigation before it runs a page, so that `just_entered` knows."""
    st.session_state["frame_entered"] = st.session_state.get("frame_page") != name
    st.session_state["frame_page"] = name


def just_entered() -> bool:
    """Whether this is the page's first run since another page (or none) was open."""
    return bool(st.session_state.get("frame_entered", True))


def show_disclaimer() -> None:
    """The one calm line that stands wherever scores are read."""
    st.caption(f"{messages.POINT_IN_TIME} {messages.DISCLAIMER}")
