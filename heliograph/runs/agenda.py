"""Which runs are due, and what becomes of plans that were made by a clock that was wrong.

Transfers (creating and uploading) and questions about runs are asked for apart, so that no number of the one kind
hides the other. All functions read or write the store and block: call them in a thread.
"""

from __future__ import annotations

from heliograph.runs.schedule import LONGEST_WAIT_S, format_later
from heliograph.store import FINAL_STATES, RunState, Store, from_utc_text

TRANSFER_STATES = frozenset({RunState.QUEUED, RunState.CREATED, RunState.UPLOADING})

_TRANSFERS = ", ".join(f"'{state.value}'" for state in sorted(TRANSFER_STATES))
_FINAL = ", ".join(f"'{state.value}'" for state in sorted(FINAL_STATES))
# The plus keeps the states out of the choice of an index: the one of planned steps is always the short one.
DUE = {
    True: f"SELECT id FROM runs WHERE next_step_utc <= ? AND +state IN ({_TRANSFERS})"  # noqa: S608
    " ORDER BY next_step_utc, id LIMIT ?",
    False: f"SELECT id FROM runs WHERE next_step_utc <= ? AND +state NOT IN ({_TRANSFERS})"  # noqa: S608
    " ORDER BY next_step_utc, id LIMIT ?",
}
TOO_LATE = "SELECT id FROM runs WHERE next_step_utc > ? AND next_step_utc IS NOT deletion_due_utc"
PLANNED = f"SELECT id FROM runs WHERE next_step_utc > ? AND +state NOT IN ({_FINAL})"  # noqa: S608
_MAKE_DUE = "UPDATE runs SET next_step_utc = ? WHERE id IN ({})"


def load_due(store: Store, now_utc: str, limit: int, *, transfers: bool) -> list[int]:
    """Ids of up to `limit` runs of one kind whose next step is due, longest due first."""
    with store.read() as db:
        return [run_id for (run_id,) in db.conn.execute(DUE[transfers], (now_utc, limit))]


def pull_in(store: Store, now_utc: str, *, clock_went_back: bool = False) -> int:
    """Make due what is planned later than anything is ever planned: the clock was ahead then. Returns how many.

    `clock_went_back`: it was seen to happen, so no plan can be trusted, and every open run is looked at now.
    """
    latest_utc = format_later(from_utc_text(now_utc), LONGEST_WAIT_S)
    with store.read() as db:
        if db.conn.execute(f"{TOO_LATE} LIMIT 1", (latest_utc,)).fetchone() is None and not clock_went_back:
            return 0
    with store.write() as db:
        done = db.conn.execute(_MAKE_DUE.format(TOO_LATE), (now_utc, latest_utc)).rowcount
        if clock_went_back:
            done += db.conn.execute(_MAKE_DUE.format(PLANNED), (now_utc, now_utc)).rowcount
    return done
