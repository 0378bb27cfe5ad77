"""The times of a session, checked for sense before anything is submitted; all are the participant's wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

__all__ = ["LONG_SLEEP", "SessionIssue", "SessionTimes", "compute_session_issues", "suggest_session_times"]

LONG_SLEEP = timedelta(hours=16)
CLOCK_SLACK = timedelta(minutes=5)  # Two clocks that are both right differ by less.
USUAL_ASLEEP, USUAL_AWAKE = time(23, 0), time(7, 0)


class SessionIssue(StrEnum):
    """What is wrong with a session's times; `LONG_SLEEP` is a question, the others are refusals."""

    ASLEEP_AFTER_AWAKE = "asleep_after_awake"
    AWAKE_AFTER_RECORDED = "awake_after_recorded"
    ASLEEP_AFTER_RECORDED = "asleep_after_recorded"
    IN_FUTURE = "in_future"
    LONG_SLEEP = "long_sleep"


@dataclass(frozen=True)
class SessionTimes:
    """When the participant fell asleep, woke up and was recorded: naive local datetimes, None where unknown."""

    asleep: datetime | None = None
    awake: datetime | None = None
    recorded: datetime | None = None


def compute_session_issues(times: SessionTimes, *, now: datetime) -> list[SessionIssue]:
    """Everything that makes no sense about `times` at the local time `now`; empty when all is well."""
    issues = []
    asleep, awake, recorded = times.asleep, times.awake, times.recorded
    if asleep and awake and asleep >= awake:
        issues.append(SessionIssue.ASLEEP_AFTER_AWAKE)
    if awake and recorded and awake >= recorded:
        issues.append(SessionIssue.AWAKE_AFTER_RECORDED)
    if asleep and recorded and not awake and asleep >= recorded:
        issues.append(SessionIssue.ASLEEP_AFTER_RECORDED)
    if any(moment and moment > now + CLOCK_SLACK for moment in (asleep, awake, recorded)):
        issues.append(SessionIssue.IN_FUTURE)
    if not issues and asleep and awake and awake - asleep > LONG_SLEEP:
        issues.append(SessionIssue.LONG_SLEEP)
    return issues


def suggest_session_times(now: datetime, *, earlier: SessionTimes | None = None) -> SessionTimes:
    """A starting point for the form: the last sleep before `now`, at the times of day of an earlier session."""
    asleep_at = earlier.asleep.time() if earlier and earlier.asleep else USUAL_ASLEEP
    awake_at = earlier.awake.time() if earlier and earlier.awake else USUAL_AWAKE
    now = now.replace(second=0, microsecond=0)
    awake = _latest(awake_at, before=now)
    return SessionTimes(asleep=_latest(asleep_at, before=awake), awake=awake, recorded=now)


def _latest(at: time, *, before: datetime) -> datetime:
    day: date = before.date()
    moment = datetime.combine(day, at)
    return moment if moment < before else datetime.combine(day - timedelta(days=1), at)
