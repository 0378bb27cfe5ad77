"""The lossless recorder in the page: a component of ours that sends what the microphone heard, sample for sample.

Recording, sending and keeping what could not be sent yet go on in the browser without this page's help; the page
gives out permits for the takes that the browser tells of, and shows what has arrived. Where the recorder is not
drawn, the courier is: the same component without a microphone, which carries what the browser still keeps.
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
from heliograph.audio.permits import (
    PERMIT_LIFETIME_S,
    Permit,
    compute_workspace_name,
    is_take_name,
    issue_permit,
    load_permit_key,
)
from heliograph.ui.lossless.trouble_words import TROUBLE_WORDS
from heliograph.ui.recorder_words import WORDS
from heliograph.ui.workspace import Workspace, find_capture_path

__all__ = ["LosslessState", "load_owned", "load_state", "show_courier", "show_lossless"]

RECORDER_KEY, COURIER_KEY = "record_lossless", "record_courier"
MAX_TAKES = 20
_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "clock.js",
    "keep.js",
    "sender.js",
    "facts.js",
    "samples.js",
    "listening.js",
    "sources.js",
    "microphone.js",
    "capture.js",
    "view.js",
)


@dataclass(frozen=True)
class LosslessState:
    """What the browser said last; `take` is the one being recorded or sent, `whose` the participant noted for it.

    `webrtc` is whether the browser can do that.
    """

    phase: str = "off"
    take: str | None = None
    whose: int | None = None
    unsupported: bool = False
    webrtc: bool = True

    @property
    def recording(self) -> bool:
        return self.phase == "recording"


def show_lossless(workspace: Workspace, *, participant_id: int) -> LosslessState:
    """Draw the recorder, with a permit for each take that the browser told of; not in a fragment."""
    return _show(workspace, RECORDER_KEY, note=str(participant_id))


def show_courier(workspace: Workspace) -> None:
    """Draw what sends earlier recordings; never in a run that draws the recorder too, and not in a fragment."""
    _show(workspace, COURIER_KEY, note="")


def load_state() -> LosslessState:
    """What the recorder in the browser had said before this run of the script."""
    return _make_state(_load_report(RECORDER_KEY))


def load_owned() -> frozenset[str]:
    """The takes that the browser has not delivered yet, as it said before this run of the script."""
    return frozenset(take for key in (RECORDER_KEY, COURIER_KEY) for take, _ in _takes(_load_report(key)))


def _show(workspace: Workspace, key: str, *, note: str) -> LosslessState:
    draw = st.components.v2.component("heliograph_lossless", html=_html(), css=_css(), js=_js())
    result = draw(
        key=key,
        data={
            "base": find_capture_path(),
            "workspace": compute_workspace_name(load_permit_key(workspace.store.folder)),
            "note": note,
            "max_s": MAX_TAKE_S,
            "permits": _issue_permits(workspace, _load_report(key)),
            "words": {**WORDS, **TROUBLE_WORDS},
            "headless": key == COURIER_KEY,
        },
        on_report_change=lambda: None,
    )
    return _make_state(_read_report(result))


def _make_state(report: Mapping[str, Any]) -> LosslessState:
    take = report.get("take")
    note = dict(_takes(report)).get(str(take))
    return LosslessState(
        phase=str(report.get("phase", "off")),
        take=take if is_take_name(take) else None,
        whose=None if note is None else int(note),
        unsupported=report.get("unsupported") is True,
        webrtc=report.get("webrtc") is not False,
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
    if not isinstance(told, list):
        return []
    pairs = [(one.get("take"), one.get("note")) for one in told if isinstance(one, Mapping)]
    return [
        (str(take), note)
        for take, note in pairs[:MAX_TAKES]
        if is_take_name(take) and isinstance(note, str) and note.isascii() and note.isdigit() and len(note) <= 12
    ]


def _load_report(key: str) -> Mapping[str, Any]:
    return _read_report(st.session_state.get(key))


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
