"""Chromium for the benches: quiet, headless, and for the recorders with a microphone that plays a file."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from heliograph.__main__ import find_browser

FLAGS = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def launch(playwright: Playwright, microphone: Path | None = None) -> Browser:
    """Start one; the caller closes it."""
    flags = [*FLAGS, "--disable-gpu"]
    if microphone is not None:
        flags += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        flags += [f"--use-file-for-fake-audio-capture={microphone}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")
    return playwright.chromium.launch(executable_path=find_browser(), args=flags)
