"""A permit opens one take for some minutes; nobody without the workspace's key can make one."""

import base64
import stat
import threading
from pathlib import Path

import pytest

from heliograph.audio import SpoolError
from heliograph.audio.permits import (
    Permit,
    PermitError,
    PermitProblem,
    check_permit,
    issue_permit,
    load_permit_key,
)

KEY = b"k" * 32
PERMIT = Permit("take-0123456789", "7", 1_000.0)


def test_a_permit_says_whose_take_it_opens_until_when() -> None:
    assert check_permit(KEY, issue_permit(KEY, PERMIT), take=PERMIT.take, now_s=999.9) == PERMIT


@pytest.mark.parametrize(
    ("take", "now_s", "reason"),
    [
        ("take-0123456780", 0.0, PermitProblem.OTHER_TAKE),
        (PERMIT.take, 1_000.0, PermitProblem.EXPIRED),
    ],
)
def test_a_permit_for_another_take_or_time_is_refused(take: str, now_s: float, reason: PermitProblem) -> None:
    with pytest.raises(PermitError) as refused:
        check_permit(KEY, issue_permit(KEY, PERMIT), take=take, now_s=now_s)
    assert refused.value.reason == reason


def test_every_changed_character_and_another_key_are_refused() -> None:
    text = issue_permit(KEY, PERMIT)
    for at in range(len(text)):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        if base64.urlsafe_b64decode(changed.partition(".")[2] + "=") == base64.urlsafe_b64decode(
            text.partition(".")[2] + "="
        ) and changed.startswith(text.partition(".")[0]):
            continue  # The last character of a signature has bits that carry nothing.
        with pytest.raises(PermitError):
            check_permit(KEY, changed, take=PERMIT.take, now_s=0)
    with pytest.raises(PermitError):
        check_permit(b"x" * 32, text, take=PERMIT.take, now_s=0)


@pytest.mark.parametrize("text", ["", ".", "a.b", "ü.ü", "." * 700, "e30.", "\0.\0", "W10=.W10="])
def test_what_is_no_permit_is_refused(text: str) -> None:
    with pytest.raises(PermitError):
        check_permit(KEY, text, take=PERMIT.take, now_s=0)


@pytest.mark.parametrize("permit", [Permit("../x", "7", 1.0), Permit("take-0123456789", "Anna", 1.0)])
def test_no_permit_is_made_out_to_what_is_no_take_or_no_number(permit: Permit) -> None:
    with pytest.raises(ValueError, match="no permit"):
        issue_permit(KEY, permit)


def test_the_key_is_private_lasts_and_is_one_for_all_who_ask_at_once(tmp_path: Path) -> None:
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(load_permit_key(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len({*keys, load_permit_key(tmp_path)}) == 1
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(keys[0]) == 32


def test_a_damaged_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "capture.key").write_bytes(b"short")
    with pytest.raises(SpoolError, match="damaged"):
        load_permit_key(tmp_path)
