"""Times, sizes and lengths as people read them. Months by name: 03/04 would be read in two ways."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = [
    "format_bytes",
    "format_clock_utc",
    "format_local",
    "format_seconds",
    "format_until",
    "format_utc",
    "plain_line",
]

KIB = 1024


def format_local(text: str | None) -> str:
    """A wall time of the store as `22 Nov 2026, 08:12`; a dash for none."""
    return f"{datetime.fromisoformat(text):%d %b %Y, %H:%M}" if text else "–"


def format_utc(text: str | None) -> str:
    """A UTC time of the store as `22 Nov 2026, 08:12 UTC`; a dash for none."""
    return f"{datetime.fromisoformat(text):%d %b %Y, %H:%M} UTC" if text else "–"


def format_clock_utc(text: str) -> str:
    """A UTC time of the store to the second, for timelines: `22 Nov 2026, 08:12:03`."""
    return f"{datetime.fromisoformat(text):%d %b %Y, %H:%M:%S}"


def format_until(text: str, now: datetime | None = None) -> str:
    """How long until a UTC time of the store: `in 5 h 20 min`, `in 3 min`, or `due`."""
    minutes = int((datetime.fromisoformat(text) - (now or datetime.now(UTC))).total_seconds() // 60)
    if minutes <= 0:
        return "due"
    hours, minutes = divmod(minutes, 60)
    return f"in {hours} h {minutes} min" if hours else f"in {minutes} min"


def format_seconds(seconds: float | None) -> str:
    """A length as `48.2 s` or `2 min 05 s`; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def format_bytes(size: int) -> str:
    """A size as `312 KB` or `4.1 MB`."""
    if size < KIB * KIB:
        return f"{size / KIB:.0f} KB"
    return f"{size / KIB / KIB:.1f} MB" if size < KIB**3 else f"{size / KIB**3:.2f} GB"


def plain_line(text: str) -> str:
    """User text on one line, for widgets that show plain text."""
    return " ".join(text.split())
