"""What the lossless recorder says beside its usual words when its microphone or its server gives trouble."""

from __future__ import annotations

from typing import Final

__all__ = ["TROUBLE_WORDS"]

TROUBLE_WORDS: Final = {
    "saved": "Saved. Opening the review …",
    "stalled": (
        "No sound comes from the microphone right now: is it still connected? A recording goes on when the sound"
        " is back, with silence for the time between."
    ),
    "rate": (
        "The microphone went over to another sample rate, so the recording ended there. What was recorded until"
        " then is kept. Turn the microphone on again before the next one."
    ),
    "isolation": "The browser keeps voice isolation on; it changes the voice.",
    "disk_full": (
        "The server's disk is full. Tell whoever runs it; your recording is kept here and sent when there is room."
    ),
    "other_site": (
        "The server refuses this page's address. Tell whoever runs it; your recording is kept here and sent when"
        " that is mended."
    ),
    "keep_open": "Keep this page open until then: it is kept only in it.",
}
"""Of `sender.trouble`, `disk_full` and `other_site` have a sentence of their own."""
