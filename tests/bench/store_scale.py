"""How the store's queries grow: fills synthetic stores of 10³ to 10⁶ runs by bulk SQL and times the
queries behind the pages at each size, by the clock and by the processor (which other programs disturb less).

    python -m tests.bench.store_scale --max 1000000
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

from heliograph.store import (
    CohortFilter,
    RunFilter,
    RunState,
    Store,
    count_open_flags,
    count_runs,
    load_cohort_cells,
    load_cohort_deviations,
    load_cohort_levels,
    load_cohort_options,
    load_cohort_runs,
    load_due_runs,
    load_events,
    load_flags,
    load_flags_due,
    load_open_flags,
    load_overview,
    load_participant_changes,
    load_questionnaire_pairs,
    load_rating_pairs,
    load_runs,
    load_sleep_rows,
    load_trend,
    search_participants,
)

RUNS_PER_PARTICIPANT = 100
REPETITIONS = 41
FLAT_RATIO = 1.5
LIMIT_MS = 50.0
FLAT_QUERIES = ("overview", "trend", "open flags", "number of open flags")
COHORT_REPETITIONS = 3
COHORT_LIMIT_MS = 3_000.0
NOW_UTC = "2026-01-01T00:00:00.000Z"
BEGIN_EPOCH, END_EPOCH = 1672560000, 1767168000  # three years that end just before NOW_UTC


class Timing(NamedTuple):
    """How long a call takes, by the clock and by the processor."""

    wall_ms: float
    cpu_ms: float


Measured: TypeAlias = dict[int, dict[str, Timing]]
"""By number of runs and name of the query."""

_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :n)"


def _chance(salt: int) -> str:
    """A share in [0, 1) that looks random and is the same for the same row."""
    return f"((((i + {salt}) * 2654435761 % 4294967296) * 40503 / 65536 % 10007) / 10007.0)"


def _bucket(share: str) -> str:
    levels = f"WHEN {share} < 0.25 THEN 0.0 WHEN {share} < 0.5 THEN 0.33 WHEN {share} < 0.75 THEN 0.66"
    return f"CASE {levels} ELSE 1.0 END"


def _utc(offset_s: int) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%S.000Z', {_EPOCH} + {offset_s}, 'unixepoch')"


_EPOCH = f"({BEGIN_EPOCH} + i * {END_EPOCH - BEGIN_EPOCH} / :n)"
_LOCAL = f"strftime('%Y-%m-%dT%H:%M:%S', {_EPOCH}, 'unixepoch')"
_STATE = (
    "CASE WHEN i % 200 = 7 THEN 'running' WHEN i % 400 = 9 THEN 'queued' WHEN i % 33 = 3 THEN 'complete_error'"
    " WHEN i % 50 = 1 THEN 'failed' ELSE 'complete_ok' END"
)
_COHORT_COLUMNS = (
    "participant_id, day, run_id, minute, mental_strain, uniform_distress, uniform_stress, uniform_exhaustion,"
    " uniform_sleep_propensity, uniform_low_self_esteem, distress, stress, exhaustion, sleep_propensity,"
    " low_self_esteem, sleep_h, hours_awake, mid_sleep_h, age, birth_sex, language, tags, ratings"
)
_OPEN = f"({_STATE}) IN ('running', 'queued')"

STATEMENTS = (
    f"""{_NUMBERS} INSERT INTO participants
        (id, label, date_of_birth, birth_sex, language, accent, created_utc, updated_utc)
        SELECT i + 1, printf('P-%06d', i), printf('%d-%02d-01', 1940 + i % 65, 1 + i % 12),
            CASE i % 2 WHEN 0 THEN 'FEMALE' ELSE 'MALE' END, 'en-GB', NULL,
            strftime('%Y-%m-%dT%H:%M:%S.000Z', {BEGIN_EPOCH} + i, 'unixepoch'),
            strftime('%Y-%m-%dT%H:%M:%S.000Z', {BEGIN_EPOCH} + i * 7919 % 90000000, 'unixepoch')
        FROM n WHERE i < :participants""",
    """INSERT INTO participant_words (word, participant_id)
        SELECT lower(label), id FROM participants UNION SELECT substr(label, 3), id FROM participants
        UNION SELECT CAST(CAST(substr(label, 3) AS INTEGER) AS TEXT), id FROM participants""",
    f"""{_NUMBERS} INSERT INTO recordings
        (id, file_name, media_type, byte_size, source, duration_s, speech_s, level_dbfs, peak_dbfs, clipped_share,
         snr_db, bandwidth_hz, missing_share, sample_rate_hz, channels, wall_clock_s, processing, created_utc)
        SELECT lower(hex(randomblob(32))), '', 'audio/flac', 900000 + i % 500000, 'webrtc', 20 + 60 * {_chance(1)},
            12 + 40 * {_chance(2)}, -30 + 12 * {_chance(3)}, -12 + 11 * {_chance(4)}, 0.0, 15 + 30 * {_chance(5)},
            8000 + 10000 * {_chance(6)}, 0.02 * {_chance(7)}, 48000, 1, 21 + 60 * {_chance(1)},
            '{{"echo_cancellation": "off", "noise_suppression": "off", "auto_gain_control": "off"}}', {_utc(0)}
        FROM n""",
    "UPDATE recordings SET file_name = id || '.flac'",
    f"""{_NUMBERS} INSERT INTO runs
        (id, submission_key, kind, participant_id, recording_id, synthetic, date_of_birth, birth_sex, language,
         asleep_local, awake_local, recorded_local, session_local, delete_data, state, thymia_id, thymia_status,
         warnings, error_code, queued_utc, created_utc, run_utc, completed_utc, deletion_due_utc, next_step_utc,
         attempts, needs_attention)
        SELECT i + 1, lower(hex(randomblob(16))), 'upload', p.id, c.id, 1, p.date_of_birth, p.birth_sex,
            p.language, strftime('%Y-%m-%dT%H:%M:%S', {_EPOCH} - 36000, 'unixepoch'),
            strftime('%Y-%m-%dT%H:%M:%S', {_EPOCH} - 7200, 'unixepoch'), {_LOCAL}, {_LOCAL}, i % 10 = 0, {_STATE},
            lower(hex(randomblob(16))), 'COMPLETE_OK', CASE WHEN i % 12 = 0 THEN '["LOW_SNR"]' ELSE '[]' END,
            CASE WHEN ({_STATE}) = 'complete_error' THEN 'ERR_RECORDING_TOO_SHORT' END, {_utc(5)}, {_utc(6)},
            CASE WHEN NOT {_OPEN} THEN {_utc(9)} END, CASE WHEN NOT {_OPEN} THEN {_utc(20)} END,
            CASE WHEN i % 10 = 0 AND NOT {_OPEN} THEN {_utc(20 + 43200)} END,
            CASE WHEN {_OPEN} THEN {_utc(30)} END, 0, i % 1000 = 1
        FROM n JOIN recordings AS c ON c.rowid = n.i + 1 JOIN participants AS p ON p.id = 1 + i % :participants""",
    f"{_NUMBERS} INSERT INTO tags SELECT i + 1, 'arm', CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, {_LOCAL} FROM n",
    f"{_NUMBERS} INSERT INTO tags SELECT i + 1, 'site', printf('site %02d', i % 20), {_LOCAL} FROM n",
    f"{_NUMBERS} INSERT INTO tags SELECT i + 1, 'visit', printf('visit %03d', i / :participants), {_LOCAL} FROM n",
    f"""{_NUMBERS} INSERT INTO results
        SELECT i + 1, 0, 0.0, 40.0, 'The north wind and the sun were disputing which was the stronger.',
            {_chance(10)}, {_bucket(_chance(11))}, {_bucket(_chance(12))}, {_bucket(_chance(13))},
            {_bucket(_chance(14))},
            {_bucket(_chance(15))}, {_chance(11)}, {_chance(12)}, {_chance(13)}, {_chance(14)}, {_chance(15)}
        FROM n WHERE ({_STATE}) = 'complete_ok'""",
    f"{_NUMBERS} INSERT INTO ratings SELECT i + 1, 'kss', 1 + i * 7919 % 9 FROM n WHERE i / :participants % 2 = 0",
    f"""{_NUMBERS} INSERT INTO questionnaires
        (participant_id, answered_local, instrument, score, source, imported_utc)
        SELECT 1 + i % :participants, date({_EPOCH}, 'unixepoch'), 'PSS', i * 7919 % 41, 'pss.csv', {_utc(5)}
        FROM n WHERE i / :participants % 20 = 3""",
    f"""{_NUMBERS} INSERT INTO flags
        (participant_id, column_name, chart, run_id, session_local, direction, value, limit_value, n_baseline,
         found_utc, dismissed_utc)
        SELECT 1 + i % :participants, 'uniform_stress', 'ewma', i + 1, {_LOCAL}, 'up', 3.0, 2.5, 5, {_utc(30)},
            CASE WHEN i % 3 = 0 THEN {_utc(60)} END
        FROM n WHERE i / :participants % 25 = 9""",
    f"""{_NUMBERS} INSERT INTO answers (run_id, operation, received_utc, body)
        SELECT i + 1, 'get', {_utc(20)}, printf('{{"id": "%d", "results": "%s"}}',
            i, hex(zeroblob(150))) FROM n""",
    f"{_NUMBERS} INSERT INTO run_events (run_id, at_utc, state) SELECT i + 1, {_utc(5)}, 'queued' FROM n",
    f"{_NUMBERS} INSERT INTO run_events (run_id, at_utc, state) SELECT i + 1, {_utc(20)}, {_STATE} FROM n",
    # in the order of the runs, as in life: each participant's stretch grows at its end
    "INSERT INTO trend SELECT * FROM trend_source",
    f"INSERT INTO cohort SELECT {_COHORT_COLUMNS} FROM cohort_source",
)


def fill_store(folder: Path, n_runs: int, *, workspace: str = "bench") -> Store:
    """A store with `n_runs` synthetic runs of `n_runs / 100` participants, spread evenly over three years: every
    participant has the same number at any size. Recordings have rows but no files."""
    Store.open(folder, workspace=workspace, synthetic=True).close()
    with closing(sqlite3.connect(folder / "heliograph.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        connection.execute("BEGIN")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            " AND (name GLOB 'trend_*' OR name GLOB 'cohort_*' OR name GLOB 'flags_due_*')"
        )
        row_triggers = dict(triggers.fetchall())  # they would build each row of a trend six times
        for name in row_triggers:
            connection.execute(f"DROP TRIGGER {name}")
        values = {"n": n_runs, "participants": max(1, n_runs // RUNS_PER_PARTICIPANT)}
        for statement in STATEMENTS:
            connection.execute(statement, {k: v for k, v in values.items() if f":{k}" in statement})
        for statement in row_triggers.values():
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    return Store.open(folder, workspace=workspace, synthetic=True)


def collect_queries(store: Store, n_runs: int) -> dict[str, Callable[[int], object]]:
    """The timed calls by name; the argument varies the participant, site or page."""
    participants = max(1, n_runs // RUNS_PER_PARTICIPANT)

    def vary(turn: int, within: int) -> int:
        return turn * 7919 % within

    middle = n_runs // 2
    month = RunFilter(since_local="2024-06-01", until_local="2024-07-01")
    finished = frozenset({RunState.COMPLETE_OK})
    troubled = frozenset({RunState.FAILED, RunState.COMPLETE_ERROR})
    return {
        "overview": lambda _: load_overview(store, now_utc=NOW_UTC),
        "trend": lambda turn: load_trend(store, 1 + vary(turn, participants)),
        "runs, first page": lambda _: load_runs(store),
        "runs, page in the middle": lambda _: load_runs(store, before_id=middle),
        "runs by one state": lambda _: load_runs(store, RunFilter(states=finished)),
        "runs by two states": lambda _: load_runs(store, RunFilter(states=troubled)),
        "runs by label": lambda turn: load_runs(
            store, RunFilter(participant_label=f"P-{vary(turn, participants):06d}")
        ),
        "runs by tag": lambda turn: load_runs(
            store, RunFilter(tag_name="site", tag_value=f"site {turn % 20:02d}")
        ),
        "runs by tag's name": lambda _: load_runs(store, RunFilter(tag_name="visit")),
        "runs by tag and state": lambda turn: load_runs(
            store, RunFilter(tag_name="site", tag_value=f"site {turn % 20:02d}", states=troubled)
        ),
        "runs by tag no such run has": lambda _: load_runs(
            store, RunFilter(tag_name="arm", tag_value="a", states=frozenset({RunState.FAILED}))
        ),
        "runs of a month": lambda _: load_runs(store, month),
        "runs of a month, by states": lambda _: load_runs(store, replace(month, states=troubled)),
        "runs of a month, by tag": lambda turn: load_runs(
            store, replace(month, tag_name="site", tag_value=f"site {turn % 20:02d}")
        ),
        "runs of three years": lambda _: load_runs(store, RunFilter(since_local="2023-01-01")),
        "runs by text": lambda turn: load_runs(store, RunFilter(text=f"p-{vary(turn, participants):06d}")),
        "count by tag (≤ 1 000)": lambda _: count_runs(store, RunFilter(tag_name="site", tag_value="site 03")),
        "count of a month (≤ 1 000)": lambda _: count_runs(store, month),
        "due runs": lambda _: load_due_runs(store, NOW_UTC, 50),
        "search participants": lambda turn: search_participants(store, str(vary(turn, participants))),
        "open flags": lambda _: load_open_flags(store, limit=20),
        "number of open flags": lambda _: count_open_flags(store),
        "flags that are due": lambda _: load_flags_due(store),
        "flags of a participant": lambda turn: load_flags(store, 1 + vary(turn, participants)),
        "changes of a participant": lambda turn: load_participant_changes(store, 1 + vary(turn, participants)),
        "events of a participant": lambda turn: load_events(store, 1 + vary(turn, participants)),
    }


def collect_cohort_queries(store: Store, n_runs: int) -> dict[str, Callable[[int], object]]:
    """The timed calls about everybody's runs of a whole year."""
    year = CohortFilter(since_local="2024-06-01", until_local="2025-06-01")
    narrow = replace(
        year, tags={"arm": "a"}, birth_sex="FEMALE", weekdays=(0, 1, 2, 3, 4), age_bands=("30-39", "40-49")
    )
    return {
        "options": lambda _: load_cohort_options(store),
        "cells": lambda _: load_cohort_cells(store, year),
        "cells by arm": lambda _: load_cohort_cells(store, year, group="tag:arm"),
        "cells by arm and week": lambda _: load_cohort_cells(store, year, group="tag:arm", period="week"),
        "cells by sex": lambda _: load_cohort_cells(store, year, group="birth_sex"),
        "cells by age, filtered": lambda _: load_cohort_cells(store, narrow, group="age_band"),
        "cells by weekday": lambda _: load_cohort_cells(store, year, group="weekday"),
        "levels by arm": lambda _: load_cohort_levels(store, year, group="tag:arm"),
        "levels by arm and week": lambda _: load_cohort_levels(store, year, group="tag:arm", period="week"),
        "deviations of 200": lambda _: load_cohort_deviations(store, year, limit_participants=200),
        "runs, at most 50 000": lambda turn: load_cohort_runs(store, year, group="tag:arm", seed=turn),
        "sleep, at most 50 000": lambda turn: load_sleep_rows(store, year, seed=turn),
        "ratings, at most 50 000": lambda turn: load_rating_pairs(store, "kss", year, seed=turn),
        "questionnaires": lambda _: load_questionnaire_pairs(store, "PSS", within_days=7),
    }


