"""What flags say in words."""

from dataclasses import replace

from heliograph.store import Flag
from heliograph.ui.trend_flags import describe_flags

FLAG = Flag(
    participant_id=1, participant_label="P-1", column_name="stress", chart="ewma", run_id=1,
    session_local="2026-03-01T08:00:00", direction="up", value=0.5, limit_value=0.4, n_baseline=5,
    found_utc="2026-03-01T09:00:00Z", dismissed_utc=None, dismissed_note=None,
)  # fmt: skip


def test_each_score_stands_on_the_side_of_its_newest_flag():
    flags = [
        replace(FLAG, run_id=3, session_local="2026-03-03T08:00:00", direction="down"),
        FLAG,
        replace(FLAG, column_name="distress", run_id=2, session_local="2026-03-02T08:00:00"),
    ]
    expected = "Above own normal: distress. Below own normal: stress."
    assert describe_flags(flags) == describe_flags(flags[::-1]) == expected


def test_nothing_is_said_without_flags():
    assert describe_flags([]) == ""
