"""The store's two forms of time: UTC as `YYYY-MM-DDTHH:MM:SS.mmmZ` and local wall time as
`YYYY-MM-DDTHH:MM:SS`; both have a fixed width, so text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def to_utc_text(moment: datetime) -> str:
    """`moment` (aware) as the store writes UTC times; a naive one raises ValueError, as its zone would be a
    guess."""
    if moment.tzinfo is None:
        raise ValueError(f"a UTC time needs a time zone, {moment.isoformat()} has none")
    # Not strftime: on Linux its %Y has no leading zeros, and a year 1 would sort last and never be read again.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def from_utc_text(text: str) -> datetime:
    """The aware time that `to_utc_text` wrote."""
    return datetime.fromisoformat(text)


def to_local_text(moment: datetime) -> str:
    """`moment` (naive) as the store writes local wall times, seconds kept and fractions dropped; an aware one
    raises ValueError, as a wall time has no zone."""
    if moment.tzinfo is not None:
        raise ValueError(f"a local wall time has no time zone, {moment.isoformat()} has one")
    return moment.isoformat(timespec="seconds")


def now_utc_text() -> str:
    """The current time in UTC."""
    return to_utc_text(datetime.now(UTC))
