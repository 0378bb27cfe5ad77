"""(e) The analysis pages at 10³ to 10⁶ runs. One participant's view must stay as quick as in a small store and be
at least 50 times as quick as a notebook that reads the table and filters; a cohort's view over a full year must
grow no faster than the runs in it. At the largest size the pages themselves are opened as well.

    python -m tests.bench.analysis --max 1000000
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from heliograph.analysis import (
    compute_group_summary,
    compute_group_trajectory,
    compute_within_correlations,
    find_repeats,
)
from heliograph.charts import plot_trend
from heliograph.store import (
    CONTINUOUS_COLUMNS,
    CohortFilter,
    Store,
    load_cohort_cells,
    load_cohort_deviations,
    load_cohort_levels,
    load_cohort_options,
    load_cohort_people,
    load_cohort_runs,
    load_events,
    load_flags,
    load_rating_pairs,
    load_sleep_rows,
    load_study_settings,
    load_trend,
)
from heliograph.ui.trend_reading import read_slope, read_trend
from tests.bench.pages import FIRST_VIEW, NEXT_VIEW, WORKSPACE, measure_pages
from tests.bench.store_scale import RUNS_PER_PARTICIPANT, fill_store
from thymia_api import BIOMARKERS

SIZES = (1_000, 10_000, 100_000, 1_000_000)
PERSON_ROUNDS, COHORT_ROUNDS, NOTEBOOK_ROUNDS = 15, 3, 3
YEAR = CohortFilter(since_local="2025-01-01", until_local="2026-01-01")
HEAT_PARTICIPANTS = 60
SAMPLED_RUNS = 20_000
# What a notebook needs for the same figures, and no column more.
NOTEBOOK = f"SELECT participant_id, session_local, state, {', '.join(CONTINUOUS_COLUMNS)} FROM trend"
FLAT_RATIO, NOTEBOOK_RATIO, PERSON_LIMIT_S, COHORT_LIMIT_S = 1.5, 50, 0.3, 3.0

Views = dict[str, Callable[[int], Any]]


def view_person(store: Store, participant_id: int) -> Any:
    """Everything that Trends asks and computes for one participant, without drawing."""
    settings = load_study_settings(store)
    frame = load_trend(store, participant_id)
    reading = read_trend(frame, BIOMARKERS[0], settings)
    for biomarker in BIOMARKERS:
        find_repeats(reading.results, biomarker.continuous, settings.repeat_window_min)
    return frame, read_slope(reading, None), load_flags(store, participant_id), load_events(store, participant_id)


def draw_person(store: Store, participant_id: int) -> Any:
    """The same with the figure."""
    frame, *_ = view_person(store, participant_id)
    return plot_trend(
        frame, participant_label="P", workspace="bench", synthetic=True, drawn_on=date(2026, 1, 1)
    ).to_json()


def run_notebook(database: Path, participant_id: int) -> Any:
    """What a researcher writes in an afternoon: read the table, filter, baseline, smoothed series, slope."""
    with closing(sqlite3.connect(database)) as connection:
        table = pd.read_sql_query(NOTEBOOK, connection, parse_dates=["session_local"])
    mine = table[(table["participant_id"] == participant_id) & (table["state"] == "complete_ok")]
    mine = mine.sort_values("session_local")
    scores = mine[list(CONTINUOUS_COLUMNS)]
    baseline = scores.iloc[:5].agg(["mean", "std"])
    weeks = (mine["session_local"] - mine["session_local"].min()).dt.total_seconds() / 604_800
    return baseline, scores.ewm(alpha=0.2).mean(), scores.apply(lambda score: score.corr(weeks))


def collect_person_views(store: Store, participants: int) -> Views:
    """Each turn looks at somebody else."""

    def pick(turn: int) -> int:
        return 1 + turn * 7919 % participants

    return {
        "one participant": lambda turn: view_person(store, pick(turn)),
        "one participant, drawn": lambda turn: draw_person(store, pick(turn)),
    }


def collect_cohort_views(store: Store) -> Views:
    """Every view of Cohorts, Sleep and Self-report over a full year: what it asks and computes."""

    def summarise(turn: int) -> Any:
        cells = load_cohort_cells(store, YEAR, group="tag:arm")
        return [compute_group_summary(cells, column) for column in CONTINUOUS_COLUMNS[turn % 6 :][:1]]

    def follow(turn: int) -> Any:
        cells = load_cohort_cells(store, YEAR, group="tag:arm", period="week")
        return compute_group_trajectory(cells, CONTINUOUS_COLUMNS[turn % 6])

    def correlate(_turn: int) -> Any:
        rows, _ = load_cohort_runs(store, YEAR, limit=SAMPLED_RUNS)
        return compute_within_correlations(rows, CONTINUOUS_COLUMNS)

    return {
        "groups by arm": summarise,
        "weeks by arm": follow,
        "weeks by age band": lambda _: load_cohort_cells(store, YEAR, group="age_band", period="week"),
        "deviations (heat map)": lambda _: load_cohort_deviations(
            store, YEAR, limit_participants=HEAT_PARTICIPANTS
        ),
        "levels by week": lambda _: load_cohort_levels(store, YEAR, group="tag:arm", period="week"),
        "people by week": lambda _: load_cohort_people(store, YEAR, group="tag:arm", period="week"),
        "correlations (sample)": correlate,
        "sleep (sample)": lambda _: load_sleep_rows(store, YEAR, limit=SAMPLED_RUNS),
        "ratings (sample)": lambda _: load_rating_pairs(store, "kss", YEAR, limit=SAMPLED_RUNS),
        "filters": lambda _: load_cohort_options(store),
    }


def time_views(views: dict[int, Views], rounds: int) -> dict[str, dict[int, float]]:
    """Median processor seconds by view and size: other programs weigh little on them. One view is one thread, so
    these are the clock's on a machine at rest. Sizes take turns, and a first round warms up."""
    times: dict[str, dict[int, float]] = {}
    for name in next(iter(views.values())):
        taken: dict[int, list[float]] = {size: [] for size in views}
        for turn in range(rounds + 1):
            for size in views:
                began = time.thread_time()
                views[size][name](turn)
                taken[size].append(time.thread_time() - began)
        times[name] = {size: statistics.median(each[1:]) for size, each in taken.items()}
    return times


