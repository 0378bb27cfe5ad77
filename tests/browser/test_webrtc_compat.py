"""The private parts of streamlit-webrtc and aiortc that the recorder leans on are still there."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
from aiortc.codecs import CODECS
from streamlit.components.lib.local_component_registry import LocalComponentRegistry
from streamlit.components.v1 import component_registry
from streamlit.runtime import Runtime
from streamlit_webrtc import WebRtcStreamerContext, component

from heliograph.ui import _webrtc_compat
from tests.browser.journeys import (
    choose_recorder,
    expect_page,
    microphone,
    open_record,
    settle,
    turn_on_microphone,
)
from tests.browser.servers import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_fresh_context_remembers_the_run_that_drew_it_last():
    """`keep_context` empties this; were it renamed, recordings would die in mid-sentence again."""
    context = WebRtcStreamerContext(worker=None, state=component.WebRtcStreamerState(False, False))
    assert context._last_rendered_run_count is None
    source = inspect.getsource(component._get_or_create_context)
    assert "context._last_rendered_run_count is not None" in source


def test_keeping_a_context_empties_exactly_that(monkeypatch):
    """A context in the session loses its last count; a key without context changes nothing."""
    context = WebRtcStreamerContext(worker=None, state=component.WebRtcStreamerState(True, False))
    context._last_rendered_run_count = 41
    monkeypatch.setattr(_webrtc_compat.st, "session_state", {"stream": context})
    _webrtc_compat.keep_context("stream")
    _webrtc_compat.keep_context("another")
    assert context._last_rendered_run_count is None


def test_the_bitrate_goes_into_what_the_server_tells_browsers(monkeypatch):
    """There is an Opus entry with parameters, and an answer made after raising it names the bit rate."""
    (opus,) = [codec for codec in CODECS["audio"] if codec.mimeType.lower() == "audio/opus"]
    monkeypatch.setattr(opus, "parameters", dict(opus.parameters))
    _webrtc_compat.raise_opus_bitrate()
    assert opus.parameters["maxaveragebitrate"] == _webrtc_compat.OPUS_BITRATE


def test_the_component_can_be_registered_outside_a_script():
    """The runtime has a registry that takes the component's function."""
    assert isinstance(inspect.getattr_static(Runtime, "component_registry"), property)
    registry = LocalComponentRegistry()
    registry.register_component(component._component_func)
    assert registry.get_component_path(component._component_func.name)


def test_the_package_is_imported_outside_a_script_without_a_word_about_that():
    """Streamlit warns of each component that is declared outside a script's run, unless it is told not to."""
    code = "from heliograph.ui import _webrtc_compat; _webrtc_compat.register_component()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "ScriptRunContext" not in done.stderr
    asked = inspect.signature(component_registry.get_script_run_ctx).parameters
    assert "suppress_warning" in asked
    assert "get_script_run_ctx()" in inspect.getsource(component_registry.declare_component)


@pytest.mark.browser
def test_the_component_is_served_to_a_visitor_who_opens_record_first(server, page):
    """Its files are there although the package was imported before any page ran."""
    open_record(page, server, "Early")
    choose_recorder(page, "WebRTC")
    microphone(page).get_by_role("button", name="Turn on the microphone").wait_for()


@pytest.mark.browser
def test_the_microphone_can_be_turned_on_and_off_again_and_again(server, page):
    """Six times in a row, and every time it is heard."""
    open_record(page, server, "Fidgety")
    for _ in range(6):
        turn_on_microphone(page)
        microphone(page).get_by_role("button", name="Turn off the microphone").click()
        microphone(page).get_by_role("button", name="Turn on the microphone").wait_for()
        page.get_by_role("button", name="Start recording").wait_for(state="detached")
        settle(page)
    expect_page(page, "Record")