def time_queries(
    stores: dict[int, Store],
    *,
    repetitions: int = REPETITIONS,
    collect: Callable[[Store, int], dict[str, Callable[[int], object]]] = collect_queries,
) -> Measured:
    """The median times of each query by number of runs. Sizes take turns, so that whatever else the machine does
    meanwhile weighs on all of them alike."""
    queries = {n_runs: collect(store, n_runs) for n_runs, store in stores.items()}
    measured: Measured = {n_runs: {} for n_runs in stores}
    for name in next(iter(queries.values())):
        times: dict[int, list[tuple[float, float]]] = {n_runs: [] for n_runs in stores}
        for turn in range(repetitions + 1):
            for n_runs in stores:
                begin, begin_cpu = time.perf_counter(), time.thread_time()
                queries[n_runs][name](turn)
                cpu_ms = (time.thread_time() - begin_cpu) * 1000
                times[n_runs].append(((time.perf_counter() - begin) * 1000, cpu_ms))
        for n_runs in stores:
            wall, cpu = zip(*times[n_runs][1:], strict=True)  # the first call warms up
            measured[n_runs][name] = Timing(statistics.median(wall), statistics.median(cpu))
    return measured


def measure_scale(sizes: Sequence[int], *, repetitions: int = REPETITIONS) -> tuple[Measured, Measured]:
    """Fills a store of each size and times the queries of one page or participant and those of a cohort."""
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as folder, ExitStack() as stack:
        stores = {}
        for n_runs in sizes:
            begin = time.perf_counter()
            stores[n_runs] = stack.enter_context(fill_store(Path(folder) / str(n_runs), n_runs))
            size_mb = stores[n_runs].database_path.stat().st_size / 1e6
            print(
                f"{n_runs:>9,} runs: {size_mb:,.0f} MB, filled in {time.perf_counter() - begin:.1f} s", flush=True
            )
        lookups = time_queries(stores, repetitions=repetitions)
        return lookups, time_queries(stores, repetitions=COHORT_REPETITIONS, collect=collect_cohort_queries)


