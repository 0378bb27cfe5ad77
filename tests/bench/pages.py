"""Whole pages on a store, as a visitor opens them: Trends in a new session and in one that goes on, and the views
of Cohorts. Streamlit's test harness runs them in this process, without a browser."""

from __future__ import annotations

import gc
import logging
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamlit.testing.v1 import AppTest

from heliograph.ui.warm_up import warm_up
from heliograph.ui.workspace import close_workspace, get_workspace
from tests.bench.store_scale import RUNS_PER_PARTICIPANT

__all__ = ["COHORT_VIEWS", "FIRST_VIEW", "NEXT_VIEW", "WORKSPACE", "measure_pages"]

NAVIGATION = Path(__file__).resolve().parents[2] / "pages" / "_navigation.py"
WORKSPACE = "sandbox"
"""What the store is called that pages can open, and its folder."""
FIRST_VIEW, NEXT_VIEW = "Trends, first of a session", "Trends, another participant"
COHORT_VIEWS = ("Groups", "Over time", "Heat map", "Levels", "Correlations")
YEAR = {"cohorts_since": "2025-01-01", "cohorts_until": "2025-12-31"}
PERSON_ROUNDS, COHORT_ROUNDS = 7, 2
TIMEOUT_S = 120.0
# The harness asks for a script's context where none runs, and Streamlit logs that each time.
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(
    lambda record: "missing ScriptRunContext" not in str(record.msg)
)


def measure_pages(home: Path, n_runs: int) -> dict[str, float]:
    """Median processor seconds of a page's script, in a process that is as warm as a server is after its start.
    `home` holds the store, in a folder that is called `WORKSPACE`."""
    participants = max(1, n_runs // RUNS_PER_PARTICIPANT)
    people = [1 + turn * 7919 % participants for turn in range(2 * PERSON_ROUNDS + 1)]
    with _open_home(home):
        warm_up(get_workspace().store)
        gc.collect()
        gc.freeze()
        try:
            return _measure(people)
        finally:
            gc.unfreeze()


def _measure(people: list[int]) -> dict[str, float]:
    first = [_run(_visit("trends", participant=str(person))) for person in people[:PERSON_ROUNDS]]
    session = _visit("trends", participant=str(people[-1]))
    _run(session)
    following = []
    for person in people[PERSON_ROUNDS:-1]:
        session.query_params["participant"] = str(person)
        following.append(_run(session))
    taken = {FIRST_VIEW: first, NEXT_VIEW: following}
    for view in COHORT_VIEWS:
        rounds = [_run(_visit("cohorts", cohorts_view=view, **YEAR)) for _ in range(COHORT_ROUNDS + 1)]
        taken[f"Cohorts, {view}"] = rounds[1:]
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _visit(page: str, **query: str) -> AppTest:
    """A new session that is about to open the page."""
    app = AppTest.from_file(str(NAVIGATION), default_timeout=TIMEOUT_S)
    app.switch_page(f"{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app


def _run(app: AppTest) -> float:
    """Processor seconds of one run of the page: what all threads but this one take. The script has a thread of its
    own; what the harness does around it is not the page's."""
    process, own = time.process_time(), time.thread_time()
    app.run()
    taken = (time.process_time() - process) - (time.thread_time() - own)
    if app.exception:
        raise RuntimeError(f"the page failed: {app.exception[0].message}")
    return taken


@contextmanager
def _open_home(home: Path) -> Iterator[None]:
    """The pages of this process open the sandbox workspace below `home`."""
    before = {name: os.environ.pop(name, None) for name in ("HELIOGRAPH_HOME", "HELIOGRAPH_WORKSPACE")}
    os.environ["HELIOGRAPH_HOME"] = str(home)
    close_workspace()
    try:
        yield
    finally:
        close_workspace()
        del os.environ["HELIOGRAPH_HOME"]
        os.environ.update({name: value for name, value in before.items() if value is not None})
