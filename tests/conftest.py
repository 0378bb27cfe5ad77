"""Order: the browser tests come last. Their Playwright keeps an event loop running in the main thread until the
session ends, and `asyncio.run` in a later test would refuse to start beside it. Of them the longest files begin,
so that two processes end at about the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_find_place)


def _find_place(item: pytest.Item) -> tuple[bool, int]:
    is_browser_test = BROWSER_TESTS in item.path.parents
    return is_browser_test, -item.path.stat().st_size if is_browser_test else 0  # Longer files take longer.
