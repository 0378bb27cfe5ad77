"""Cadence, backoff and deadlines are pure arithmetic that never hammers and never forgets."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.runs import schedule


def test_a_new_run_is_polled_every_three_seconds() -> None:
    assert schedule.compute_poll_delay_s(0.0) == 3.0
    assert schedule.compute_poll_delay_s(59.9) == 3.0


@pytest.mark.parametrize(
    ("age_s", "delay_s"), [(60, 9), (599, 9), (600, 30), (3600, 300), (86_400, 1800), (1e8, 1800)]
)
def test_a_run_that_takes_long_is_polled_more_slowly(age_s: float, delay_s: float) -> None:
    assert schedule.compute_poll_delay_s(age_s) == delay_s


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_polling_never_gets_faster_with_age(one: float, other: float) -> None:
    young, old = sorted((one, other))
    for waiting in (False, True):
        assert schedule.compute_poll_delay_s(young, waiting=waiting) <= schedule.compute_poll_delay_s(
            old, waiting=waiting
        )


@given(st.floats(-1e6, 1e9))
def test_a_waiting_activity_is_never_polled_faster_than_a_running_run_for_its_first_hour(age_s: float) -> None:
    if age_s < 3600:
        assert schedule.compute_poll_delay_s(age_s, waiting=True) >= schedule.compute_poll_delay_s(age_s)
    assert schedule.compute_poll_delay_s(age_s, waiting=True) <= 1800


def test_an_activity_that_waits_for_days_costs_a_request_every_half_hour() -> None:
    assert schedule.compute_poll_delay_s(8 * 86_400, waiting=True) == 1800


def test_an_unknown_status_is_polled_once_a_minute_at_most() -> None:
    assert schedule.compute_poll_delay_s(0.0, unknown_status=True) == 60.0
    assert schedule.compute_poll_delay_s(1e8, unknown_status=True) == 1800.0


def test_a_clock_that_runs_behind_thymia_polls_at_the_first_cadence() -> None:
    assert schedule.compute_poll_delay_s(-500.0) == 3.0


@given(st.integers(1, 10_000), st.integers(0, 2**32))
def test_backoff_doubles_up_to_its_limit_and_is_jittered_downwards_only(attempt: int, seed: int) -> None:
    delay_s = schedule.compute_backoff_s(attempt, base_s=2.0, limit_s=300.0, random_source=random.Random(seed))
    whole_s = min(300.0, 2.0 * 2.0 ** min(attempt - 1, 60))
    assert whole_s / 2 <= delay_s <= whole_s


def test_runs_that_failed_together_do_not_come_back_together() -> None:
    source = random.Random(1)
    delays = {
        round(schedule.compute_backoff_s(5, base_s=2.0, limit_s=300.0, random_source=source), 3)
        for _ in range(200)
    }
    assert len(delays) > 190
    assert max(delays) - min(delays) > 10


@given(st.integers(1, 50), st.floats(0, schedule.RETRY_AFTER_LIMIT_S), st.integers(0, 2**32))
def test_retry_after_is_never_undercut_and_hardly_exceeded(attempt: int, asked_s: float, seed: int) -> None:
    delay_s = schedule.compute_backoff_s(
        attempt, base_s=2.0, limit_s=300.0, random_source=random.Random(seed), retry_after_s=asked_s
    )
    assert delay_s >= asked_s
    assert delay_s <= max(300.0, asked_s + 5.0)


def test_an_absurd_retry_after_is_capped() -> None:
    delay_s = schedule.compute_backoff_s(
        1, base_s=2.0, limit_s=300.0, random_source=random.Random(0), retry_after_s=1e12
    )
    assert schedule.RETRY_AFTER_LIMIT_S <= delay_s <= schedule.RETRY_AFTER_LIMIT_S + 5


def test_an_attempt_before_the_first_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0"):
        schedule.compute_backoff_s(0, base_s=1.0, limit_s=2.0, random_source=random.Random(0))


def test_an_upload_url_works_for_an_hour_and_deletion_comes_after_twelve() -> None:
    moment = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert schedule.compute_upload_url_expiry(moment) == moment + timedelta(hours=1)
    assert schedule.compute_deletion_due(moment) == moment + timedelta(hours=12)


def test_a_delay_is_added_in_the_text_form_of_the_store() -> None:
    moment = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
    assert schedule.format_later(moment, 1.25) == "2026-11-22T00:00:00.250Z"
