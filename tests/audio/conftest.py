"""What tests of captures leave behind: nothing."""

import threading
from collections.abc import Iterator

import pytest

from heliograph.audio import flush_all, live_tokens
from tests.audio.captures import wait_until


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """Every capture's thread ends."""
    yield
    flush_all()
    assert live_tokens() == frozenset()
    wait_until(lambda: not any(thread.name.startswith("capture-") for thread in threading.enumerate()), 2.0)
