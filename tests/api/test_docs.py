"""Every example of the client's page runs, in order, against a local stand-in for the service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from thymia_api import _async_client, _client, _exceptions

PAGE = (Path(__file__).parents[2] / "docs" / "thymia_api.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

# What the examples print, in order, at least.
SAID = [
    "run-1\n0.41 0.33\n",
    "('helios',)\n",
    "https://activity.example/x\nRUNNING\nCOMPLETE_OK\n",
    "user.user_label - String should have at most 50 characters\n",
    "Stress 0.58 0.66\n",
    "8 of 8 bytes\n",
    "GET /v1/models/mental-wellness/00000000-0000-0000-0000-000000000000 was answered 404",
    "",
    "",
]


class Service:
    """Answers as the documented service does; the second look at a run finds it complete."""

    def __init__(self) -> None:
        self.looks = 0
        self.uploads: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.url.host == "storage.example":
            self.uploads.append(request.content)
            return httpx.Response(200)
        if request.headers.get("x-api-key") != "YOUR-API-KEY":
            return httpx.Response(401)
        if path == "/v1/account":
            assert request.url.host == "ca.api.thymia.ai"
            return httpx.Response(200, json={"id": "acc", "features": ["helios"]})
        if path == "/v1/models/mental-wellness-activity":
            return httpx.Response(200, json={"id": "run-1", "activityLink": "https://activity.example/x"})
        if request.method == "POST":
            return httpx.Response(
                200, json={"id": "run-1", "recordingUploadUrl": "https://storage.example/x?sig=1"}
            )
        if not path.endswith("run-1"):
            return httpx.Response(404)
        self.looks += 1
        if self.looks % 2:
            return httpx.Response(200, json={"id": "run-1", "status": "RUNNING"})
        section = {
            "startSecs": 0,
            "finishSecs": 30,
            "mentalStrain": {"value": 0.41},
            "distress": {"value": 0.33},
        }
        return httpx.Response(
            200, json={"id": "run-1", "status": "COMPLETE_OK", "results": {"sections": [section]}}
        )


def test_every_example_of_the_page_runs_and_prints_what_it_should(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = Service()
    monkeypatch.chdir(tmp_path)
    Path("session.flac").write_bytes(b"fLaC\0\0\0\0")
    monkeypatch.setattr(_client, "EnvironmentTransport", lambda: httpx.MockTransport(service))
    monkeypatch.setattr(_async_client, "AsyncEnvironmentTransport", lambda: httpx.MockTransport(service))
    for module in (_client, _async_client):
        monkeypatch.setattr(module.PollClock, "compute_wait", lambda self, run: 0.0)
    assert len(BLOCKS) == len(SAID)
    scope: dict[str, Any] = {}
    for number, (block, said) in enumerate(zip(BLOCKS, SAID, strict=True)):
        exec(compile(block, f"docs/thymia_api.md, example {number + 1}", "exec"), scope)
        printed = capsys.readouterr().out
        assert said in printed, (number, printed)
        assert (said == "") == (printed == ""), (number, printed)
    assert service.uploads == [b"fLaC\0\0\0\0"] * 2


def test_the_tree_of_errors_on_the_page_is_the_one_of_the_module() -> None:
    drawn = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert drawn is not None
    documented = [line.strip() for line in (_exceptions.__doc__ or "").splitlines()]
    assert [line.strip() for line in drawn[1].splitlines()] == [
        line for line in documented if re.match(r"ThymiaError|[│├└]", line)
    ]
