"""(d) From the start of the process to the first paint in Chromium, against an empty Streamlit app; idle cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

from tests.bench.browsers import launch
from tests.browser.servers import ROOT, free_port

ROUNDS = 5
IDLE_S = 30.0
EMPTY_APP = 'import streamlit as st\n\nst.title("Empty")\n'


def start(folder: Path, script: str, cwd: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    environment = {**os.environ, "HELIOGRAPH_HOME": str(folder)}
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def first_paint_s(browser: Browser, script: str, cwd: Path, heading: str) -> float:
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        began = time.perf_counter()
        process = start(Path(name), script, cwd, port)
        try:
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/_stcore/health", trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.02)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}")
            page.get_by_role("heading", name=heading, exact=True).wait_for()
            took = time.perf_counter() - began
            page.close()
            return took
        finally:
            process.terminate()
            process.wait()


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_share(browser: Browser) -> float:
    """Share of one core that the server uses while a page is open and nobody does anything."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        process = start(Path(name), "app.py", ROOT, port)
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/_stcore/health", trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}")
            page.get_by_role("heading", name="Overview", exact=True).wait_for()
            time.sleep(5)
            before = cpu_s(process.pid)
            time.sleep(IDLE_S)
            share = (cpu_s(process.pid) - before) / IDLE_S
            page.close()
            return share
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        browser = launch(playwright)
        empty = Path(name) / "empty.py"
        empty.write_text(EMPTY_APP)
        pairs = []
        for _ in range(ROUNDS):  # in turn, so that a machine that drifts drifts for both
            pairs.append(
                (
                    first_paint_s(browser, "app.py", ROOT, "Overview"),
                    first_paint_s(browser, "empty.py", Path(name), "Empty"),
                )
            )
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"start to first paint, Heliograph: {ours:5.2f} s")
        print(f"start to first paint, empty app : {theirs:5.2f} s")
        print(
            f"ratio (median of pairs)         : {statistics.median(a / b for a, b in pairs):5.2f} x (target 1.5)"
        )
        if Path("/proc/self/stat").exists():
            print(f"idle page open, server's share of a core: {100 * idle_share(browser):5.2f} % (target 1)")
        browser.close()


if __name__ == "__main__":
    main()
