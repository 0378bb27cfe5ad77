"""What people are told about the worker: what it does, and what keeps it from work."""

from __future__ import annotations

from typing import Final

from heliograph.store import WorkerState, WorkerStatus
from heliograph.ui.messages._advice import Advice, Notice

__all__ = [
    "PAUSES",
    "WORKER_STATES",
    "describe_worker",
    "worker_notice",
]

# What keeps the worker from work, by the reason that it writes into its status row.
PAUSES: Final[dict[str, Advice]] = {
    "invalid_key": Advice(
        "**thymia does not accept the API key.** Nothing is being sent; recordings and runs are safe here.",
        "Check THYMIA_API_KEY and THYMIA_REGION (a key belongs to one region), then restart the server.",
    ),
    "wrong_server": Advice(
        "**The server that answers does not fit this workspace** (synthetic and real scores must never meet)."
        " Nothing is being sent.",
        "Check THYMIA_BASE_URL and HELIOGRAPH_WORKSPACE, then restart the server.",
    ),
}  # fmt: skip
OTHER_PAUSE: Final = Advice(
    "**The worker is paused.** Nothing is being sent; recordings and runs are safe here.",
    "See the server's log for the reason, then restart the server.",
)
UNREACHABLE: Final = (
    "**thymia can't be reached at the moment** ({since}). Recording and submitting go on as usual: runs wait here"
    " and are sent by themselves."
)
WORKER_STATES: Final[dict[str, str]] = {
    WorkerState.WORKING: "Working",
    WorkerState.STANDBY: "Standing by: another process works for this workspace",
    WorkerState.PAUSED: "Paused",
    WorkerState.STOPPED: "Not running",
}


def describe_worker(status: WorkerStatus) -> str:
    """One line for the settings page."""
    words = WORKER_STATES.get(status.state, str(status.state))
    return f"{words}: {_plain(_pause(status).text)}" if status.state == WorkerState.PAUSED else words


def worker_notice(status: WorkerStatus) -> Notice | None:
    """What stands at the head of every page while the worker can't work; None while all is well.

    Whether it is the key (severe: it waits for a person) or the network (it goes on by itself) is told apart.
    """
    if status.state == WorkerState.PAUSED:
        return Notice(_pause(status).text, severe=True)
    if status.api_problem and status.state == WorkerState.WORKING:
        since = f"since {status.api_problem_since_utc[11:16]} UTC" if status.api_problem_since_utc else "just now"
        return Notice(UNREACHABLE.format(since=since), severe=False)
    return None


def _pause(status: WorkerStatus) -> Advice:
    return PAUSES.get(status.reason or "", OTHER_PAUSE)


def _plain(text: str) -> str:
    return text.replace("**", "")
