"""When the next step of a run is due: poll cadence, backoff with jitter, `Retry-After`, deadlines.

Pure arithmetic: every function takes the numbers (and, for jitter, the random generator) it needs, reads no
clock and keeps no state. All times are aware UTC datetimes, all spans seconds.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from heliograph.store import to_utc_text

POLL_S = 3.0
"""thymia's documented cadence for asking after a run."""

UPLOAD_URL_LIFETIME_S = 3600.0
"""How long thymia's upload URL works; counted from the local time before the create request was sent."""

DELETION_AFTER_S = 12 * 3600.0
"""With `deleteData`, thymia deletes this long after completion."""

RETRY_AFTER_LIMIT_S = 6 * 3600.0
"""A longer `Retry-After` is taken for a mistake: a run is looked at again at least four times a day."""

LONGEST_WAIT_S = DELETION_AFTER_S + 3600.0
"""Nothing is ever planned further ahead than this, deletion deadlines that thymia's own clock sets apart."""

# (age of the run below which the factor holds, factor on the poll interval); the last one has no end.
_RUNNING_CADENCE = ((60.0, 1.0), (600.0, 3.0), (3600.0, 10.0), (86_400.0, 100.0))
_RUNNING_SLOWEST = 600.0
_WAITING_CADENCE = ((600.0, 3.0), (3600.0, 10.0), (86_400.0, 40.0), (7 * 86_400.0, 200.0))
_WAITING_SLOWEST = 600.0
_UNKNOWN_STATUS_FACTOR = 20.0
_DELETION_CADENCE = ((3600.0, 100.0), (86_400.0, 600.0))
_DELETION_SLOWEST = 7200.0


def _factor(cadence: tuple[tuple[float, float], ...], slowest: float, age_s: float) -> float:
    return next((factor for limit_s, factor in cadence if age_s < limit_s), slowest)


def compute_poll_delay_s(
    age_s: float, *, poll_s: float = POLL_S, waiting: bool = False, unknown_status: bool = False
) -> float:
    """Seconds until a run that thymia has is asked after again.

    `age_s` counts from when the run began at thymia. With 3 s as `poll_s`: every 3 s in the first minute, 9 s
    in the first ten, 30 s in the first hour, then 5 and 30 minutes. `waiting` (an activity that its participant
    has not done) is slower: 9 s, 30 s, 2 min, 10 min and after a week 30 min. A status that this program does
    not know is asked after once a minute at most.
    """
    age_s = max(age_s, 0.0)
    if waiting:
        factor = _factor(_WAITING_CADENCE, _WAITING_SLOWEST, age_s)
    else:
        factor = _factor(_RUNNING_CADENCE, _RUNNING_SLOWEST, age_s)
    if unknown_status:
        factor = max(factor, _UNKNOWN_STATUS_FACTOR)
    return poll_s * factor


def compute_deletion_poll_delay_s(overdue_s: float, *, poll_s: float = POLL_S) -> float:
    """Seconds until thymia is asked again whether a run past its deletion deadline is gone."""
    return poll_s * _factor(_DELETION_CADENCE, _DELETION_SLOWEST, max(overdue_s, 0.0))


def compute_backoff_s(
    attempt: int,
    *,
    base_s: float,
    limit_s: float,
    random_source: random.Random,
    retry_after_s: float | None = None,
) -> float:
    """Seconds to wait after the `attempt`-th problem in a row (1, 2, …).

    Doubles from `base_s` up to `limit_s`, then takes a random share between a half and the whole of it, so that
    runs that failed together do not come back together. A `Retry-After` is never undercut, and gets up to a
    tenth (at most 5 s) on top for the same reason.
    """
    if attempt < 1:
        raise ValueError(f"attempt must be at least 1, got {attempt}")
    span_s = min(limit_s, base_s * 2.0 ** min(attempt - 1, 60))
    delay_s = span_s * random_source.uniform(0.5, 1.0)
    if retry_after_s is not None:
        asked_s = min(max(retry_after_s, 0.0), RETRY_AFTER_LIMIT_S)
        delay_s = max(delay_s, asked_s + min(asked_s * 0.1, 5.0) * random_source.random())
    return delay_s


def compute_upload_url_expiry(asked_utc: datetime) -> datetime:
    """When the upload URL of a run whose create request was sent at `asked_utc` stops working."""
    return asked_utc + timedelta(seconds=UPLOAD_URL_LIFETIME_S)


def compute_deletion_due(completed_utc: datetime) -> datetime:
    """When thymia deletes the data of a run with `deleteData` that was complete at `completed_utc`."""
    return completed_utc + timedelta(seconds=DELETION_AFTER_S)


def format_later(moment: datetime, delay_s: float) -> str:
    """The moment `delay_s` seconds after `moment`, as the store's text."""
    return to_utc_text(moment + timedelta(seconds=delay_s))
