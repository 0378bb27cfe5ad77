"""Names of takes in pieces that were kept or discarded: what still arrives of them is told so.

A mark is made before the take's folder is removed, so that what a killed process left of it is offered to nobody.
"""

import time
from pathlib import Path

from .chunk_files import sync_folder

_FOLDER = ".settled"
_DISCARDED = "discarded"
_KEPT_FOR_S = 30 * 86_400.0


def is_settled(spool_folder: Path, token: str) -> bool:
    """Whether a take in pieces was kept or discarded: nothing can be added to it any more."""
    return (spool_folder / _FOLDER / token).exists()


def is_discarded(spool_folder: Path, token: str) -> bool:
    """Whether somebody discarded it, so that nobody wants what its browser still has of it."""
    try:
        return (spool_folder / _FOLDER / token).read_text(encoding="ascii") == _DISCARDED
    except (OSError, ValueError):
        return False


def mark_settled(spool_folder: Path, token: str, *, discarded: bool) -> None:
    """Note that a take was kept or discarded, whichever came first; the note survives a power cut on return."""
    folder = spool_folder / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    mark = folder / token
    if not mark.exists():
        mark.touch(mode=0o600)
        mark.write_text(_DISCARDED if discarded else "", encoding="ascii")
    sync_folder(folder)


def forget_settled(spool_folder: Path) -> None:
    """Drop the marks of long ago; no browser keeps a recording for so long."""
    for mark in (spool_folder / _FOLDER).glob("*"):
        if time.time() - mark.stat().st_mtime > _KEPT_FOR_S and not (spool_folder / mark.name).exists():
            mark.unlink(missing_ok=True)


__all__ = ["forget_settled", "is_discarded", "is_settled", "mark_settled"]
