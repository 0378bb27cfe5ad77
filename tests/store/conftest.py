"""A store in a temporary folder, and the makings of a run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from heliograph.store import NewRun, RecordingFacts, RecordingSource, Store, add_run
from tests.store.new_runs import build_new_run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a workspace that does not exist yet."""
    return tmp_path / "home" / "sandbox"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a store that was made anew and closed."""
    folder = tmp_path_factory.mktemp("empty") / "sandbox"
    with Store.open(folder, workspace="sandbox", synthetic=True) as made:
        return made.database_path


@pytest.fixture
def store(home: Path, empty_database: Path) -> Iterator[Store]:
    """An empty store, copied from one that was made once: making the schema takes longer than most tests."""
    home.mkdir(parents=True, mode=0o700)
    shutil.copyfile(empty_database, home / empty_database.name)
    with Store.open(home, workspace="sandbox", synthetic=True) as opened:
        yield opened


class MakeRun(Protocol):
    """Queues a run of the participant `label`; keywords are fields of `NewRun`."""

    def __call__(self, key: str, *, label: str = "P-1", **fields: Any) -> int: ...


class NewRunMaker(Protocol):
    """A valid `NewRun`."""

    def __call__(self, store: Store, key: str, *, label: str = "P-1", **fields: Any) -> NewRun: ...


@pytest.fixture
def new_run() -> NewRunMaker:
    """See `build_new_run`."""
    return build_new_run


@pytest.fixture
def make_run(store: Store) -> MakeRun:
    """Queues a run in `store` and returns its id."""

    def make(key: str, *, label: str = "P-1", **fields: Any) -> int:
        return add_run(store, build_new_run(store, key, label=label, **fields))

    return make


@pytest.fixture
def facts() -> RecordingFacts:
    """Facts of a recording."""
    return RecordingFacts(
        media_type="audio/flac",
        source=RecordingSource.WEBRTC,
        duration_s=31.5,
        speech_s=20.25,
        processing={"echo_cancellation": "off"},
    )
