"""What a browser noted of interruptions is told in sentences; nothing else of it reaches a page."""

from __future__ import annotations

import pytest

from heliograph.audio import TakeEnd
from heliograph.ui.interruptions import describe_interruptions


@pytest.mark.parametrize(
    ("told", "sentences"),
    [
        ({}, []),
        ({"events": "none", "filled_stretches_s": "none", "skipped_s": "none"}, []),
        ({"events": "12.3 muted; 80.9 unmuted"}, ["The microphone was taken away from 0:12 to 1:20."]),
        ({"events": "3.0 suspended; 3.1 muted; 9.0 resumed"},
         ["The microphone was taken away from 0:03 to 0:09."]),
        ({"events": "5.0 muted"}, ["The microphone was taken away from 0:05 on."]),
        (
            {"events": "1.0 hidden; 2.0 visible; 7.5 hidden; 9.0 ended"},
            [
                "The page was in the background from 0:01 to 0:02.",
                "The page was in the background from 0:07 on.",
                "The microphone was disconnected at 0:09.",
            ],
        ),
        (
            {"events": "1.0 hidden; 2.0 visible; 20.5 hidden; …"},
            [
                "The page was in the background from 0:01 to 0:02.",
                "The page was in the background from 0:20; its end was not noted.",
                "More happened after 0:20 than was noted.",
            ],
        ),
        ({"events": "5.0 muted; 6.0 unmuted; …"},
         ["The microphone was taken away from 0:05 to 0:06.", "More happened after 0:06 than was noted."]),
        (
            {"filled_stretches_s": "2.00-8.25; …"},
            ["No sound came from the microphone, silence stands there: 2.00–8.25 s and more."],
        ),
        (
            {"filled_stretches_s": "2.00-8.25; 30.10-33.00"},
            ["No sound came from the microphone, silence stands there: 2.00–8.25 s, 30.10–33.00 s."],
        ),
        (
            {"missing_stretches_s": "6.00-7.00"},
            ["Sound never arrived here, silence stands there: 6.00–7.00 s."],
        ),
        ({"skipped_s": "13: 0.09; 65: 1.20"}, ["About 0.09 s of sound are missing near 0:13.",
                                                "About 1.20 s of sound are missing near 1:05."]),
        ({"skipped_s": "13: 0.09; …"}, ["About 0.09 s of sound are missing near 0:13.",
                                        "More sound is missing later on."]),
        ({"events": "12.3 slept", "silent_input_s": "0.04"}, ["The computer slept at 0:12."]),
        (
            {"events": "75.0 rate"},
            ["The microphone's sampling rate changed at 1:15; the recording ended there."],
        ),
        (
            {"events": "1.0 muted; 2.0 unmuted; …; 75.0 ended"},
            [
                "The microphone was taken away from 0:01 to 0:02.",
                "The microphone was disconnected at 1:15.",
                "More short interruptions happened than are told here.",
            ],
        ),
        ({"silent_input_s": "<b>3</b>"}, []),
        (
            {"silent_input_s": "0.37"},
            ["For 0.37 s in all the microphone gave nothing, not even its own noise: it switches itself off"
             " between words, or the computer was too busy."],
        ),
        ({"ended": "stopped"}, []),
        ({"ended": "full_length"}, []),
        ({"ended": "<b>"}, []),
        (
            {"missing_stretches_s": "6.00-7.00", "ended": "connection_lost"},
            [
                "Sound never arrived here, silence stands there: 6.00–7.00 s.",
                "The recording was cut off: its browser or the connection was lost. Later words are not in it.",
            ],
        ),
        ({"ended": "abandoned"}, ["Nobody pressed Stop: the page was left, or the recording was given up."]),
        ({"events": "<b>1.0</b> [x](http://x); 2.0 x", "skipped_s": "*1*"}, []),
    ],
)  # fmt: skip
def test_each_interruption_is_a_sentence(told, sentences):
    assert describe_interruptions(told) == sentences


@pytest.mark.parametrize("end", list(TakeEnd))
def test_every_end_but_the_usual_ones_is_told(end):
    usual = end in (TakeEnd.STOPPED, TakeEnd.FULL_LENGTH)
    assert len(describe_interruptions({"ended": end.value})) == (0 if usual else 1)
