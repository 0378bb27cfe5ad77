"""The permits that the page gives its browser last for minutes."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from heliograph.audio.permits import PermitError, PermitProblem, check_permit, load_permit_key
from heliograph.ui.lossless import _issue_permits

TAKE = "take-0123456789"


@pytest.mark.parametrize("now_s", [1_700_000_000.0, 1_700_000_100.0, 1_700_000_399.9, 1_700_000_400.0])
def test_a_permit_of_the_page_lasts_five_to_ten_minutes(tmp_path: Path, monkeypatch, now_s):
    """Who catches one can't use it for long; and no recorder asks for another with every run of the page."""
    monkeypatch.setattr(time, "time", lambda: now_s)
    workspace = SimpleNamespace(store=SimpleNamespace(folder=tmp_path))
    permits = _issue_permits(workspace, {"takes": [{"take": TAKE, "note": "7"}]})
    key = load_permit_key(tmp_path)
    assert set(permits) == {TAKE}
    permit = check_permit(key, permits[TAKE], take=TAKE, now_s=now_s + 299)
    assert (permit.take, permit.participant_note) == (TAKE, "7")
    with pytest.raises(PermitError) as refused:
        check_permit(key, permits[TAKE], take=TAKE, now_s=now_s + 600)
    assert refused.value.reason is PermitProblem.EXPIRED
