"""Microphones for the lossless recorder: Chromium's own fake one, and one made of Web Audio at any rate."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

FAKE_RATE_HZ = 44_100  # What Chromium's fake microphone says and gives, whatever the file.

_SCRIPT = """
(() => {
  const octets = Uint8Array.from(atob("BASE64"), (character) => character.charCodeAt(0));
  const steps = new Int16Array(octets.buffer);
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext({ sampleRate: RATE });
    const buffer = context.createBuffer(1, steps.length, RATE);
    buffer.getChannelData(0).set(Float32Array.from(steps, (step) => step / 32768));
    const source = new AudioBufferSourceNode(context, { buffer, loop: true });
    const speaker = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    source.connect(speaker);
    source.start();
    const track = speaker.stream.getAudioTracks()[0];
    track.getSettings = () => ({ sampleRate: RATE, channelCount: 1, echoCancellation: false });
    window.madeMicrophone = { context, track };
    return speaker.stream;
  };
})();
"""


def make_microphone(page: Page, played: NDArray[np.int16], rate_hz: int) -> None:
    """Give the pages opened from now on a microphone that plays `played` over and over."""
    page.add_init_script(make_microphone_script(played, rate_hz))


def make_microphone_script(played: NDArray[np.int16], rate_hz: int) -> str:
    text = base64.b64encode(played.astype("<i2").tobytes()).decode()
    return _SCRIPT.replace("RATE", str(rate_hz)).replace("BASE64", text)
