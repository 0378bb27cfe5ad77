"""The panels of the settings page: connection, worker, data, deletion, versions. Never the key itself."""

from __future__ import annotations

import platform
from importlib.metadata import version
from urllib.parse import urlsplit

import streamlit as st

from heliograph.runs import load_purge_setting, save_purge_setting
from heliograph.runs.recorders import RecorderMode, load_recorder_mode, save_recorder_mode
from heliograph.store import StoreError, load_overview, load_store_facts, load_worker
from heliograph.ui import messages
from heliograph.ui.formats import format_bytes, format_utc
from heliograph.ui.markup import escape
from heliograph.ui.recorder_words import RECORDERS, RECORDERS_EXPLAINED
from heliograph.ui.theme import show_facts
from heliograph.ui.workspace import Workspace
from thymia_api import ThymiaError

__all__ = [
    "show_connection",
    "show_deletion_setting",
    "show_key_help",
    "show_recorder_setting",
    "show_store",
    "show_versions",
    "show_worker",
]

REGION_NAMES = {"default": "default", "ca": "Canada", "us": "United States"}
LIBRARIES = ("streamlit", "streamlit-webrtc", "httpx", "pandas", "plotly", "sqlite-utils")
DOCS = "https://thymia.ai/docs/building-your-integration"


def show_connection(workspace: Workspace) -> None:
    """Workspace, region, host and whether there is a key, with a button that asks thymia."""
    settings = workspace.settings
    st.subheader("Connection", anchor=False)
    show_facts(
        [
            ("Workspace", f"{workspace.name} ({'synthetic scores' if workspace.synthetic else 'real scores'})"),
            ("Region", "none: the sandbox runs here" if workspace.synthetic else REGION_NAMES[settings.region]),
            ("API host", escape(urlsplit(workspace.base_url).netloc.rpartition("@")[2])),
            ("API key", _describe_key(workspace)),
        ]
    )
    if st.button("Check the key", key="settings_check", icon=":material/key:"):
        check_key(workspace)


def check_key(workspace: Workspace) -> None:
    """Ask for the account behind the key and say what came of it."""
    try:
        with st.spinner("Asking…"), workspace.make_client() as client:
            account = client.get_account()
    except ThymiaError as error:
        problem = messages.describe_problem(error)
        st.error(f"**{problem.what}** {problem.action}", icon=":material/error:")
        return
    features = ", ".join(account.features) or "none listed"
    st.success(
        f"The key works. Account {escape(account.id)}; features: {escape(features)}.", icon=":material/check:"
    )


def show_worker(workspace: Workspace) -> None:
    """What the worker does and whether thymia can be reached."""
    status = load_worker(workspace.store)
    reached = f"last reached {format_utc(status.api_reached_utc)}" if status.api_reached_utc else "not reached yet"
    problem = (
        f"can't be reached since {format_utc(status.api_problem_since_utc)}: {escape(status.api_problem or '')}"
    )
    st.subheader("Worker", anchor=False)
    st.caption("Sends recordings and fetches results in the background, whether or not a page is open.")
    show_facts(
        [
            ("State", messages.describe_worker(status)),
            ("API", f"{problem} ({reached})" if status.api_problem else reached),
            ("Last sign of life", format_utc(status.heartbeat_utc)),
            ("Process", f"{status.pid} on {escape(status.host or 'this machine')}" if status.pid else "–"),
        ]
    )


def show_deletion_setting(workspace: Workspace) -> None:
    """The choice of this workspace: whether its own copy goes when thymia deletes its own."""
    st.subheader("Deletion", anchor=False)
    # Only a click writes: a page that another person's change has overtaken must not undo it at its next run.
    st.session_state["settings_purge"] = load_purge_setting(workspace.store)
    st.toggle(
        "Delete the copy here when thymia deletes its own",
        key="settings_purge",
        on_change=_save_deletion_setting,
        args=(workspace,),
    )
    st.caption(messages.PURGE_EXPLAINED)


def _save_deletion_setting(workspace: Workspace) -> None:
    try:
        save_purge_setting(workspace.store, bool(st.session_state["settings_purge"]))
    except StoreError as error:
        st.error(messages.describe_problem(error).text)
        return
    workspace.wake_worker()
    st.toast("Saved.", icon=":material/check:")


def show_recorder_setting(workspace: Workspace) -> None:
    """The choice of this workspace: which recorder Record offers first."""
    st.subheader("Recorder", anchor=False)
    st.session_state["settings_recorder"] = load_recorder_mode(workspace.store)
    st.selectbox(
        "Record with",
        list(RecorderMode),
        format_func=RECORDERS.__getitem__,
        key="settings_recorder",
        on_change=_save_recorder_setting,
        args=(workspace,),
    )
    st.caption(RECORDERS_EXPLAINED)


def _save_recorder_setting(workspace: Workspace) -> None:
    try:
        save_recorder_mode(workspace.store, RecorderMode(st.session_state["settings_recorder"]))
    except StoreError as error:
        st.error(messages.describe_problem(error).text)
        return
    st.toast("Saved.", icon=":material/check:")


def show_store(workspace: Workspace) -> None:
    """How much there is, and where."""
    facts, overview = load_store_facts(workspace.store), load_overview(workspace.store, limit=1)
    st.subheader("Data", anchor=False)
    show_facts(
        [
            ("Runs", f"{overview.n_runs:,}"),
            ("Participants", f"{overview.n_participants:,}"),
            ("Recordings", f"{overview.n_recordings:,}"),
            ("Database", format_bytes(facts.database_bytes)),
            ("Folder", escape(facts.folder)),
            ("Created", format_utc(facts.created_utc)),
        ]
    )


def show_versions(workspace: Workspace) -> None:
    """What to name in a bug report."""
    facts = load_store_facts(workspace.store)
    st.subheader("Versions", anchor=False)
    show_facts(
        [
            ("Python", platform.python_version()),
            ("SQLite", facts.sqlite_version),
            ("Database schema", escape(facts.schema_version)),
            *((name, version(name)) for name in LIBRARIES),
        ]
    )


def show_key_help() -> None:
    """How to set a key, and where everything is explained."""
    with st.expander("How to use thymia instead of the sandbox", icon=":material/help:"):
        st.markdown(messages.KEY_HELP)
        st.code('[thymia]\napi_key = "your key"\nregion = "default"   # or "ca", "us"', language="toml")
        st.markdown("Then restart the server. All settings are explained in `docs/settings.md`.")
        st.link_button("thymia's documentation", DOCS, icon=":material/open_in_new:")


def _describe_key(workspace: Workspace) -> str:
    if workspace.settings.embedded_sandbox:
        return "not needed in the sandbox"
    return "set" if workspace.settings.thymia_api_key is not None else "not set"
