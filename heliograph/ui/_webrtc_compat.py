"""The private parts of streamlit-webrtc and aiortc that the recorder leans on, and why.

Both packages are pinned; `tests/browser/test_webrtc_compat.py` fails when one of these parts goes away.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

__all__ = ["OPUS_BITRATE", "keep_context", "raise_opus_bitrate", "register_component"]

OPUS_BITRATE = 128_000  # bit/s, mono speech: above this nothing is gained, below it 4-7 kHz suffers.


def keep_context(key: str) -> None:
    """Keep a running stream alive across reruns.

    The streamer takes a context for orphaned when the count of script runs jumped by more than one since it
    was last drawn, and fragments make it jump; a recording then dies in the middle (streamlit-webrtc #2475,
    #2478). Without a last count there is nothing to compare with.
    """
    context = st.session_state.get(key)
    if context is not None:
        context._last_rendered_run_count = None


def raise_opus_bitrate() -> None:
    """Ask browsers to send speech at `OPUS_BITRATE`: the default codec settings lose detail above 4 kHz."""
    from aiortc.codecs import CODECS

    for codec in CODECS["audio"]:
        if codec.name.lower() == "opus":
            codec.parameters["maxaveragebitrate"] = OPUS_BITRATE


def register_component() -> None:
    """Make the server know the streamer's frontend when the package was imported outside a page's script.

    A component registers itself only in a script run; imported earlier (to spare the first visitor the half
    second) its files would answer 404.
    """
    from streamlit import runtime
    from streamlit.components.v1 import component_registry

    declaring: Any = component_registry
    ask = declaring.get_script_run_ctx
    # The package declares its component while it is imported, and Streamlit would log that no script is running.
    declaring.get_script_run_ctx = partial(ask, suppress_warning=True)
    try:
        from streamlit_webrtc import component
    finally:
        declaring.get_script_run_ctx = ask
    if runtime.exists():
        runtime.get_instance().component_registry.register_component(component._component_func)
