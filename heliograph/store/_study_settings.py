"""How a workspace's analysis is set: one JSON value among its settings, checked before it is kept. What was
written by another version is read as far as it makes sense."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any

from heliograph.store._database import Store
from heliograph.store._flags import mark_flags_due_in
from heliograph.store._rows import select_value
from heliograph.store._study_records import RATING_SCALES

SETTING = "study"
LIMITS = {
    "baseline_runs": (3, 50),
    "confidence": (0.5, 0.999),
    "ewma_lambda": (0.01, 1.0),
    "ewma_width": (0.5, 6.0),
    "cusum_k": (0.0, 3.0),
    "cusum_h": (0.5, 20.0),
    "repeat_window_min": (1, 24 * 60),
    "small_group": (2, 100),
}
"""The smallest and largest value of each number."""
CHOICES = {"chart": ("ewma", "cusum"), "p_adjust": ("holm", "bh")}
FLAG_FIELDS = (
    "baseline_runs",
    "baseline_from",
    "baseline_until",
    "ewma_lambda",
    "ewma_width",
    "cusum_k",
    "cusum_h",
    "chart",
    "repeat_window_min",
)
"""When one of these changes, every participant's flags are to be found anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudySettings:
    """The choices behind the statistics. A baseline is of the first `baseline_runs` runs (from the day
    `baseline_from` on) or, with `baseline_until`, of all runs through the end of that day; `rating_scales` are of
    `RATING_SCALES`."""

    baseline_runs: int = 5
    baseline_from: str | None = None
    baseline_until: str | None = None
    confidence: float = 0.95
    ewma_lambda: float = 0.2
    ewma_width: float = 2.962
    cusum_k: float = 0.5
    cusum_h: float = 5.0
    chart: str = "ewma"
    repeat_window_min: int = 15
    small_group: int = 5
    suppress_small: bool = False
    p_adjust: str = "holm"
    rating_scales: tuple[str, ...] = ()


DEFAULTS = StudySettings()


def load_study_settings(store: Store) -> StudySettings:
    """The settings of this workspace; a value that is missing or makes no sense is the default."""
    with store.read() as db:
        return _parse(select_value(db, "SELECT value FROM settings WHERE key = ?", (SETTING,)))


def save_study_settings(store: Store, settings: StudySettings) -> None:
    """Keeps the settings and, when one that decides about flags changed, marks all flags as due. ValueError
    names the field that is wrong."""
    for field in fields(StudySettings):
        _check(field.name, getattr(settings, field.name))
    begin, end = settings.baseline_from, settings.baseline_until
    if begin is not None and end is not None and begin > end:
        raise ValueError(f"baseline_until ({end}) must not be before baseline_from ({begin})")
    sql = "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    with store.write() as db:
        before = _parse(select_value(db, "SELECT value FROM settings WHERE key = ?", (SETTING,)))
        db.conn.execute(sql, (SETTING, json.dumps(asdict(settings))))
        if any(getattr(before, name) != getattr(settings, name) for name in FLAG_FIELDS):
            mark_flags_due_in(db, None)


def _parse(text: str | None) -> StudySettings:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return DEFAULTS
    values: dict[str, Any] = {}
    for field in fields(StudySettings):
        if not isinstance(found, dict) or field.name not in found:
            continue
        value = found[field.name]
        if isinstance(value, list):
            value = tuple(value)
        try:
            _check(field.name, value)
        except ValueError:
            continue
        values[field.name] = value
    return StudySettings(**values)


def _check(name: str, value: object) -> None:
    """ValueError, naming the field, for what the field cannot hold."""
    if name in LIMITS:
        low, high = LIMITS[name]
        whole = isinstance(getattr(DEFAULTS, name), int)
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not low <= value <= high:  # type: ignore[arg-type, operator]
            kind = "a whole number" if whole else "a number"
            raise ValueError(f"{name} must be {kind} from {low} to {high}, not {value!r}")
    elif name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"{name} must be one of {', '.join(CHOICES[name])}, not {value!r}")
    elif name in ("baseline_from", "baseline_until"):
        if value is not None and not _is_day(value):
            raise ValueError(f"{name} must be a day as YYYY-MM-DD, not {value!r}")
    elif name == "suppress_small":
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, not {value!r}")
    elif not isinstance(value, tuple) or len(set(value)) < len(value) or set(value) - set(RATING_SCALES):
        raise ValueError(f"{name} must be some of {', '.join(RATING_SCALES)}, not {value!r}")


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
