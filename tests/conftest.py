"""Order: the browser tests come last, in one process. Their Playwright keeps an event loop running in the main
thread until the session ends, and `asyncio.run` in a later test would refuse to start beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_is_browser_test)
    for item in filter(_is_browser_test, items):
        item.add_marker(pytest.mark.xdist_group("browser"))


def _is_browser_test(item: pytest.Item) -> bool:
    return BROWSER_TESTS in item.path.parents
