"""Names of takes in pieces that were kept or discarded: what still arrives of them is told so.

A mark is made before the take's folder is removed, so that what a killed process left of it is offered to nobody.
"""

import time
from pathlib import Path

from .chunk_files import sync_folder

_FOLDER = ".settled"
_KEPT_FOR_S = 400 * 86_400.0  # A browser may keep a recording for very long.


def is_settled(spool_folder: Path, token: str) -> bool:
    """Whether a take in pieces was kept or discarded: nothing can be added to it any more."""
    return (spool_folder / _FOLDER / token).exists()


def mark_settled(spool_folder: Path, token: str) -> None:
    """Note that a take was kept or discarded; the note survives a power cut on return."""
    folder = spool_folder / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / token).touch(mode=0o600)
    sync_folder(folder)


def forget_settled(spool_folder: Path) -> None:
    """Drop the marks of long ago."""
    for mark in (spool_folder / _FOLDER).glob("*"):
        if time.time() - mark.stat().st_mtime > _KEPT_FOR_S and not (spool_folder / mark.name).exists():
            mark.unlink(missing_ok=True)


__all__ = ["forget_settled", "is_settled", "mark_settled"]
