"""Waiting for a run: the cadence, the time limit, the callback; on a clock of the test's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from thymia_api import (
    AsyncThymiaClient,
    InvalidInputError,
    NotFoundError,
    RunTimeoutError,
    ThymiaClient,
)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.sleeps: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now_s += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


@pytest.fixture
def make_waiter(
    make_client: Callable[..., Any], request: pytest.FixtureRequest
) -> Callable[..., tuple[Any, Time, list[httpx.Request]]]:
    """Return a factory of (client, time, requests) whose run goes through the given statuses; the last stays."""
    is_blocking = "blocking" in request.node.callspec.id.split("-")

    def make(*statuses: str) -> tuple[Any, Time, list[httpx.Request]]:
        left, time, requests = list(statuses), Time(), []

        def handler(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            status = left.pop(0) if len(left) > 1 else left[0]
            return (
                httpx.Response(404) if status == "404" else httpx.Response(200, json={"id": "r", "status": status})
            )

        sleep = time.sleep if is_blocking else time.sleep_async
        return make_client(handler, sleep=sleep, clock=time.clock), time, requests

    return make


@pytest.mark.parametrize("status", ["COMPLETE_OK", "COMPLETE_ERROR", "SOMETHING_NEW"])
def test_it_polls_every_three_seconds_until_the_run_is_neither_created_nor_running(
    make_waiter: Callable[..., Any], status: str
) -> None:
    client, time, requests = make_waiter("CREATED", "RUNNING", "RUNNING", status)
    assert client.wait_for_run("r").status == status
    assert time.sleeps == [3.0, 3.0, 3.0]
    assert len(requests) == 4


def test_the_callback_hears_of_the_first_state_and_of_every_change(make_waiter: Callable[..., Any]) -> None:
    client, _, _ = make_waiter("CREATED", "CREATED", "RUNNING", "RUNNING", "COMPLETE_OK")
    heard: list[str] = []
    client.wait_for_run("r", on_status=lambda run: heard.append(run.status))
    assert heard == ["CREATED", "RUNNING", "COMPLETE_OK"]


def test_the_last_poll_is_at_the_time_limit_and_the_error_has_the_last_state(
    make_waiter: Callable[..., Any],
) -> None:
    client, time, requests = make_waiter("RUNNING")
    with pytest.raises(RunTimeoutError, match="run r is still RUNNING after 10 s") as caught:
        client.wait_for_run("r", poll_s=4, timeout_s=10)
    assert time.sleeps == [4, 4, 2]
    assert len(requests) == 4
    assert (caught.value.run.status, caught.value.timeout_s) == ("RUNNING", 10)


def test_a_run_that_is_final_at_the_time_limit_is_returned(make_waiter: Callable[..., Any]) -> None:
    client, _, _ = make_waiter("RUNNING", "RUNNING", "COMPLETE_OK")
    assert client.wait_for_run("r", poll_s=5, timeout_s=7).is_ok


def test_no_time_to_wait_means_one_look(make_waiter: Callable[..., Any]) -> None:
    client, time, requests = make_waiter("CREATED")
    with pytest.raises(RunTimeoutError):
        client.wait_for_run("r", timeout_s=0)
    assert (time.sleeps, len(requests)) == ([], 1)


def test_a_run_that_is_gone_ends_the_wait(make_waiter: Callable[..., Any]) -> None:
    client, _, _ = make_waiter("RUNNING", "404")
    with pytest.raises(NotFoundError):
        client.wait_for_run("r")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"poll_s": 0}, "poll_s"),
        ({"poll_s": -1}, "poll_s"),
        ({"poll_s": float("nan")}, "poll_s"),
        ({"timeout_s": -1}, "timeout_s"),
        ({"timeout_s": float("nan")}, "timeout_s"),
    ],
)
def test_a_wait_that_makes_no_sense_is_refused_before_the_first_poll(
    make_waiter: Callable[..., Any], options: dict[str, float], field: str
) -> None:
    client, _, requests = make_waiter("RUNNING")
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        client.wait_for_run("r", **options)
    assert requests == []


@pytest.mark.parametrize("kind", [ThymiaClient, AsyncThymiaClient])
def test_the_documented_cadence_is_the_default(kind: type[Any]) -> None:
    assert inspect.signature(kind.wait_for_run).parameters["poll_s"].default == 3.0
