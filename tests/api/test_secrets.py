"""The API key goes to the API alone; neither it nor an upload URL's signature shows up anywhere else."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from thymia_api import (
    ConnectionFailedError,
    InvalidInputError,
    RetryPolicy,
    StatusError,
    ThymiaError,
    UploadRefusedError,
    UploadRunCreate,
)

ACCOUNT = b'{"id": "a", "features": []}'
SIGNATURE = "AbC%2Fdef0123456789"
PLAIN_SIGNATURE = "AbC/def0123456789"
RUN = UploadRunCreate(user={"user_label": "p", "date_of_birth": "1990-01-01", "birth_sex": "MALE"}, language="en")


@pytest.fixture
def log_text() -> Iterator[Callable[[], str]]:
    """Everything that any logger says at any level, arguments and extras included."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.getMessage()} {vars(record)!r}")

    root, collector = logging.getLogger(), Collector(level=1)
    names = ["", "httpx", "httpcore", "httpcore.http11", "httpcore.connection", "stamina", "asyncio", "thymia_api"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(1)
    root.addHandler(collector)
    yield lambda: "\n".join(lines)
    root.removeHandler(collector)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_the_key_goes_to_the_api(
    make_client: Callable[..., Any], make_server: Callable[..., Any], api_key: str
) -> None:
    server = make_server((200, {}, ACCOUNT))
    make_client(base_url=server.url).get_account()
    make_client(base_url=server.url, api_key=SecretStr(api_key)).get_account()
    assert [received.headers["x-api-key"] for received in server.received] == [api_key] * 2


@pytest.mark.parametrize("where", ["another host", "the API's own host"])
def test_the_key_never_goes_to_an_upload_url(
    make_client: Callable[..., Any], make_server: Callable[..., Any], api_key: str, where: str
) -> None:
    api, storage = make_server((200, {}, ACCOUNT)), make_server((503, {}, b""), (200, {}, b""))
    target = storage if where == "another host" else api
    client = make_client(base_url=api.url)
    client.get_account()
    client.upload_recording(f"{target.url}/put?X-Amz-Signature={SIGNATURE}", b"abc")
    uploads = [received for received in target.received if received.method == "PUT"]
    assert uploads
    for received in uploads:
        assert api_key not in repr(received)
        assert "authorization" not in received.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed_by_calls_nor_by_uploads(
    make_client: Callable[..., Any], make_server: Callable[..., Any], status: int
) -> None:
    other = make_server((200, {}, ACCOUNT))
    server = make_server((status, {"location": f"{other.url}/v1/account?token=hidden"}, b""))
    client = make_client(base_url=server.url)
    with pytest.raises(StatusError, match="redirects are not followed") as caught:
        client.get_account()
    assert (caught.value.status, "hidden" in str(caught.value)) == (status, False)
    with pytest.raises(StatusError, match="redirects are not followed"):
        client.create_upload_run(RUN)
    with pytest.raises(UploadRefusedError, match="redirects are not followed"):
        client.upload_recording(f"{server.url}/put", b"abc")
    assert other.received == []
    assert len(server.received) == 3


def test_a_transport_that_sends_a_call_elsewhere_gets_no_key(api_key: str) -> None:
    from thymia_api._transports import KEY_MARK, ApiKey, RequestGuard

    guard = RequestGuard(ApiKey(api_key), httpx.URL("https://api.thymia.ai"))
    for url, is_api in [
        ("https://api.thymia.ai/v1/account", True),
        ("https://api.thymia.ai:443/v1/account", True),
        ("http://api.thymia.ai/v1/account", False),
        ("https://api.thymia.ai:8443/v1/account", False),
        ("https://api.thymia.ai.evil.example/v1/account", False),
    ]:
        outgoing = guard.open(httpx.Request("GET", url, extensions={KEY_MARK: True}))
        assert ("x-api-key" in outgoing.headers) is is_api, url
        assert "x-api-key" not in guard.open(httpx.Request("GET", url)).headers


def test_no_repr_copy_or_pickle_of_a_client_gives_the_key_away(
    make_client: Callable[..., Any], api_key: str
) -> None:
    client = make_client(lambda request: httpx.Response(500)).client
    assert repr(client) == f"<{type(client).__name__} of https://api.thymia.ai>"
    reached, todo = set(), [client]
    while todo:
        thing = todo.pop()
        assert api_key not in repr(thing)
        for value in getattr(thing, "__dict__", {}).values():
            if id(value) not in reached and type(value).__module__.split(".")[0] in ("thymia_api", "httpx"):
                reached.add(id(value))
                todo.append(value)
        for value in getattr(thing, "__dict__", {}).values():
            assert api_key not in repr(value)
    assert len(reached) > 5
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(client)
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(client._wire._key)


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"not json"),
        (401, {}, b"bad key: %(key)s"),
        (404, {}, b"%(key)s"),
        (422, {}, b'{"detail": [{"loc": ["header"], "msg": "%(key)s", "type": "t"}]}'),
        (429, {"retry-after": "0"}, b""),
        (500, {}, b"%(key)s"),
        (302, {"location": "http://x/"}, b""),
        (200, {"content-length": "900"}, b"cut"),
    ],
)
def test_no_error_traceback_local_variable_or_log_line_of_a_call_shows_the_key(
    make_client: Callable[..., Any],
    make_server: Callable[..., Any],
    api_key: str,
    log_text: Callable[[], str],
    answer: tuple[int, dict[str, str], bytes],
) -> None:
    status, headers, body = answer
    server = make_server((status, headers, body.replace(b"%(key)s", api_key.encode())))
    client = make_client(base_url=server.url, timeout=0.3)
    with pytest.raises(ThymiaError) as caught:
        client.get_account()
    _check_hidden(caught.value, [api_key])
    assert server.received[0].headers["x-api-key"] == api_key
    assert api_key not in log_text()
    assert "HTTP Request" in log_text() or "content-length" in headers


