"""A sandbox as a process of its own, as `python -m thymia_api.sandbox` runs it."""

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
KEY = "test-key"
USER = {"userLabel": "P001", "dateOfBirth": "1990-01-01", "birthSex": "FEMALE"}
BODY = {"user": USER, "language": "en-GB"}
RUNS = "/v1/models/mental-wellness"
ACTIVITY_RUNS = "/v1/models/mental-wellness-activity"


class SandboxProcess:
    """A running sandbox on a free port; a context manager that ends it."""

    def __init__(self, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "thymia_api.sandbox",
            "--api-key",
            KEY,
            "--port",
            "0",
            "--inspect",
        ]
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"the sandbox did not start: {self.kill()}"
        self.url = found[0]
        self.client = httpx.Client(base_url=self.url, headers={"x-api-key": KEY}, timeout=20)

    def __enter__(self) -> "SandboxProcess":
        return self

    def __exit__(self, *raised: object) -> None:
        self.kill()

    def kill(self) -> str:
        """End the process at once, as a power cut would; what it wrote to stderr."""
        if hasattr(self, "client"):
            self.client.close()
        self.process.kill()
        return self.process.communicate(timeout=10)[1]

    def create(self, **fields: object) -> tuple[str, str]:
        """A new upload run: its id and upload URL."""
        created = self.client.post(RUNS, json={**BODY, **fields}).raise_for_status().json()
        return created["id"], created["recordingUploadUrl"]

    def wait(self, run_id: str, *, timeout_s: float = 20) -> dict[str, object]:
        """The run once it is complete."""
        return wait_for(self.client, run_id, timeout_s=timeout_s)

    def inspect(self) -> dict[str, dict[str, object]]:
        """What was done with every run, by id."""
        return {run["id"]: run for run in self.client.get("/_sandbox/runs").raise_for_status().json()["runs"]}


def wait_for(client: httpx.Client, run_id: str, *, timeout_s: float = 20) -> dict[str, object]:
    """Ask for a run until it is complete."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        run: dict[str, object] = client.get(f"{RUNS}/{run_id}").raise_for_status().json()
        if str(run["status"]).startswith("COMPLETE"):
            return run
        time.sleep(0.05)
    raise AssertionError(f"run {run_id} is not complete after {timeout_s} s: {run}")
