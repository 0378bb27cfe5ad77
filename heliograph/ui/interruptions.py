"""What happened to the microphone during a recording and how it ended, in sentences, from what was noted of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

__all__ = ["describe_interruptions"]

_EVENT = re.compile(r"(\d{1,6}\.\d) ([a-z]+)")
_SKIPPED = re.compile(r"(\d{1,6}): (\d{1,6}\.\d\d)")
_STRETCH = re.compile(r"(\d{1,6}\.\d\d)-(\d{1,6}\.\d\d)")
_SECONDS = re.compile(r"\d{1,6}(\.\d{1,2})?")
_DEAD_SILENCE_S = 0.2
_AWAY = {"muted", "suspended", "interrupted"}
_BACK = {"unmuted", "resumed"}
_ENDS = {
    "connection_lost": "The recording was cut off: its browser or the connection was lost. Later words are not"
    " in it.",
    "abandoned": "Nobody pressed Stop: the page was left, or the recording was given up.",
    "server_stopped": "The recording was cut off: the server was stopped in the middle of it.",
    "storage_failed": "The recording was cut off: the server could not store any more of it.",
    "cut_off": "The recording was cut off: the server broke down in the middle of it.",
}
_CUT = "…"  # Ends a list of which not all fitted.


def describe_interruptions(processing: Mapping[str, str]) -> list[str]:
    """Sentences for calls, locked screens, gaps and an end that nobody chose; empty when there is nothing to tell.

    Only numbers are taken from what the browser noted: no word of it gets onto a page.
    """
    noted, skipped = processing.get("events", ""), processing.get("skipped_s", "")
    events = [(float(at), what) for at, what in _EVENT.findall(noted)]
    is_cut = noted.endswith(_CUT)
    still = "; its end was not noted." if is_cut else " on."
    return [
        *_describe_spans(events, _AWAY, _BACK, "The microphone was taken away", still),
        *_describe_spans(events, {"hidden"}, {"visible"}, "The page was in the background", still),
        *(f"The microphone was disconnected at {_clock(at)}." for at, what in events if what == "ended"),
        *(
            f"The microphone's sampling rate changed at {_clock(at)}; the recording ended there."
            for at, what in events
            if what == "rate"
        ),
        *(f"The computer slept at {_clock(at)}." for at, what in events if what == "slept"),
        *(f"More happened after {_clock(at)} than was noted." for at, _ in events[-1:] if is_cut),
        *(["More short interruptions happened than are told here."] if _CUT in noted[:-1] else []),
        *_describe_silence(processing.get("filled_stretches_s", ""), "No sound came from the microphone"),
        *_describe_silence(processing.get("missing_stretches_s", ""), "Sound never arrived here"),
        *(
            f"About {amount} s of sound are missing near {_clock(float(second))}."
            for second, amount in _SKIPPED.findall(skipped)
        ),
        *(["More sound is missing later on."] if skipped.endswith(_CUT) else []),
        *_describe_dead_silence(processing.get("silent_input_s", "")),
        *([end] if (end := _ENDS.get(processing.get("ended", ""))) else []),
    ]


def _describe_spans(
    events: list[tuple[float, str]], begins: set[str], ends: set[str], what: str, still: str
) -> Iterator[str]:
    since: float | None = None
    for at, name in events:
        if name in begins and since is None:
            since = at
        elif name in ends and since is not None:
            yield f"{what} from {_clock(since)} to {_clock(at)}."
            since = None
    if since is not None:
        yield f"{what} from {_clock(since)}{still}"


def _describe_silence(stretches: str, what: str) -> Iterator[str]:
    found = [f"{start}–{end} s" for start, end in _STRETCH.findall(stretches)]
    if found:
        more = " and more" if stretches.endswith(_CUT) else ""
        yield f"{what}, silence stands there: {', '.join(found)}{more}."


def _describe_dead_silence(told: str) -> Iterator[str]:
    """Silence without the slightest noise, as no microphone gives; a moment of it is nothing."""
    found = _SECONDS.fullmatch(told)
    if found and float(told) >= _DEAD_SILENCE_S:
        yield (
            f"For {told} s in all the microphone gave nothing, not even its own noise: it switches itself off"
            " between words, or the computer was too busy."
        )


def _clock(seconds: float) -> str:
    """Minutes and seconds as the ring shows them."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
