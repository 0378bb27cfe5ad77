"""The queries behind cohorts, flags and self-report touch the rows they are about: they go from participant to
participant and look up each one's days, and nothing walks a table that grows with runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from heliograph.store import CohortFilter, Store
from heliograph.store import _cohort as cohort
from heliograph.store import _cohort_queries as queries
from heliograph.store import _cohort_samples as samples
from heliograph.store import _flags as flags
from heliograph.store import _self_report as self_report
from heliograph.store import _study_events as events
from tests.store.plans import explain

YEAR = CohortFilter(since_local="2025-01-01", until_local="2026-01-01")
EVERYTHING = CohortFilter(
    since_local="2025-01-01",
    tags={"arm": "a", 'odd "name"': "b"},
    birth_sex="MALE",
    language="en",
    age_bands=("18-29",),
    weekdays=(0,),
    day_parts=("night",),
)
DAYS_OF_EACH = "SEARCH c USING PRIMARY KEY (participant_id=? AND day>? AND day<?)"
ROWS = {"id": "p.id", "stress": "c.uniform_stress"}
GROWING = ("c", "cohort", "runs", "r", "tags", "ratings", "trend", "results", "flags")

QUERIES: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "cells": (*queries.build_cells(YEAR, group="none", period="none"), DAYS_OF_EACH),
    "cells by tag and week": (*queries.build_cells(YEAR, group="tag:arm", period="week"), DAYS_OF_EACH),
    "cells with every filter": (*queries.build_cells(EVERYTHING, group="age_band", period="week"), DAYS_OF_EACH),
    "cells of some": (
        *queries.build_cells(YEAR, group="none", period="week", participant_ids=[1, 2]),
        DAYS_OF_EACH,
    ),
    "levels": (*queries.build_levels(YEAR, group="none", period="none"), DAYS_OF_EACH),
    "people by sex and week": (*queries.build_people(YEAR, group="birth_sex", period="week"), DAYS_OF_EACH),
    "levels by sex and week": (*queries.build_levels(YEAR, group="birth_sex", period="week"), DAYS_OF_EACH),
    "number of participants": (*queries.build_total(YEAR), DAYS_OF_EACH),
    "first participants": (*queries.build_choice(YEAR, 50), DAYS_OF_EACH),
    "first runs of some": (*queries.build_firsts([1, 2], 5, None, None), DAYS_OF_EACH),
    "window of some": (*queries.build_firsts([1, 2], None, "2025-01-01", "2025-02-01"), DAYS_OF_EACH),
    "runs of each": (*samples.build_counts(cohort.build_query(YEAR)), DAYS_OF_EACH),
    "runs": (*samples.build_rows(cohort.build_query(YEAR, participant_ids=[1]), ROWS), DAYS_OF_EACH),
    "runs with sleep times": (
        *samples.build_rows(cohort.build_query(YEAR), ROWS, joined=" CROSS JOIN runs AS r ON r.id = c.run_id"),
        "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    "questionnaires and runs": (
        samples.QUESTIONNAIRE_PAIRS,
        {"instrument": "x", "within": 3},
        f"{DAYS_OF_EACH} LEFT-JOIN",
    ),
    "labels": (samples.LABELS, {"ids": "[1]"}, "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)"),
    "changes of a participant": (
        samples.CHANGES,
        {"participant": 1},
        "SEARCH trend USING PRIMARY KEY (participant_id=?)",
    ),
    "first session": (
        cohort.FIRST_SESSION,
        {},
        "SEARCH runs USING COVERING INDEX runs_state_session (state=?)",
    ),
    "last session": (cohort.LAST_SESSION, {}, "SEARCH runs USING COVERING INDEX runs_state_session (state=?)"),
    "cohort row of one run": (
        "SELECT * FROM cohort_source WHERE participant_id = :p AND session_local = :s AND run_id = :r",
        {"p": 1, "s": "", "r": 1},
        "SEARCH trend USING PRIMARY KEY (participant_id=? AND session_local=? AND run_id=?)",
    ),
    "flags of a participant": (
        flags.FLAGS,
        {"participant": 1},
        "SEARCH f USING PRIMARY KEY (participant_id=?)",
    ),
    "open flags": (flags.OPEN_FLAGS, {"limit": 50}, "SCAN f USING INDEX flags_open"),
    "number of open flags": (flags.OPEN_COUNT, {}, "SEARCH totals USING PRIMARY KEY (name=?)"),
    "flags that are due": (flags.FLAGS_DUE, {"limit": 50}, "SCAN flags_due"),
    "one that may be due": (
        flags.FLAGS_DUE_OF_ONE,
        {"participant": 1},
        "SEARCH flags_due USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    "events": (
        events.EVENTS,
        {"participant": 1},
        "SEARCH study_events USING INDEX study_events_participant (participant_id=?)",
    ),
    "questionnaires of one": (
        self_report.QUESTIONNAIRES_OF_ONE,
        {"participant": 1},
        "SEARCH q USING INDEX sqlite_autoindex_questionnaires_1 (participant_id=?)",
    ),
    "scales": (self_report.RATING_NAMES, {}, "SEARCH ratings USING COVERING INDEX ratings_scale (scale>?)"),
}
NOT_SORTED = (
    "cells",
    "number of participants",
    "first participants",
    "runs of each",
    "runs",
    "open flags",
    "flags that are due",
    "events",
    "questionnaires of one",
)


@pytest.mark.parametrize("name", QUERIES)
def test_query_looks_up_the_rows_it_is_about(store: Store, name: str) -> None:
    sql, parameters, expected = QUERIES[name]
    plan = explain(store, sql, parameters)
    assert any(line.startswith(expected) for line in plan), plan
    assert [line for line in plan if line.startswith("SCAN ") and line.split()[1] in GROWING] == [], plan


@pytest.mark.parametrize("name", NOT_SORTED)
def test_what_comes_in_the_order_of_its_table_is_not_sorted(store: Store, name: str) -> None:
    sql, parameters, _ = QUERIES[name]
    assert not any("TEMP B-TREE" in line for line in explain(store, sql, parameters))


def test_a_walk_through_the_cohort_would_be_found(store: Store) -> None:
    (line,) = explain(store, "SELECT * FROM cohort AS c WHERE c.day > 7", {})
    assert line.split()[:2] == ["SCAN", "c"]
