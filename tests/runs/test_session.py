"""What session times are refused, asked about and suggested."""

from datetime import datetime, timedelta

import pytest

from heliograph.runs.session import (
    SessionIssue,
    SessionTimes,
    compute_session_issues,
    suggest_session_times,
)

NOW = datetime(2026, 3, 2, 9, 0)
NIGHT = SessionTimes(datetime(2026, 3, 1, 23, 0), datetime(2026, 3, 2, 7, 0), datetime(2026, 3, 2, 8, 55))


def test_an_ordinary_night_and_unknown_times_are_accepted():
    assert compute_session_issues(NIGHT, now=NOW) == []
    assert compute_session_issues(SessionTimes(), now=NOW) == []


@pytest.mark.parametrize(
    ("times", "issue"),
    [
        (SessionTimes(NIGHT.awake, NIGHT.asleep, NIGHT.recorded), SessionIssue.ASLEEP_AFTER_AWAKE),
        (SessionTimes(NIGHT.awake, NIGHT.awake, NIGHT.recorded), SessionIssue.ASLEEP_AFTER_AWAKE),
        (SessionTimes(NIGHT.asleep, NIGHT.awake, NIGHT.awake), SessionIssue.AWAKE_AFTER_RECORDED),
        (SessionTimes(NIGHT.recorded, None, NIGHT.awake), SessionIssue.ASLEEP_AFTER_RECORDED),
        (SessionTimes(None, None, NOW + timedelta(hours=1)), SessionIssue.IN_FUTURE),
        (SessionTimes(NOW - timedelta(hours=20), NOW - timedelta(hours=3), NOW), SessionIssue.LONG_SLEEP),
    ],
)
def test_times_that_make_no_sense_are_named(times, issue):
    assert issue in compute_session_issues(times, now=NOW)


def test_exactly_sixteen_hours_of_sleep_and_a_clock_five_minutes_fast_are_accepted():
    times = SessionTimes(NOW - timedelta(hours=18), NOW - timedelta(hours=2), NOW + timedelta(minutes=5))
    assert compute_session_issues(times, now=NOW) == []


@pytest.mark.parametrize("hour", range(24))
def test_the_suggestion_makes_sense_at_every_hour_of_the_day(hour):
    now = NOW.replace(hour=hour, minute=30)
    times = suggest_session_times(now, earlier=NIGHT)
    assert compute_session_issues(times, now=now) == []
    assert times.recorded == now
    assert now - times.awake <= timedelta(days=1)
