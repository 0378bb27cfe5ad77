"""What the lossless recorder tells of a microphone by listening: lost time, and where its sound ends."""

from __future__ import annotations

import base64
import itertools
import json
import re
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Page

from heliograph.ui import lossless
from tests.browser.conftest import SPEECH
from tests.browser.microphones import load_mono

pytestmark = pytest.mark.browser

LISTENING = (Path(lossless.__file__).parent / "listening.js").read_text(encoding="utf-8")
RATE_HZ = 48_000
BLOCK = 2048


@pytest.fixture
def page(open_window) -> Page:
    window = open_window()
    window.set_content("<title>listening</title>")
    return window


def run(page: Page, body: str) -> object:
    return page.evaluate(f"() => {{ {LISTENING}\n{body} }}")


def find_lost(page: Page, ends: list[float]) -> object:
    """What is found lost of blocks whose last samples were heard at these times (ms)."""
    feed = f"{json.dumps(ends)}.forEach((at, index) => lost.feed((index + 1) * {BLOCK}, at));"
    return run(page, f"const lost = new LostTime({RATE_HZ}); {feed} return lost.find();")


def make_ends(count: int = 800, *, jitter_ms: float = 3.0) -> np.ndarray:
    noise = np.abs(np.random.default_rng(5).normal(0, jitter_ms, count))
    return (np.arange(count) + 1) * 1000 * BLOCK / RATE_HZ + noise


def test_blocks_that_only_come_late_are_no_loss(page):
    """Jitter, a block half a second late, and two seconds in which all come late and catch up again."""
    ends = make_ends()
    ends[200] += 500
    ends[400:450] += np.linspace(2000, 0, 50)
    assert find_lost(page, ends.tolist()) == []


def test_lost_time_is_found_with_its_place_and_length(page):
    ends = make_ends()
    ends[300:] += 85
    ends[600:] += 1200
    (first, second) = find_lost(page, ends.tolist())
    assert abs(first["second"] - 300 * BLOCK / RATE_HZ) <= 1
    assert first["ms"] == pytest.approx(85, abs=3)
    assert abs(second["second"] - 600 * BLOCK / RATE_HZ) <= 1
    assert second["ms"] == pytest.approx(1200, abs=3)


def test_a_clock_a_little_off_is_no_loss(page):
    assert find_lost(page, (make_ends(4000) * 1.0002).tolist()) == []


def resample(samples: np.ndarray, *rates_hz: int) -> np.ndarray:
    """From the first rate to the next, and so on, as an operating system does."""
    for old_hz, new_hz in itertools.pairwise(rates_hz):
        resampler = av.AudioResampler("s16", "mono", new_hz)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], "s16", "mono")
        frame.sample_rate = old_hz
        parts = [part.to_ndarray()[0] for one in (frame, None) for part in resampler.resample(one)]
        samples = np.concatenate(parts)
    return samples


def find_cut(page: Page, samples: np.ndarray) -> float | None:
    text = base64.b64encode(samples.astype("<i2").tobytes()).decode()
    return run(
        page,
        f"""const octets = Uint8Array.from(atob("{text}"), (one) => one.charCodeAt(0));
        const bandwidth = new Bandwidth({RATE_HZ});
        bandwidth.feed(Float32Array.from(new Int16Array(octets.buffer), (step) => step / 32768));
        return bandwidth.cut;""",
    )


def add_noise(samples: np.ndarray, rms: float) -> np.ndarray:
    """A microphone's own, in steps of 16 bits."""
    return (samples + np.random.default_rng(1).normal(0, rms, samples.size)).round().astype(np.int16)


@pytest.mark.parametrize(("line_hz", "khz"), [(8_000, 4), (16_000, 8)])
@pytest.mark.parametrize("noise", [0, 30])
def test_a_microphone_over_a_telephone_s_line_is_told_by_its_sound(page, line_hz, khz, noise):
    """A headset's 8 or 16 thousand samples a second, which the computer gives on as 48 thousand."""
    heard = add_noise(load_mono(SPEECH, RATE_HZ), noise)
    assert find_cut(page, resample(heard, RATE_HZ, line_hz, RATE_HZ)) == khz


def test_a_whole_microphone_a_dull_one_a_tone_and_silence_are_not_called_narrow(page):
    """The dull one hardly hears above 2 kHz and has a noise of its own of -84 dBFS."""
    speech = load_mono(SPEECH, RATE_HZ)
    seconds = np.arange(5 * RATE_HZ) / RATE_HZ
    fading = 1 / (1 + (np.fft.rfftfreq(speech.size, 1 / RATE_HZ) / 2000) ** 4)
    dull = add_noise(np.fft.irfft(np.fft.rfft(speech) * fading, speech.size), 2)
    tone = (8000 * np.sin(2 * np.pi * 1000 * seconds)).astype(np.int16)
    for sound in (speech, dull, tone, np.zeros(5 * RATE_HZ, np.int16), speech[:RATE_HZ]):
        assert find_cut(page, sound) is None


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ("null", ["left", "one"]),
        ("voice", ["left", "two, equal"]),
        ("silence", ["left", "two, one dead, left taken"]),
        ("voice.map((value) => value / 3)", ["left", "two, different, left taken"]),
        ("voice.map((value) => value * 3)", ["right", "two, different, right taken"]),
    ],
)
def test_two_channels_are_compared_and_a_dead_or_much_weaker_one_is_not_taken(page, right, said):
    found = run(
        page,
        f"""
        const voice = Float32Array.from({{ length: 4800 }}, (_, at) => Math.sin(at / 7) / 4);
        const silence = new Float32Array(4800);
        const channels = new Channels();
        channels.feed(voice, {right});
        return [channels.choose(), channels.describe(channels.choose())];
        """,
    )
    assert found == said


def test_a_dead_left_channel_gives_way_to_the_right_one(page):
    found = run(
        page,
        """
        const channels = new Channels();
        channels.feed(new Float32Array(4800), new Float32Array(4800).fill(0.1));
        return [channels.choose(), channels.describe(channels.choose())];
        """,
    )
    assert found == ["right", "two, one dead, right taken"]


@pytest.mark.parametrize(("zeros", "counted"), [(0, 0), (100, 0), (127, 0), (128, 128), (4410, 4410)])
def test_dead_silence_is_counted_from_a_block_on_and_noise_is_none(page, zeros, counted):
    """Also where it begins in one block and ends in the next."""
    found = run(
        page,
        f"""
        const heard = new DeadSilence();
        const noise = new Float32Array(500).fill(1e-5);
        const silence = new Float32Array({zeros});
        heard.feed(noise);
        heard.feed(silence.subarray(0, {zeros // 3}));
        heard.feed(silence.subarray({zeros // 3}));
        heard.feed(noise);
        return heard.samples;
        """,
    )
    assert found == counted


def test_every_script_of_the_recorder_is_sent():
    """The files are joined into one module: none may be forgotten, none may stand in it twice."""
    folder = Path(lossless.__file__).parent
    joined = lossless._js()
    for script in folder.glob("*.js"):
        classes = re.findall(r"^class (\w+)", script.read_text(encoding="utf-8"), re.MULTILINE)
        for name in classes if script.name != "worklet.js" else []:
            assert joined.count(f"class {name} ") == 1
