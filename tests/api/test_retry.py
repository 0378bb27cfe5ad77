"""What is tried again and what is not, and that `Retry-After` is obeyed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from thymia_api import (
    NO_RETRY,
    ConnectionFailedError,
    InvalidInputError,
    RateLimitedError,
    RetryPolicy,
    ServerError,
    StatusError,
    ThymiaError,
    UploadError,
    UploadRefusedError,
    UploadRunCreate,
)
from thymia_api._retry import parse_retry_after

RUN = UploadRunCreate(user={"user_label": "p", "date_of_birth": "1990-01-01", "birth_sex": "MALE"}, language="en")
CALLS = {
    "GET": lambda client: client.get_account(),
    "POST": lambda client: client.create_upload_run(RUN),
    "PUT": lambda client: client.upload_recording("https://s/x?sig=1", b"fLaC"),
}
GOOD = {
    "GET": lambda: httpx.Response(200, json={"id": "a", "features": []}),
    "POST": lambda: httpx.Response(200, json={"id": "r", "recordingUploadUrl": "https://s/x"}),
    "PUT": lambda: httpx.Response(200),
}
ANSWERS: dict[str, Callable[[], httpx.Response | Exception]] = {
    "429": lambda: httpx.Response(429),
    "429 after": lambda: httpx.Response(429, headers={"retry-after": "3"}),
    "503": lambda: httpx.Response(503),
    "503 after": lambda: httpx.Response(503, headers={"retry-after": "3"}),
    "500": lambda: httpx.Response(500),
    "500 after": lambda: httpx.Response(500, headers={"retry-after": "3"}),
    "502": lambda: httpx.Response(502),
    "408": lambda: httpx.Response(408),
    "400": lambda: httpx.Response(400),
    "401": lambda: httpx.Response(401),
    "403": lambda: httpx.Response(403),
    "404": lambda: httpx.Response(404),
    "422": lambda: httpx.Response(422),
    "301": lambda: httpx.Response(301, headers={"location": "/x"}),
    "429 far": lambda: httpx.Response(429, headers={"retry-after": "3600"}),
    "ConnectError": lambda: httpx.ConnectError("x"),
    "ConnectTimeout": lambda: httpx.ConnectTimeout("x"),
    "PoolTimeout": lambda: httpx.PoolTimeout("x"),
    "ReadTimeout": lambda: httpx.ReadTimeout("x"),
    "ReadError": lambda: httpx.ReadError("x"),
    "WriteError": lambda: httpx.WriteError("x"),
    "WriteTimeout": lambda: httpx.WriteTimeout("x"),
    "CloseError": lambda: httpx.CloseError("x"),
    "ProxyError": lambda: httpx.ProxyError("x"),
    "RemoteProtocolError": lambda: httpx.RemoteProtocolError("x"),
}
NEVER_RETRIED = {"400", "401", "403", "404", "422", "301", "429 far"}
POST_RETRIED = {"ConnectError", "ConnectTimeout", "PoolTimeout", "429 after", "503 after"}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("trouble", ANSWERS)
def test_get_and_put_are_repeated_and_post_only_when_it_cannot_create_a_second_run(
    make_client: Callable[..., Any], method: str, trouble: str
) -> None:
    calls: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        if len(calls) > 1:
            return GOOD[method]()
        answer = ANSWERS[trouble]()
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = make_client(handler)
    if trouble in (POST_RETRIED if method == "POST" else set(ANSWERS) - NEVER_RETRIED):
        CALLS[method](client)
        assert len(calls) == 2
        assert calls[0].content == calls[1].content
    else:
        with pytest.raises(ThymiaError):
            CALLS[method](client)
        assert len(calls) == 1


@pytest.mark.parametrize("method", CALLS)
def test_the_policy_ends_after_its_attempts_with_the_last_error(
    make_client: Callable[..., Any], method: str
) -> None:
    calls: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(503, headers={"retry-after": "0"}, text=str(len(calls)))

    with pytest.raises(StatusError) as caught:
        CALLS[method](make_client(handler, retry=RetryPolicy(attempts=3)))
    assert isinstance(caught.value, UploadError if method == "PUT" else ServerError)
    assert (len(calls), caught.value.body) == (3, "3")


@pytest.mark.parametrize("method", CALLS)
def test_without_retries_every_request_is_sent_once_even_in_the_test_mode_of_stamina(
    make_client: Callable[..., Any], method: str
) -> None:
    calls: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise httpx.ConnectError("x")

    client = make_client(handler, retry=NO_RETRY)
    with stamina.set_testing(True, attempts=5), pytest.raises(ConnectionFailedError):
        CALLS[method](client)
    assert len(calls) == 1


def test_a_retry_after_that_asks_for_too_long_is_handed_to_the_caller(make_client: Callable[..., Any]) -> None:
    client = make_client(lambda request: ANSWERS["429 far"]())  # type: ignore[arg-type,return-value]
    with pytest.raises(RateLimitedError) as caught:
        client.get_account()
    assert caught.value.retry_after_s == 3600


@pytest.mark.parametrize("form", ["seconds", "HTTP date"])
def test_the_wait_is_the_one_that_retry_after_asks_for(make_client: Callable[..., Any], form: str) -> None:
    moments: list[float] = []

    def handler(request: httpx.Request) -> httpx.Response:
        moments.append(time.monotonic())
        if len(moments) > 1:
            return GOOD["GET"]()
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        return httpx.Response(
            503, headers={"retry-after": "1" if form == "seconds" else format_datetime(at, usegmt=True)}
        )

    client = make_client(handler, retry=RetryPolicy(wait_initial_s=30, wait_max_s=30))
    with stamina.set_testing(False):
        client.get_account()
    waited = moments[1] - moments[0]
    assert 0.95 <= waited < 4


def test_retries_are_seen_by_the_hooks_of_stamina_and_show_no_key(
    make_client: Callable[..., Any], api_key: str
) -> None:
    seen: list[RetryDetails] = []
    set_on_retry_hooks([seen.append])
    try:
        with pytest.raises(ServerError):
            make_client(lambda request: httpx.Response(500)).get_account()
    finally:
        set_on_retry_hooks(None)
    assert [details.retry_num for details in seen] == [1, 2, 3]
    assert api_key not in repr(seen)


NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 13:00:30 +0100", 30.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("", None),
        (None, None),
        ("-1", None),
        ("soon", None),
        ("nan", None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, now=NOW) == seconds


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"attempts": 0}, "retry.attempts"),
        ({"total_s": 0}, "retry.total_s"),
        ({"wait_max_s": -1}, "retry.wait_max_s"),
        ({"total_s": float("nan")}, "retry.total_s"),
        ({"max_retry_after_s": float("inf")}, "retry.max_retry_after_s"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_by_name(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        RetryPolicy(**options)


def test_an_upload_refused_after_a_lost_answer_says_that_it_may_have_arrived(
    make_client: Callable[..., Any],
) -> None:
    answers: list[httpx.Response | Exception] = [httpx.ReadError("cut"), httpx.Response(409)]

    def handler(request: httpx.Request) -> httpx.Response:
        request.read()
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(UploadRefusedError, match="earlier attempt may have arrived") as caught:
        make_client(handler).upload_recording("https://s/x?sig=1", b"fLaC")
    assert caught.value.earlier_attempt_may_have_arrived