def _check_hidden(error: ThymiaError, secrets: list[str]) -> None:
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    own_frames = [frame for frame in report.stack if "/tests/" not in frame.filename]
    assert own_frames
    shown = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    shown += [repr(frame.locals) for frame in own_frames]
    shown.append(pickle.dumps(error).decode("latin-1"))
    for secret in secrets:
        assert not [text for text in shown if secret in text]
    assert error.__context__ is None


def test_no_error_of_a_refused_connection_shows_the_key(make_client: Callable[..., Any], api_key: str) -> None:
    client = make_client(base_url="http://127.0.0.1:1")
    with pytest.raises(ConnectionFailedError) as caught:
        client.create_upload_run(RUN)
    assert caught.value.sent is False
    _check_hidden(caught.value, [api_key])


@pytest.mark.parametrize("options", [{"api_key": "bad secret-0815"}, {"api_key": "secret-0815", "region": "x"}])
def test_a_client_that_cannot_be_made_leaves_its_key_in_no_local_variable(
    make_client: Callable[..., Any], options: dict[str, str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_client(lambda request: httpx.Response(200), **options)
    assert "0815" not in str(caught.value)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    own_frames = [frame for frame in report.stack if "/thymia_api/" in frame.filename]
    assert len(own_frames) > 1
    assert "0815" not in repr([frame.locals for frame in own_frames])


@pytest.mark.parametrize("status", [403, 500, 200])
def test_the_signature_of_an_upload_url_is_in_no_error_and_no_log_line(
    make_client: Callable[..., Any],
    make_server: Callable[..., Any],
    api_key: str,
    log_text: Callable[[], str],
    status: int,
) -> None:
    body = f"<SignatureProvided>{PLAIN_SIGNATURE}</SignatureProvided><Url>?X-Amz-Signature={SIGNATURE}</Url>"
    server = make_server((status, {}, body.encode()))
    client = make_client(base_url=server.url, retry=RetryPolicy(attempts=2))
    url = f"{server.url}/put?X-Amz-Expires=3600&X-Amz-Signature={SIGNATURE}"
    if status == 200:
        client.upload_recording(url, b"abc")
    else:
        with pytest.raises(StatusError) as caught:
            client.upload_recording(url, b"abc")
        error = caught.value
        shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        shown += pickle.dumps(error).decode("latin-1")
        assert SIGNATURE not in shown
        assert PLAIN_SIGNATURE not in shown
        assert "SignatureProvided" in error.body
    assert server.received[0].path.endswith(SIGNATURE)
    assert SIGNATURE not in log_text()
    assert PLAIN_SIGNATURE not in log_text()
    assert "/put" in log_text()


def test_a_refused_upload_connection_does_not_show_the_signature(make_client: Callable[..., Any]) -> None:
    with pytest.raises(ConnectionFailedError, match=r"PUT of the recording to 127\.0\.0\.1") as caught:
        make_client().upload_recording(f"http://127.0.0.1:1/put?X-Amz-Signature={SIGNATURE}", b"abc")
    assert SIGNATURE not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
