"""Every page runs in Streamlit's own test harness, on a workspace of its own; no server and no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from heliograph.store import Store
from heliograph.ui.workspace import close_workspace
from tests.pages import demo
from tests.pilot import fill_pilot

NAVIGATION = Path(__file__).resolve().parents[2] / "pages" / "_navigation.py"

OpenPage = Callable[..., AppTest]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home for workspaces; the pages of this test open the sandbox in it."""
    for name in ("THYMIA_API_KEY", "THYMIA_REGION", "THYMIA_BASE_URL", "HELIOGRAPH_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HELIOGRAPH_HOME", str(tmp_path))
    close_workspace()
    yield tmp_path
    close_workspace()


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The sandbox workspace's store, empty."""
    opened = demo.open_store(home)
    yield opened
    opened.close()


@pytest.fixture
def person(store: Store) -> int:
    """One participant, P-001."""
    return demo.add_participant(store, "P-001")


@pytest.fixture
def people(store: Store) -> tuple[int, int]:
    """Two participants, P-001 and P-002."""
    return demo.add_participant(store, "P-001"), demo.add_participant(store, "P-002")


@pytest.fixture
def pilot(store: Store) -> Store:
    """The store with the simulated pilot study in it, up to today."""
    fill_pilot(store, until=date.today())
    return store


@pytest.fixture
def open_page(home: Path) -> OpenPage:
    """Open a page by its file's name and the address's parameters, as a cold visit does."""

    def visit(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(NAVIGATION), default_timeout=30)
        app.switch_page(f"{name}.py")
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception, [entry.message for entry in app.exception]
        return app

    return visit
