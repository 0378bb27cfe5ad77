"""What each method sends and how each answer is read, for both clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
import stamina

from thymia_api import (
    ActivityRunCreate,
    AuthenticationError,
    InvalidInputError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    Region,
    RequestTimeoutError,
    RunStatus,
    ServerError,
    StatusError,
    UnreadableResponseError,
    UploadRunCreate,
)

USER = {"user_label": "p-01 ✓", "date_of_birth": "1990-08-01", "birth_sex": "FEMALE"}
RUN_ID = "0b6e2f0c-7d1f-4a83-9d2e-94d0c8f4f001"


def _answer(request: httpx.Request) -> httpx.Response:
    path = request.url.path.removeprefix("/proxy")
    if path == "/v1/account":
        return httpx.Response(200, json={"id": "acc", "features": ["a"]})
    if request.method == "POST" and path == "/v1/models/mental-wellness":
        return httpx.Response(200, json={"id": RUN_ID, "recordingUploadUrl": "https://s/x?sig=1"})
    if request.method == "POST" and path == "/v1/models/mental-wellness-activity":
        return httpx.Response(200, json={"id": RUN_ID, "activityLink": "https://a/x"})
    if path == f"/v1/models/mental-wellness/{RUN_ID}":
        return httpx.Response(200, json={"id": RUN_ID, "status": "RUNNING"})
    return httpx.Response(404)


def test_every_method_sends_its_request_and_reads_its_answer(
    make_client: Callable[..., Any], api_key: str
) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _answer(request)

    client = make_client(handler)
    assert client.get_account().features == ("a",)
    created = client.create_upload_run(UploadRunCreate(user=USER, language="en"))
    assert (created.id, created.recording_upload_url) == (RUN_ID, "https://s/x?sig=1")
    started = client.create_activity_run(ActivityRunCreate(user=USER, language="en", activity_type="x"))
    assert started.activity_link == "https://a/x"
    assert client.get_run(UUID(RUN_ID)).status is RunStatus.RUNNING
    assert json.loads(client.get_run(RUN_ID).body) == {"id": RUN_ID, "status": "RUNNING"}

    assert all(request.headers["x-api-key"] == api_key for request in seen)
    assert {request.url.host for request in seen} == {"api.thymia.ai"}
    assert seen[1].headers["content-type"] == "application/json"
    assert json.loads(seen[1].content)["user"]["userLabel"] == "p-01 ✓"
    assert json.loads(seen[2].content)["activityType"] == "x"


@pytest.mark.parametrize(
    ("region", "host"),
    [("default", "api.thymia.ai"), (Region.CA, "ca.api.thymia.ai"), ("us", "us.api.thymia.ai")],
)
def test_a_region_chooses_the_host(make_client: Callable[..., Any], region: str, host: str) -> None:
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return _answer(request)

    make_client(handler, region=region).get_account()
    assert hosts == [host]


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9/proxy", "http://127.0.0.1:9/proxy/"])
def test_a_base_url_wins_over_the_region_and_may_have_a_path(
    make_client: Callable[..., Any], base_url: str
) -> None:
    client = make_client(_answer, base_url=base_url, region="us")
    assert client.get_account().id == "acc"
    assert client.client.base_url == "http://127.0.0.1:9/proxy"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"region": "eu"}, "region"),
        ({"base_url": "api.thymia.ai"}, "base_url"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "http://"}, "base_url"),
        ({"base_url": "http://[::"}, "base_url"),
        ({"base_url": "https://me:secret@x"}, "base_url"),
        ({"base_url": "https://x/?secret=1"}, "base_url"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "secret key"}, "api_key"),
        ({"api_key": "secret\r\nx: y"}, "api_key"),
        ({"api_key": "secrét"}, "api_key"),
        ({"api_key": None}, "api_key"),
    ],
)
def test_a_bad_option_is_refused_by_name_and_without_quoting_it(
    make_client: Callable[..., Any], options: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: ") as caught:
        make_client(_answer, **options)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("run_id", ["", "../account", "a/b", "a?b", "a%2fb", "a b", "é", "x" * 129])
def test_a_run_id_that_would_change_the_path_never_leaves(make_client: Callable[..., Any], run_id: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    with pytest.raises(InvalidInputError, match=r"^run_id: "):
        make_client(handler).get_run(run_id)


def test_a_request_of_the_wrong_kind_never_leaves(make_client: Callable[..., Any]) -> None:
    client = make_client(lambda request: pytest.fail(str(request.url)))
    with pytest.raises(InvalidInputError, match=r"^request: must be a UploadRunCreate"):
        client.create_upload_run(ActivityRunCreate(user=USER, language="en"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, StatusError),
        (401, AuthenticationError),
        (403, StatusError),
        (404, NotFoundError),
        (422, InvalidRequestError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
        (304, StatusError),
    ],
)
def test_every_error_status_has_its_exception_with_the_evidence(
    make_client: Callable[..., Any], status: int, kind: type[StatusError]
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text="why", headers={"x-request-id": "q-7", "retry-after": "61"})

    with pytest.raises(StatusError, match=f"GET /v1/account was answered {status}") as caught:
        make_client(handler).get_account()
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.body, error.request_id, error.retry_after_s) == (status, "why", "q-7", 61.0)


def test_the_issues_of_a_422_are_listed(make_client: Callable[..., Any]) -> None:
    detail = [{"loc": ["body", "tags", 0, "name"], "msg": "too long", "type": "x", "input": "private"}]

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"detail": detail})

    with pytest.raises(InvalidRequestError, match=r"body\.tags\.0\.name: too long") as caught:
        make_client(handler).get_account()
    assert caught.value.issues[0].loc == ("body", "tags", 0, "name")
    assert "private" not in str(caught.value)


@pytest.mark.parametrize("body", ["", "no", '{"detail": "no"}', '{"detail": [1]}', "[]"])
def test_a_422_of_another_shape_is_still_a_422(make_client: Callable[..., Any], body: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        make_client(lambda request: httpx.Response(422, text=body)).get_account()
    assert (caught.value.issues, caught.value.body) == ((), body)


@pytest.mark.parametrize("content", [b"", b'{"id": "r", "fea', b"<html>", b"\xff\xfe", b'{"id": "r"}'])
def test_an_unreadable_answer_is_asked_for_again_and_then_raised_with_its_body(
    make_client: Callable[..., Any], content: bytes
) -> None:
    calls = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(200, content=content)

    with pytest.raises(UnreadableResponseError) as caught:
        make_client(handler).get_account()
    assert caught.value.body == content.decode("utf-8", "replace")
    assert caught.value.status == 200
    assert len(calls) == 4


def test_an_unreadable_answer_to_a_create_is_raised_at_once(make_client: Callable[..., Any]) -> None:
    calls = []

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(200, text='{"id": "r", "recordingUp')

    with pytest.raises(UnreadableResponseError):
        make_client(handler).create_upload_run(UploadRunCreate(user=USER, language="en"))
    assert len(calls) == 1


def test_a_broken_content_encoding_is_an_unreadable_answer(
    make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    server = make_server((200, {"content-encoding": "gzip"}, b"not gzip"))
    with pytest.raises(UnreadableResponseError):
        make_client(base_url=server.url).get_account()


def test_the_time_limit_is_the_one_that_was_given(
    make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    server = make_server((200, {"content-length": "100"}, b"{"))
    with stamina.set_testing(True, attempts=1), pytest.raises(RequestTimeoutError) as caught:
        make_client(base_url=server.url, timeout=0.2).get_account()
    assert caught.value.sent is True
