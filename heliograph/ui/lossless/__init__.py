"""The lossless recorder in the page: a component of ours that sends what the microphone heard, sample for sample.

Recording, sending and keeping what could not be sent yet go on in the browser without this page's help; the page
gives out permits for the takes that the browser tells of, and shows what has arrived.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from heliograph.audio import MAX_TAKE_S
from heliograph.audio.permits import PERMIT_LIFETIME_S, Permit, is_take_name, issue_permit, load_permit_key
from heliograph.ui.workspace import Workspace, find_capture_path

__all__ = ["LosslessState", "show_lossless"]

MAX_TAKES = 20
_FOLDER = Path(__file__).parent
_SCRIPTS = ("queue.js", "capture.js", "view.js")
WORDS = {
    "on": "Turn on the microphone",
    "start": "Start recording",
    "stop": "Stop",
    "again": "Start again",
    "device": "Microphone",
    "level": "Level of the microphone",
    "off": "First turn on the microphone: your browser asks. Nothing is recorded before you press Start.",
    "asking": "Allow the microphone when your browser asks.",
    "good": "Your voice is heard well. Press Start when you are ready.",
    "too_loud": "Too loud: move back a little, or lower the microphone's level.",
    "quiet": "Very quiet: move closer to the microphone, or raise its level.",
    "nothing": "Say a few words. Nothing is heard yet: is this the right microphone, and is it switched on?",
    "recording": "Recording. Every sample is kept.",
    "outage": "Recording. The server can't be reached: {seconds} s are kept here and sent as soon as it can.",
    "ending": "Stopping …",
    "sending": "Sending the last {seconds} s …",
    "unsent": (
        "{seconds} s are kept in this browser: the server can't be reached. They are sent by themselves, also when"
        " you close this page and open it again in this browser."
    ),
    "denied": "The browser blocks the microphone. Allow it in the address bar, then turn it on again.",
    "none": "No microphone found. Connect one, then turn it on again.",
    "in_use": "The microphone can't be opened: another program may use it. Close that, then turn it on again.",
    "insecure": "This page has no microphone access. Open it over HTTPS or on localhost.",
    "unsupported": "This browser can't record losslessly. Choose another recorder above.",
    "failed": "The microphone could not be turned on. Try again, or choose another one.",
    "ended": "The microphone was disconnected. What was recorded until then is kept.",
    "narrow": (
        "This microphone gives sound like a telephone's (often a Bluetooth headset, or a phone saving battery)."
        " Use a wired or built-in one."
    ),
    "echo": "The browser keeps echo cancellation on; it changes the voice.",
    "noise": "The browser keeps noise suppression on; it changes the voice.",
    "gain": "The browser keeps automatic gain on; it changes the voice.",
    "dead_channel": "One channel of this microphone is dead; the other one is recorded.",
    "channels_differ": "The two channels of this microphone differ; one of them is recorded.",
    "interrupted": "The microphone was interrupted, as by a call or a locked screen: that part may be silent.",
    "hidden": "This page was in the background for a while; keep it in front while you record.",
}


@dataclass(frozen=True)
class LosslessState:
    """What the browser said last. `take` is the one being recorded or sent, `owned` all that it is sending."""

    phase: str = "off"
    take: str | None = None
    owned: frozenset[str] = frozenset()
    unsupported: bool = False

    @property
    def recording(self) -> bool:
        return self.phase == "recording"


def show_lossless(workspace: Workspace, key: str, *, participant_id: int) -> LosslessState:
    """Draw the recorder, with a permit for each take that the browser told of; not in a fragment."""
    report = _read_report(st.session_state.get(key))
    draw = st.components.v2.component("heliograph_lossless", html=_html(), css=_css(), js=_js())
    result = draw(
        key=key,
        data={
            "base": find_capture_path(),
            "workspace": workspace.name,
            "note": str(participant_id),
            "max_s": MAX_TAKE_S,
            "permits": _issue_permits(workspace, report),
            "words": WORDS,
        },
        on_report_change=lambda: None,
    )
    report = _read_report(result)
    owned = frozenset(take for take, _ in _takes(report))
    take = report.get("take")
    return LosslessState(
        phase=str(report.get("phase", "off")),
        take=take if is_take_name(take) else None,
        owned=owned,
        unsupported=report.get("unsupported") is True,
    )


def _issue_permits(workspace: Workspace, report: Mapping[str, Any]) -> dict[str, str]:
    """Permits with an end on a whole half lifetime, so that they change as seldom as the page needs new ones."""
    takes = _takes(report)
    if not takes:
        return {}
    key = load_permit_key(workspace.store.folder)
    half_s = PERMIT_LIFETIME_S / 2
    expires_s = (time.time() // half_s + 2) * half_s
    return {take: issue_permit(key, Permit(take, note, expires_s)) for take, note in takes}


def _takes(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The takes of a report that permits can be made out to: names and notes come from a browser."""
    told = report.get("takes")
    pairs = [(one.get("take"), one.get("note")) for one in told if isinstance(one, Mapping)] if told else []
    return [
        (str(take), note)
        for take, note in pairs[:MAX_TAKES]
        if is_take_name(take) and isinstance(note, str) and note.isascii() and note.isdigit() and len(note) <= 12
    ]


def _read_report(found: Any) -> Mapping[str, Any]:
    report = found.get("report") if isinstance(found, Mapping) else getattr(found, "report", None)
    return report if isinstance(report, Mapping) else {}


@cache
def _html() -> str:
    return (_FOLDER / "recorder.html").read_text(encoding="utf-8")


@cache
def _css() -> str:
    return (_FOLDER / "recorder.css").read_text(encoding="utf-8")


@cache
def _js() -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS)
