"""Every page runs in Streamlit's own test harness, on a workspace of its own; no server and no network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from heliograph.ui.workspace import close_workspace

sys.path.insert(0, str(Path(__file__).parent))

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
