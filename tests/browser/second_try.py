"""A browser test that fails is tried once more, and the closing lines name it.

A real browser on a shared machine loses a race of its own now and then; what fails twice is ours.
"""

from __future__ import annotations

import pytest
from _pytest.runner import runtestprotocol

TRIED_AGAIN = pytest.StashKey[list[str]]()


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        item.config.stash.setdefault(TRIED_AGAIN, []).append(item.nodeid)
        item._initrequest()  # type: ignore[attr-defined]
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name in config.stash.get(TRIED_AGAIN, []):
        terminalreporter.write_line(f"tried a second time: {name}")
