"""Sentences that do not change with what happened: what scores are, what deleting does, why there is no image."""

from __future__ import annotations

from typing import Final

from heliograph.charts import LEVEL_NAMES

__all__ = [
    "DELETION_EXPLAINED",
    "DISCARDED",
    "DISCARD_ASKED",
    "DISCLAIMER",
    "HIGHER_IS_WORSE",
    "IMAGE_BUSY",
    "IMAGE_FAILED",
    "IMAGE_HELP",
    "IMAGE_SLOW",
    "KEY_HELP",
    "LEVEL_WORDS",
    "NO_IMAGE_BROWSER",
    "POINT_IN_TIME",
    "PURGE_EXPLAINED",
    "RECORD_LEFT",
    "RESULT_EMPTY",
    "RESULT_GONE",
    "SANDBOX_BANNER",
    "SYNTHETIC_BADGE",
]

DISCLAIMER: Final = (
    "Helios is a wellness model, not a medical device. Scores are not diagnoses and must not guide treatment."
)
POINT_IN_TIME: Final = (
    "One recording shows a state at one point in time. Take a baseline over several sessions and read the trend."
)
HIGHER_IS_WORSE: Final = "Scores run from 0 to 1; higher is worse."
SANDBOX_BANNER: Final = (
    "**Sandbox: every score is synthetic and means nothing.** Settings say how to work with thymia."
)
RESULT_GONE: Final = "The result was deleted here when thymia deleted its own, as was chosen in Settings."
RESULT_EMPTY: Final = "thymia finished this run without any score. Fetch it again, or retry as a new run."
PURGE_EXPLAINED: Final = (
    "Off: results that were fetched stay here. On: for runs submitted with deletion, this workspace removes"
    " its own recording, results and transcript at the same time as thymia, 12 hours after completion."
)
KEY_HELP: Final = (
    "Set the environment variable `THYMIA_API_KEY` (and `THYMIA_REGION`), or write this into"
    " `.streamlit/secrets.toml`:"
)
DELETION_EXPLAINED: Final = (
    "The run, its scores, transcript, timeline and thymia's answers are removed from this workspace, and its"
    " recording too unless another run uses it. **Nothing changes at thymia**, and a run deleted here can't be"
    " found again: thymia has no list of runs."
)
DISCARD_ASKED: Final = "Discard this recording? It cannot be brought back."
DISCARDED: Final = "Discarded."
RECORD_LEFT: Final = "The recording ended when you left Record. It is kept: review it there."
IMAGE_HELP: Final = "180 mm wide, on white. Takes some seconds."
NO_IMAGE_BROWSER: Final = (
    "This server has no Chromium or Chrome to draw images with: install one, or use the camera button of the"
    " figure, which makes a PNG."
)
IMAGE_BUSY: Final = "The last image was not drawn because others were in front of it. Press again in a moment."
IMAGE_SLOW: Final = (
    "The last image took too long and was given up. Choose a shorter range, or use the camera button."
)
IMAGE_FAILED: Final = (
    "The last image could not be drawn: the server's Chromium did not start or broke off, and its log says why."
    " The camera button of the figure makes a PNG."
)
SYNTHETIC_BADGE: Final = "Synthetic scores"
LEVEL_WORDS: Final = (
    "Levels compare with people of the same age, birth sex and language: " + ", ".join(LEVEL_NAMES.values()) + "."
)