def format_table(measured: Measured) -> str:
    """Times in ms by size, and the ratio of the largest to the smallest size by the clock and by the processor."""
    sizes = sorted(measured)
    head = f"{'median ms at':<28}" + "".join(f"{size:>11,}" for size in sizes) + f"{'ratio':>8}{'CPU ratio':>11}"
    lines = [head, "-" * len(head)]
    for name in measured[sizes[0]]:
        times = "".join(f"{measured[size][name].wall_ms:>11.2f}" for size in sizes)
        wall, cpu = find_ratios(measured, name)
        lines.append(f"{name:<28}{times}{wall:>8.2f}{cpu:>11.2f}")
    return "\n".join(lines)


def find_ratios(measured: Measured, name: str) -> tuple[float, float]:
    """How much longer the query takes in the largest store than in the smallest, by the clock and by CPU time."""
    first, last = measured[min(measured)][name], measured[max(measured)][name]
    return last.wall_ms / first.wall_ms, last.cpu_ms / first.cpu_ms


def find_misses(measured: Measured, *, limit_ms: float = LIMIT_MS) -> list[str]:
    """What of the targets was missed: `FLAT_QUERIES` flat within 1.5 ×, and everything under the limit."""
    smallest, largest = min(measured), max(measured)
    misses = []
    for name, timing in measured[largest].items():
        wall, cpu = find_ratios(measured, name)
        if name in FLAT_QUERIES and max(wall, cpu) > FLAT_RATIO:
            misses.append(
                f"{name}: {wall:.2f} × ({cpu:.2f} × CPU) from {smallest:,} to {largest:,} runs"
                f" (limit {FLAT_RATIO})"
            )
        if timing.wall_ms > limit_ms:
            misses.append(f"{name}: {timing.wall_ms:.1f} ms at {largest:,} runs (limit {limit_ms:.0f})")
    return misses


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the measurement; 1 when a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max", type=int, default=1_000_000, help="runs in the largest store (default: 1000000)")
    options = parser.parse_args(arguments)
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= options.max]
    measured, cohorts = measure_scale(sizes or [options.max])
    print(f"{format_table(measured)}\n\na year of everybody's runs\n{format_table(cohorts)}")
    misses = find_misses(measured) + find_misses(cohorts, limit_ms=COHORT_LIMIT_MS)
    for miss in misses:
        print(f"MISSED {miss}")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
