"""The seam to streamlit-webrtc: the one place that knows how a browser's microphone reaches a `Capture`.

Tests that run without a server replace `show_microphone`; everything else about recording is beyond it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from heliograph.audio.capture import Capture
from heliograph.config import IceServer
from heliograph.ui import _webrtc_compat

if TYPE_CHECKING:
    import av
    from streamlit_webrtc import Translations

__all__ = ["AUDIO_CONSTRAINTS", "MicrophoneState", "prepare", "show_microphone"]

# Asked for, not known to be in force: the component doesn't tell what the browser made of it.
AUDIO_CONSTRAINTS = {
    "echoCancellation": False,
    "noiseSuppression": False,
    "autoGainControl": False,
    "channelCount": 1,
}
WORDS: Translations = {
    "start": "Turn on the microphone",
    "stop": "Turn off the microphone",
    "select_device": "Choose a microphone",
    "media_api_not_available": "This page has no microphone access. Open it over HTTPS or on localhost.",
    "device_ask_permission": "Allow the microphone when your browser asks.",
    "device_not_available": "No microphone found. Connect one and reload the page.",
    "device_access_denied": "The browser blocks the microphone. Allow it in the address bar and reload the page.",
    "mute_microphone": "Mute the microphone",
    "unmute_microphone": "Unmute the microphone",
    "select_microphone": "Choose a microphone",
}


@dataclass(frozen=True)
class MicrophoneState:
    """What the browser said last: `connecting` while it negotiates, `connected` once audio can flow."""

    connecting: bool
    connected: bool


class _Desk:
    """Where the streamer's frames arrive, on its event loop: handed on at once to the capture of the moment."""

    def __init__(self) -> None:
        self.capture: Capture | None = None

    def end(self) -> None:
        """The browser has gone: what was recorded stays in the spool."""
        if self.capture is not None:
            self.capture.abandon(timeout=0)

    def take(self, frame: av.AudioFrame) -> None:
        capture = self.capture
        if capture is not None:
            capture.push(frame)


def prepare() -> None:
    """Load the WebRTC packages and set the codec up; once, before the first visitor."""
    _webrtc_compat.register_component()
    _webrtc_compat.raise_opus_bitrate()


def show_microphone(key: str, capture: Capture | None, *, ice_servers: Sequence[IceServer]) -> MicrophoneState:
    """Draw the browser's side and connect it to `capture`; to be called in every full run, never in a fragment."""
    from streamlit_webrtc import WebRtcMode, create_audio_sink_track, webrtc_streamer

    desk: _Desk = st.session_state.setdefault(f"{key}_desk", _Desk())
    desk.capture = capture
    sink = create_audio_sink_track(desk.take, key=f"{key}_sink", on_ended=desk.end)
    _webrtc_compat.keep_context(key)
    # Always given: without it both sides ask a public STUN server and hang where there is none.
    configuration: dict[str, Any] = {
        "iceServers": [server.model_dump(exclude_none=True) for server in ice_servers]
    }
    context = webrtc_streamer(
        key,
        mode=WebRtcMode.SENDONLY,
        rtc_configuration=configuration,
        media_stream_constraints={"audio": AUDIO_CONSTRAINTS, "video": False},
        sink_audio_track=sink,
        sendback_audio=False,
        sendback_video=False,
        media_toggle_controls=False,
        translations=WORDS,
    )
    return MicrophoneState(connecting=context.state.signalling, connected=context.state.playing)
