"""What the lossless recorder makes of samples and events: the device's integers, and facts of 200 characters."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from tests.browser.lossless_scripts import open_made_page, run

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_window) -> Page:
    return open_made_page(open_window())


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (["1.0 hidden", "2.0 visible", "3.0 ended"], "1.0 hidden; 2.0 visible; 3.0 ended"),
        (
            ["1.0 muted", "2.0 unmuted", *["10.0 hidden", "11.0 visible"] * 20, "150.0 hidden", "160.0 ended"],
            f"1.0 muted; 2.0 unmuted; {'10.0 hidden; 11.0 visible; ' * 5}…; 150.0 hidden; 160.0 ended",
        ),
        (
            [*["1.0 suspended", "2.0 resumed"] * 20, "160.0 ended"],
            f"{'1.0 suspended; 2.0 resumed; ' * 6}…; 160.0 ended",
        ),
    ],
)
def test_how_a_recording_ended_is_among_its_events_however_many_there_were(page, events, told):
    """Of a fact's 200 characters; what came and went again gives way, the last of it first."""
    assert run(page, f"return listEvents({json.dumps(events)});") == told


@pytest.mark.parametrize("divisor", [32_767, 32_768])
def test_the_device_s_16_bits_come_back_whatever_the_browser_divided_them_by(page, divisor):
    """Each of the 65536 steps; Chromium divides what is above zero by 32767."""
    found = run(
        page,
        f"""
        const steps = Int16Array.from({{ length: 65536 }}, (_, at) => at - 32768);
        const samples = Float32Array.from(steps, (step) => step / (step > 0 ? {divisor} : 32768));
        const {{ bits, bytes }} = pack(samples, samples.length);
        return [bits, new Int16Array(bytes).every((step, at) => step === steps[at])];
        """,
    )
    assert found == [16, True]


@pytest.mark.parametrize(
    ("samples", "bits", "steps"),
    [
        ([0, 0, 0], 16, [0, 0, 0]),
        ([1, -1, 0], 16, [32_767, -32_768, 0]),
        ([1, -1, 0.3], 24, [8_388_607, -8_388_608, 2_516_583]),
        ([1.2, -1.2], 24, [8_388_607, -8_388_608]),
        ([1 / 8_388_608, -1 / 8_388_608, 0.5], 24, [1, -1, 4_194_304]),
        ([-8_388_607 / 8_388_608, 8_388_607 / 8_388_608], 24, [-8_388_607, 8_388_607]),
    ],
)
def test_what_is_no_16_bits_is_packed_as_24(page, samples, bits, steps):
    """Little-endian and signed; only as many samples as were asked for."""
    packed = run(
        page,
        f"""
        const samples = Float32Array.from([...{json.dumps(samples)}, 0.123]);
        const {{ bits, bytes }} = pack(samples, samples.length - 1);
        return [bits, ...new Uint8Array(bytes)];
        """,
    )
    assert isinstance(packed, list)
    width = packed[0] // 8
    data = bytes(packed[1:])
    found = [int.from_bytes(data[at : at + width], "little", signed=True) for at in range(0, len(data), width)]
    assert (packed[0], found) == (bits, steps)
