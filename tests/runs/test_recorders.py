"""Which recorder a workspace prefers is remembered; what this version does not know counts as automatic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from heliograph.runs.recorders import RecorderMode, load_recorder_mode, save_recorder_mode
from heliograph.store import Store, save_setting


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path, workspace="sandbox", synthetic=True)
    yield opened
    opened.close()


def test_nothing_chosen_is_automatic(store: Store) -> None:
    assert load_recorder_mode(store) is RecorderMode.AUTOMATIC


@pytest.mark.parametrize("mode", RecorderMode)
def test_the_choice_is_kept(store: Store, mode: RecorderMode) -> None:
    save_recorder_mode(store, mode)
    assert load_recorder_mode(store) is mode


def test_a_choice_of_a_later_version_is_automatic(store: Store) -> None:
    save_setting(store, "recorder", "telepathy")
    assert load_recorder_mode(store) is RecorderMode.AUTOMATIC
