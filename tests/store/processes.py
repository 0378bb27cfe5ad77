"""Programs that tests run in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEAN = """
import sys
sys.modules["pandas"] = sys.modules["numpy"] = None  # sqlite-utils imports them if it can, which takes seconds
"""
"""The beginning of a program that a test runs in a process of its own."""


def run_together(program: str, arguments: Sequence[Sequence[str]]) -> list[tuple[str, str, int]]:
    """Runs `program` once for each list of arguments, all at the same moment: each says `ready` and waits for a
    line (`wait()`) before the part that matters. Returns what each then wrote to stdout and stderr, and its exit
    code."""
    wait = "def wait():\n    print('ready', flush=True)\n    sys.stdin.readline()\n"
    command = [sys.executable, "-W", "error", "-c", LEAN + wait + program]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([*command, *own], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT)
        for own in arguments
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [(*process.communicate(timeout=120), process.returncode) for process in processes]
