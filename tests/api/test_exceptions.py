"""One tree: everything httpx can raise is mapped, nothing is chained, all of it can be pickled."""

from __future__ import annotations

import inspect
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import thymia_api
from thymia_api import (
    NO_RETRY,
    AuthenticationError,
    ConnectionFailedError,
    InputIssue,
    InvalidInputError,
    InvalidRequestError,
    ModelRun,
    RequestTimeoutError,
    RunTimeoutError,
    ThymiaError,
    UnreadableResponseError,
    UploadRefusedError,
    ValidationIssue,
    _exceptions,
)

HTTPX_EXCEPTIONS = sorted(
    (
        kind
        for kind in vars(httpx).values()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__.startswith("httpx")
    ),
    key=lambda kind: kind.__name__,
)
NEVER_SENT = {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol}
CERTAINLY_SENT = {httpx.ReadTimeout, httpx.TooManyRedirects, httpx.HTTPStatusError}


def _make(kind: type[Exception], text: str) -> Exception:
    wanted = inspect.signature(kind).parameters
    if "response" in wanted:
        request = httpx.Request("GET", "http://x")
        return kind(text, request=request, response=httpx.Response(500))  # type: ignore[call-arg]
    return kind(text) if "message" in wanted else kind()


def test_the_list_of_httpx_exceptions_is_the_whole_one() -> None:
    from httpx import _exceptions as theirs

    assert {kind.__name__ for kind in HTTPX_EXCEPTIONS} == set(theirs.__all__)
    assert len(HTTPX_EXCEPTIONS) >= 28


@pytest.mark.parametrize("kind", HTTPX_EXCEPTIONS)
@pytest.mark.parametrize("operation", ["get_account", "upload_recording"])
def test_every_httpx_exception_is_mapped_into_the_tree_and_not_chained(
    make_client: Callable[..., Any], api_key: str, kind: type[Exception], operation: str
) -> None:
    text = f"broken {api_key} https://s/x?X-Amz-Signature=deadbeefcafe"

    def handler(request: httpx.Request) -> httpx.Response:
        raise _make(kind, text)

    client = make_client(handler, retry=NO_RETRY)
    arguments = ("https://s/x?X-Amz-Signature=deadbeefcafe", b"abc") if operation == "upload_recording" else ()
    with pytest.raises(ThymiaError) as caught:
        getattr(client, operation)(*arguments)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert api_key not in shown
    if operation == "upload_recording":
        assert "deadbeefcafe" not in str(error) + repr(error) + repr(vars(error))
    if issubclass(kind, httpx.InvalidURL):
        assert isinstance(error, InvalidInputError)
    elif issubclass(kind, httpx.DecodingError):
        assert isinstance(error, UnreadableResponseError)
    else:
        assert isinstance(error, ConnectionFailedError)
        assert isinstance(error, RequestTimeoutError) is issubclass(kind, httpx.TimeoutException)
        assert error.sent is (False if kind in NEVER_SENT else True if kind in CERTAINLY_SENT else None)
        assert kind.__name__ in str(error)


@pytest.mark.parametrize(
    "error",
    [
        InvalidInputError([InputIssue("a.b", "is bad")]),
        ConnectionFailedError("x", sent=None),
        RequestTimeoutError("x", sent=True),
        AuthenticationError("x", status=401, body="b", request_id="r", retry_after_s=1.5),
        InvalidRequestError("x", status=422, issues=[ValidationIssue(loc=("a", 1), msg="m", type="t")]),
        UploadRefusedError("x", status=403, earlier_attempt_may_have_arrived=True),
        UnreadableResponseError("x", body="{", status=200),
        RunTimeoutError("x", run=ModelRun(id="r", status="RUNNING"), timeout_s=3.0),
    ],
)
def test_an_error_survives_pickling_with_its_evidence(error: ThymiaError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error) != ""
    assert vars(copy) == vars(error) != {}


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    kinds = [
        kind for kind in vars(_exceptions).values() if inspect.isclass(kind) and issubclass(kind, ThymiaError)
    ]
    assert {kind.__name__ for kind in kinds} <= set(thymia_api.__all__)
    parents: list[str] = []
    drawn: dict[str, str] = {}
    for line in (_exceptions.__doc__ or "").splitlines():
        name = line.strip(" │├└─").split(" ")[0]
        if name.endswith("Error") and line.startswith("    "):
            depth = (len(line) - len(line.lstrip(" │├└─"))) // 4 - 1
            parents[depth:] = [name]
            if depth:
                drawn[name] = parents[depth - 1]
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in kinds if kind is not ThymiaError}


def test_invalid_input_is_a_value_error_too() -> None:
    assert issubclass(InvalidInputError, ValueError)
