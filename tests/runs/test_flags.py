"""Flags follow the results: found anew for those whose results changed, for nobody else, and beside the runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from datetime import date

import numpy as np
import pandas as pd
import pytest

from heliograph.runs.flags import (
    BATCH,
    COLUMNS,
    METHOD,
    find_new_flags,
    keep_flags_fresh,
    refresh_flags,
    refresh_participant_flags,
)
from heliograph.store import (
    StudySettings,
    dismiss_flag,
    load_flags,
    load_flags_due,
    load_open_flags,
    mark_flags_due,
    save_study_settings,
)
from tests.pilot import DRIFTING, fill_pilot


@pytest.fixture
def people(store):
    save_study_settings(store, StudySettings(baseline_runs=8))
    return fill_pilot(store, participants=6, weeks=8, until=date(2026, 11, 20))


def drain(store):
    while refresh_flags(store):
        pass


def test_whoever_drifts_away_is_flagged_and_nobody_is_due_any_more(store, people):
    assert {entry.participant_id for entry in load_flags_due(store)} == set(people)
    drain(store)
    assert not load_flags_due(store)
    flags = load_flags(store, people[DRIFTING])
    assert any(flag.column_name == "mental_strain" and flag.direction == "up" for flag in flags)
    assert all(flag.n_baseline == 8 and flag.chart == "ewma" for flag in flags)


def test_a_batch_takes_as_many_people_as_it_may_and_tells_how_many(store, people):
    assert refresh_flags(store, limit=4) == 4
    assert len(load_flags_due(store)) == 2
    assert refresh_flags(store, limit=4) == 2
    assert refresh_flags(store, limit=4) == 0


def test_one_persons_flags_are_found_alone_and_only_when_due(store, people):
    assert refresh_participant_flags(store, people[DRIFTING])
    assert {flag.participant_id for flag in load_open_flags(store)} == {people[DRIFTING]}
    assert not refresh_participant_flags(store, people[DRIFTING])
    assert len(load_flags_due(store)) == 5


def test_a_dismissal_outlives_finding_the_same_flag_again(store, people):
    drain(store)
    flag = load_flags(store, people[DRIFTING])[0]
    dismiss_flag(store, flag.key, "new medication")
    mark_flags_due(store, None)
    drain(store)
    kept = next(entry for entry in load_flags(store, people[DRIFTING]) if entry.key == flag.key)
    assert kept.dismissed_note == "new medication"


def test_another_method_makes_everybody_due_once_and_keeps_the_dismissals_that_still_hold(
    store, people, monkeypatch
):
    drain(store)
    flag = load_flags(store, people[DRIFTING])[0]
    dismiss_flag(store, flag.key, "new medication")
    assert refresh_flags(store) == 0
    monkeypatch.setattr("heliograph.runs.flags.METHOD", "another")
    assert refresh_flags(store, limit=2) == 2
    assert len(load_flags_due(store)) == len(people) - 2
    drain(store)
    assert refresh_flags(store) == 0
    kept = next(entry for entry in load_flags(store, people[DRIFTING]) if entry.key == flag.key)
    assert kept.dismissed_note == "new medication"


def test_a_trend_opened_right_after_an_upgrade_shows_the_flags_of_the_new_method(store, people, monkeypatch):
    drain(store)
    monkeypatch.setattr("heliograph.runs.flags.METHOD", "another")
    assert refresh_participant_flags(store, people[DRIFTING])
    assert not refresh_participant_flags(store, people[DRIFTING])
    assert len(load_flags_due(store)) == len(people) - 1


def test_the_methods_name_stands_for_what_is_found():
    """When this fails because flags are found in another way now: `METHOD` gets another name, here too."""
    assert METHOD == "2026-11"
    hours = 7.0 * np.arange(30)
    hours[[3, 12]] = hours[[2, 11]] + 0.1  # Repeats of the recording before.
    at = pd.Timestamp("2026-03-02 08:00") + pd.to_timedelta(hours, unit="h")
    frame = pd.DataFrame({"run_id": range(30), "session_local": at, **dict.fromkeys(COLUMNS, np.nan)})
    frame["uniform_stress"] = 0.4 + 0.04 * np.sin(np.arange(30)) + np.repeat([0, 0.15, -0.1], [8, 8, 14])
    frame.loc[20, "uniform_stress"] = np.nan
    found = {
        chart: [
            (flag.run_id, flag.direction, round(flag.value, 4), round(flag.limit_value, 4), flag.n_baseline)
            for flag in find_new_flags(frame, StudySettings(chart=chart))
        ]
        for chart in ("ewma", "cusum")
    }
    assert found == {
        "ewma": [(9, "up", 0.466, 0.4556, 5), (25, "down", 0.3192, 0.3245, 5), (28, "down", 0.322, 0.3241, 5)],
        "cusum": [(13, "up", 5.4551, 5.0, 5), (23, "down", 5.275, 5.0, 5)],
    }


def test_other_settings_of_the_chart_find_other_flags(store, people):
    drain(store)
    save_study_settings(store, StudySettings(chart="cusum"))
    assert len(load_flags_due(store)) == len(people)
    drain(store)
    assert {flag.chart for flag in load_flags(store, people[DRIFTING])} == {"cusum"}
    save_study_settings(store, StudySettings(baseline_runs=50))
    drain(store)
    assert not load_open_flags(store)


def test_nothing_is_imported_for_flags_while_nobody_is_due(tmp_path):
    code = (
        "import sys; from pathlib import Path; from heliograph.store import Store; import heliograph.runs;"
        "from heliograph.runs.flags import refresh_flags;"
        f"store = Store.open(Path({str(tmp_path)!r}), workspace='sandbox', synthetic=True);"
        "assert refresh_flags(store) == 0; store.close();"
        "print([name for name in ('pandas', 'scipy', 'heliograph.analysis.flags') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_worker_drains_who_is_due_and_then_rests(store, people, monkeypatch):
    monkeypatch.setattr("heliograph.runs.flags.PAUSE_S", 0.0)
    calls = []
    real = refresh_flags
    monkeypatch.setattr(
        "heliograph.runs.flags.refresh_flags", lambda store: calls.append(real(store)) or calls[-1]
    )
    run_until(lambda: len(calls) >= 2 and not load_flags_due(store), store)
    assert calls == [BATCH, len(people) - BATCH]


def test_trouble_with_flags_is_logged_and_tried_again(store, monkeypatch, caplog):
    calls = []

    def fail(store):
        calls.append(store)
        raise ValueError("P-001 must not be quoted")

    monkeypatch.setattr("heliograph.runs.flags.refresh_flags", fail)
    run_until(lambda: len(calls) > 1, store, every_s=0.0)
    assert "ValueError" in caplog.text
    assert "P-001" not in caplog.text


def run_until(is_done, store, every_s=3600.0):
    async def watch():
        task = asyncio.create_task(keep_flags_fresh(store, every_s=every_s))
        async with asyncio.timeout(60):
            while not is_done():
                await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(watch())