def measure_memory_mb(views: Views) -> dict[str, float]:
    """The most that Python and NumPy hold at once during each view; SQLite's page cache has its own bound."""
    most = {}
    for name, view in views.items():
        tracemalloc.start()
        view(1)
        most[name] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    return most


def count_year(store: Store) -> int:
    """Results within the year: the rows that a cohort's view must touch."""
    with store.read() as db:
        sql = "SELECT count(*) FROM runs WHERE state = 'complete_ok' AND session_local >= ? AND session_local < ?"
        return int(db.conn.execute(sql, (YEAR.since_local, YEAR.until_local)).fetchone()[0])


def print_times(times: dict[str, dict[int, float]], rows: dict[int, int] | None = None) -> None:
    sizes = list(next(iter(times.values())))
    head = f"{'median CPU ms at':<26}" + "".join(f"{size:>11,}" for size in sizes) + f"{'ratio':>9}"
    print(head + (f"{'ratio / rows':>14}" if rows else ""))
    for name, by_size in times.items():
        ratio = by_size[sizes[-1]] / by_size[sizes[0]]
        line = f"{name:<26}" + "".join(f"{1000 * by_size[size]:>11.1f}" for size in sizes) + f"{ratio:>9.2f}"
        print(line + (f"{ratio / (rows[sizes[-1]] / rows[sizes[0]]):>14.3f}" if rows else ""))
    print(flush=True)


def measure(sizes: Sequence[int]) -> list[str]:
    """Fill a store of each size, measure, print, and return what was missed."""
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as folder, ExitStack() as stack:
        stores: dict[int, Store] = {}
        for size in sizes:
            began = time.perf_counter()
            stores[size] = stack.enter_context(
                fill_store(Path(folder) / str(size) / WORKSPACE, size, workspace=WORKSPACE)
            )
            print(f"{size:>9,} runs, filled in {time.perf_counter() - began:.1f} s", flush=True)
        people = {
            size: collect_person_views(store, max(1, size // RUNS_PER_PARTICIPANT))
            for size, store in stores.items()
        }
        person = time_views(people, PERSON_ROUNDS)
        print_times(person)
        rows = {size: count_year(store) for size, store in stores.items()}
        cohorts = time_views({size: collect_cohort_views(store) for size, store in stores.items()}, COHORT_ROUNDS)
        print_times(cohorts, rows)
        largest = sizes[-1]
        memory = measure_memory_mb(collect_cohort_views(stores[largest]))
        print(f"most memory of a cohort's view at {largest:,}: {max(memory.values()):.0f} MB")
        notebook = time_views(
            {largest: {"notebook": lambda turn: run_notebook(stores[largest].database_path, 1 + turn)}},
            NOTEBOOK_ROUNDS,
        )["notebook"][largest]
        pages = measure_pages(Path(folder) / str(largest), largest)
        print(f"{'page at ' + format(largest, ','):<32}{'median CPU ms':>14}")
        for name, seconds in pages.items():
            print(f"{name:<32}{1000 * seconds:>14.0f}")
    return [*_judge(person, cohorts, notebook, sizes), *_judge_pages(pages)]


def _judge(
    person: dict[str, dict[int, float]],
    cohorts: dict[str, dict[int, float]],
    notebook: float,
    sizes: Sequence[int],
) -> list[str]:
    smallest, largest = sizes[0], sizes[-1]
    mine = person["one participant"]
    flat, faster = mine[largest] / mine[smallest], notebook / mine[largest]
    drawn = person["one participant, drawn"][largest]
    slowest = max(cohorts, key=lambda name: cohorts[name][largest])
    print(f"one participant at {largest:,} against {smallest:,}: {flat:.2f} x (target {FLAT_RATIO})")
    print(f"notebook at {largest:,}: {notebook:.2f} s, {faster:.0f} x one participant (target {NOTEBOOK_RATIO})")
    print(f"one participant with the figure: {drawn:.3f} s (target {PERSON_LIMIT_S})")
    print(f"slowest cohort view, {slowest}: {cohorts[slowest][largest]:.2f} s (target {COHORT_LIMIT_S})")
    misses = {
        "one participant is not flat": flat > FLAT_RATIO,
        "the notebook is too quick": faster < NOTEBOOK_RATIO and largest == SIZES[-1],
        "one participant takes too long": drawn > PERSON_LIMIT_S,
        f"{slowest} takes too long": cohorts[slowest][largest] > COHORT_LIMIT_S,
    }
    return [words for words, missed in misses.items() if missed]


def _judge_pages(pages: dict[str, float]) -> list[str]:
    return [
        f"{name} takes {seconds:.2f} s (target {limit})"
        for name, seconds in pages.items()
        if seconds > (limit := PERSON_LIMIT_S if name in (FIRST_VIEW, NEXT_VIEW) else COHORT_LIMIT_S)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max", type=int, default=SIZES[-1], help="runs in the largest store")
    largest = parser.parse_args(arguments).max
    for miss in measure([size for size in SIZES if size <= largest] or [largest]):
        print(f"MISSED {miss}")


if __name__ == "__main__":
    main()
