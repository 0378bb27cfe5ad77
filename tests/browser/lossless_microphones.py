"""Microphones for the lossless recorder: Chromium's own fake one, and one made of Web Audio at any rate."""

from __future__ import annotations

import base64
import itertools
import json

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from heliograph.store import Recording, RecordingSource, load_waiting_recordings, recording_path
from tests.browser.journeys import open_record, record_until, start_lossless
from tests.browser.microphones import ExactMatch, Stretch, compare_exactly, find_stretches, load_mono
from tests.browser.servers import AppServer

QUANTUM = 128
LATE_S = 0.02  # Of a made microphone on a starved computer.

_SCRIPT = """
(() => {
  const octets = Uint8Array.from(atob("BASE64"), (character) => character.charCodeAt(0));
  const steps = new Int16Array(octets.buffer);
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext({ sampleRate: RATE });
    const buffer = context.createBuffer(CHANNELS, steps.length, RATE);
    buffer.getChannelData(CHANNELS - 1).set(Float32Array.from(steps, (step) => step / 32768));
    const speaker = new MediaStreamAudioDestinationNode(context, { channelCount: CHANNELS });
    const silence = new ConstantSourceNode(context, { offset: 0 });
    silence.connect(speaker);
    silence.start();
    const play = (loop) => {
      const source = new AudioBufferSourceNode(context, { buffer, loop });
      source.connect(speaker);
      source.start();
      return source;
    };
    let source = play(true);
    const track = speaker.stream.getAudioTracks()[0];
    track.getSettings = () => ({ sampleRate: RATE, channelCount: CHANNELS, echoCancellation: false });
    const stop = () => source.stop();
    const playOnce = () => new Promise((done) => { source = play(false); source.onended = done; });
    window.madeMicrophone = { context, track, stop, playOnce };
    return speaker.stream;
  };
})();
"""


# Start is pressed, the microphone plays what it has once, and Stop is pressed: what was heard between the two.
RECORD_ONCE = """async (start) => {
  const buttons = [...start.getRootNode().querySelectorAll("button")];
  madeMicrophone.stop();
  await new Promise((done) => setTimeout(done, 500));
  start.click();
  await madeMicrophone.playOnce();
  buttons.find((one) => one.textContent.trim() === "Stop").click();
}"""


def make_microphone(page: Page, played: NDArray[np.int16], rate_hz: int, channels: int = 1) -> None:
    """Give the pages opened from now on a microphone that plays `played` over and over."""
    page.add_init_script(make_microphone_script(played, rate_hz, channels))


def make_microphone_script(played: NDArray[np.int16], rate_hz: int, channels: int = 1) -> str:
    """With two channels the left one is dead."""
    text = base64.b64encode(played.astype("<i2").tobytes()).decode()
    return _SCRIPT.replace("RATE", str(rate_hz)).replace("CHANNELS", str(channels)).replace("BASE64", text)


def start_made(page: Page, server: AppServer, label: str, played: NDArray[np.int16], rate_hz: int) -> int:
    """Record somebody new from a microphone made of Web Audio, which can be taken away."""
    make_microphone(page, played, rate_hz)
    number = open_record(page, server, label)
    start_lossless(page)
    record_until(page, 2)
    return number


def load_captured(server: AppServer, participant_id: int) -> tuple[Recording, np.ndarray]:
    """The one recording of somebody that waits for its review, at its own rate."""
    with server.store() as store:
        (recording,) = [found for found, owner in load_waiting_recordings(store) if owner == participant_id]
        assert recording.facts.sample_rate_hz is not None
        return recording, load_mono(recording_path(store, recording), recording.facts.sample_rate_hz)


def recorded_s(page: Page) -> float:
    """How many seconds of sound the recorder of this page has taken so far."""
    seconds: float = page.evaluate(
        "(({ recorded, rate }) => recorded / rate)(window[Symbol.for('heliograph.recorder')])"
    )
    return seconds


def expect_whole(captured: np.ndarray, once: np.ndarray) -> None:
    """What was played once between Start and Stop is there from its first to its last sample, in its length.

    A starved computer's made microphone may pause for itself, which leaves dead silence between two samples.
    """
    heard = np.trim_zeros(captured)
    print(f"\nplayed {once.size} samples, heard {heard.size} after {np.flatnonzero(captured)[0]}")
    np.testing.assert_array_equal(heard[heard != 0], once[once != 0])
    assert 0 <= heard.size - once.size <= 20 * QUANTUM


def expect_stretches(captured: np.ndarray, played: np.ndarray, most: int) -> int:
    """Every sample is the played one, but for dead silence between them, whose length in samples is returned.

    At such a place the microphone may go on up to `most` samples later than where it had stopped.
    """
    stretches = find_stretches(captured, played)
    print(f"\nstretches that are the played file: {stretches}")
    exact = np.zeros(captured.size, bool)
    for one in stretches:
        exact[one.start : one.stop] = True
    assert np.count_nonzero(captured[~exact]) <= 2 * QUANTUM
    for last, after in itertools.pairwise(stretches):
        assert -QUANTUM <= compute_skipped(last, after, played) <= most
    return int(np.count_nonzero(~exact))


def compute_skipped(last: Stretch, after: Stretch, played: np.ndarray) -> int:
    """How many samples of the played loop, less than half of it, were left out between two stretches."""
    skipped = after.lag - last.lag + after.start - last.stop
    return (skipped + played.size // 2) % played.size - played.size // 2


def expect_exact(
    server: AppServer, participant_id: int, played: np.ndarray, at_least_s: float = 0.0
) -> tuple[Recording, ExactMatch]:
    """Every sample is the played one, from the first to the last, and nothing was put in between them.

    With `at_least_s` nothing is missing at the end either: that much had been recorded.
    """
    recording, captured = load_captured(server, participant_id)
    match = compare_exactly(captured, played)
    facts = recording.facts
    figures = {
        "rate_hz": facts.sample_rate_hz,
        "length_s": round(captured.size / facts.sample_rate_hz, 3),
        "wall_clock_s": facts.wall_clock_s,
        "missing_share": facts.missing_share,
        "wrong_samples": match.wrong,
        "snr_db": match.snr_db,
        "processing": dict(facts.processing),
    }
    print(f"\nlossless capture against played file: {json.dumps(figures)}")
    assert facts.source == RecordingSource.LOSSLESS
    # A busy computer's made microphone may pause for itself; of what it gave nothing is missing.
    assert facts.processing.get("filled_stretches_s", "none") == "none"
    assert "missing_stretches_s" not in facts.processing
    assert match.snr_db >= 90
    assert match.wrong <= 2 * QUANTUM
    assert captured.size >= round(at_least_s * facts.sample_rate_hz)
    return recording, match
