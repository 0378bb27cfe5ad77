"""The two forms of time: fixed width, so that text order is time order, for every year there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.store import from_utc_text, to_local_text, to_utc_text

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, MOMENTS)
def test_utc_texts_sort_as_their_moments_and_come_back_to_the_millisecond(one: datetime, other: datetime) -> None:
    first, second = to_utc_text(one), to_utc_text(other)
    assert len(first) == len(second) == 24
    assert (first < second) <= (one < other)
    assert timedelta(0) <= one - from_utc_text(first) < timedelta(milliseconds=1)


@given(st.datetimes())
def test_local_texts_have_a_fixed_width_in_every_year(moment: datetime) -> None:
    assert datetime.fromisoformat(to_local_text(moment)) == moment.replace(microsecond=0)
    assert len(to_local_text(moment)) == 19


def test_another_zone_is_brought_to_utc_and_a_missing_or_needless_one_is_refused() -> None:
    moment = datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert to_utc_text(moment) == "2026-03-28T20:45:00.000Z"
    with pytest.raises(ValueError, match="zone"):
        to_utc_text(moment.replace(tzinfo=None))
    with pytest.raises(ValueError, match="zone"):
        to_local_text(moment)
