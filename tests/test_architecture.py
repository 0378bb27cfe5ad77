"""The floors: a module imports only from floors below its own, and each room only what belongs in it."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The first match names the floor; the second entry is what the room may import of the project.
ROOMS: list[tuple[str, tuple[str, ...]]] = [
    ("thymia_api.sandbox", ("thymia_api",)),
    ("thymia_api", ("thymia_api",)),
    ("heliograph.__main__", ()),
    ("heliograph.config", ()),
    ("heliograph.store", ("heliograph.store", "thymia_api")),
    ("heliograph.audio", ("heliograph.audio", "thymia_api")),
    ("heliograph.analysis", ("heliograph.analysis",)),
    (
        "heliograph.runs",
        (
            "heliograph.runs",
            "heliograph.analysis",
            "heliograph.store",
            "heliograph.audio",
            "heliograph.config",
            "thymia_api",
        ),
    ),
    (
        "heliograph.charts",
        ("heliograph.charts", "heliograph.analysis", "heliograph.store", "heliograph.config", "thymia_api"),
    ),
    ("heliograph.server", ("heliograph.server", "heliograph.audio")),
    ("heliograph.ui", ("heliograph", "thymia_api")),
    ("heliograph", ()),
    ("pages", ("heliograph", "thymia_api")),
    ("app", ("heliograph", "thymia_api")),
]
STREAMLIT_ROOMS = ("heliograph.ui", "pages", "app")
STARLETTE_ROOMS = ("heliograph.server", "thymia_api.sandbox", "app")
PRIVATE_OF_OTHERS = {"heliograph.ui._webrtc_compat"}


def modules() -> list[tuple[str, Path]]:
    files = [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]
    files += [*(ROOT / "heliograph").rglob("*.py"), *(ROOT / "thymia_api").rglob("*.py")]
    return [
        (".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file) for file in files
    ]


def imported(module: str, file: Path) -> set[str]:
    """Absolute names of everything the module imports, wherever in it the import stands."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def inside(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def allowed_for(module: str) -> tuple[str, ...]:
    return next(allowed for room, allowed in ROOMS if inside(module, room))


@pytest.mark.parametrize(("module", "file"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_from_floors_below_its_own(module, file):
    for name in imported(module, file):
        if (
            inside(name, "heliograph")
            or inside(name, "thymia_api")
            or inside(name, "pages")
            or inside(name, "app")
        ):
            assert any(inside(name, room) for room in allowed_for(module)), f"{module} imports {name}"
        if inside(name, "thymia_api.sandbox"):
            assert module == "app" or inside(module, "thymia_api.sandbox"), f"{module} imports {name}"
        if inside(name, "streamlit"):
            assert any(inside(module, room) for room in STREAMLIT_ROOMS), f"{module} imports {name}"
        if inside(name, "starlette"):
            assert any(inside(module, room) for room in STARLETTE_ROOMS), f"{module} imports {name}"
        if name.split(".")[0] in ("streamlit_webrtc", "aiortc"):
            assert module in {"heliograph.ui.webrtc", "heliograph.ui._webrtc_compat"}, f"{module} imports {name}"


def test_a_name_with_an_underscore_stays_in_its_module():
    files = modules()
    names = {module for module, _ in files}
    for module, file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in (
                "heliograph",
                "thymia_api",
            ):
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
                taken = [name for name in private if f"{node.module}.{name}" not in names]
                assert not taken, f"{module} takes {', '.join(taken)} from {node.module}"


def test_pages_are_thin():
    for file in (ROOT / "pages").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)], (
            f"a loop in {file.name}"
        )
        words = {name.split(".")[0] for name in imported(f"pages.{file.stem}", file)}
        assert words.isdisjoint({"httpx", "sqlite3", "sqlite_utils", "plotly", "time"}), file.name


def test_the_doors_need_the_standard_library_only():
    import sys

    for name in imported("heliograph.__main__", ROOT / "heliograph" / "__main__.py"):
        assert name.split(".")[0] in sys.stdlib_module_names


def test_no_room_has_grown_out_of_its_walls():
    for module, file in modules():
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, f"{module} wants splitting"


@pytest.mark.parametrize(("module", "file"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_private_is_used_in_its_own_room_only(module, file):
    """A private module belongs to its folder, and what is private in a module to that module."""
    names = {name for name, _ in modules()}
    for name in imported(module, file):
        owner, _, last = name.rpartition(".")
        if not inside(name, "heliograph") and not inside(name, "thymia_api"):
            continue
        assert name in names or not last.startswith("_"), f"{module} imports {name}"
        for part in [owner, name]:
            room, _, private = part.rpartition(".")
            if private.startswith("_") and part in names:
                assert inside(module, room), f"{module} imports {part}"


def test_no_modules_import_each_other_in_a_circle():
    names = {name for name, _ in modules()}
    needs = {}
    for module, file in modules():
        found = {name if name in names else name.rpartition(".")[0] for name in imported(module, file)}
        needs[module] = (found & names) - {module}
    TopologicalSorter(needs).prepare()
