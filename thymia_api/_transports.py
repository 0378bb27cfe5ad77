"""The last step before the network: where the API key and the signature of an upload URL come in.

Clients work with requests that hold neither. A request that is marked for the API gets the key here, and only if
it goes to the API's own scheme, host and port; a request for an upload is shown to httpx without its query and
gets the real address here. So what httpx logs, keeps on a response or attaches to an exception is free of both.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.request
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import httpx
from pydantic import SecretStr

from thymia_api._config import API_KEY_HEADER
from thymia_api._exceptions import InputIssue, InvalidInputError

KEY_MARK: Final = "thymia_api.send_key"
URL_MARK: Final = "thymia_api.real_url"

_KEY_FORM = re.compile(r"[!-~]{1,1024}")
_HIDDEN = "***"
_MIN_SECRET_CHARS = 8
_MIN_KEY_CHARS = 4


class ApiKey:
    """The key, kept from `repr`, comparison and pickling."""

    __slots__ = ("__value",)

    def __init__(self, value: str | SecretStr) -> None:
        self.__value = value.get_secret_value() if isinstance(value, SecretStr) else value

    def check(self) -> None:
        """Refuse what cannot be a header's value; apart from making, so that no frame of a traceback shows it."""
        if not isinstance(self.__value, str) or not _KEY_FORM.fullmatch(self.__value):
            problem = "must be printable ASCII without spaces or line breaks"
            raise InvalidInputError([InputIssue("api_key", problem)])

    def __repr__(self) -> str:
        return f"ApiKey({_HIDDEN})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key cannot be pickled or copied")

    def put_on(self, request: httpx.Request) -> None:
        """Set the key's header."""
        request.headers[API_KEY_HEADER] = self.__value

    def hide_in(self, text: str) -> str:
        """Return the text with every occurrence of the key replaced; one of a few characters would garble it."""
        return text.replace(self.__value, _HIDDEN) if len(self.__value) >= _MIN_KEY_CHARS else text


def hide_signature(url: httpx.URL, text: str) -> str:
    """Return the text without the query of a pre-signed URL, as a whole or value by value."""
    query = url.query.decode("ascii", "replace")
    secrets = {query, *(value for pair in query.split("&") for value in pair.partition("=")[2:])}
    secrets |= {value for _, value in url.params.multi_items()}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET_CHARS:
            text = text.replace(secret, _HIDDEN)
    return text


class RequestGuard:
    """Turns a marked request into the one that goes out."""

    def __init__(self, key: ApiKey, api_url: httpx.URL) -> None:
        self._key = key
        self._api_origin = _get_origin(api_url)

    def open(self, request: httpx.Request) -> httpx.Request:
        """Return a new request with the real address, or with the key if it is for the API and goes there."""
        marks = request.extensions
        real_url = marks.get(URL_MARK, request.url)
        outgoing = httpx.Request(
            request.method,
            real_url,
            headers=request.headers,
            stream=request.stream,
            extensions={name: value for name, value in marks.items() if name not in (KEY_MARK, URL_MARK)},
        )
        if marks.get(KEY_MARK) is True and _get_origin(outgoing.url) == self._api_origin:
            self._key.put_on(outgoing)
        return outgoing


def _get_origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class GuardedTransport(httpx.BaseTransport):
    """Passes every request through the guard; owns and closes the inner transport."""

    def __init__(self, inner: httpx.BaseTransport, guard: RequestGuard) -> None:
        self._inner = inner
        self._guard = guard

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._inner.__exit__(exc_type, exc_value, traceback)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(self._guard.open(request))

    def close(self) -> None:
        self._inner.close()


class AsyncGuardedTransport(httpx.AsyncBaseTransport):
    """The same for an asynchronous transport."""

    def __init__(self, inner: httpx.AsyncBaseTransport, guard: RequestGuard) -> None:
        self._inner = inner
        self._guard = guard

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._inner.__aexit__(exc_type, exc_value, traceback)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(self._guard.open(request))

    async def aclose(self) -> None:
        await self._inner.aclose()


# httpx reads proxy settings only for a client without a transport of its own; so they are read here.
def find_proxy(url: httpx.URL) -> str | None:
    """Return the proxy that the environment (or the system) names for this address, or None.

    This computer itself is always reached directly: a proxy would look for the address on its own.
    """
    if _is_this_computer(url.host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_this_computer(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class EnvironmentTransport(httpx.BaseTransport):
    """Goes direct or through the environment's proxy, whichever the address needs; one pool for each."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._routes: dict[str | None, httpx.HTTPTransport] = {None: httpx.HTTPTransport(**options)}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = find_proxy(request.url)
        if proxy not in self._routes:
            self._routes.setdefault(proxy, httpx.HTTPTransport(proxy=proxy, **self._options))
        return self._routes[proxy].handle_request(request)

    def close(self) -> None:
        for route in self._routes.values():
            route.close()


class AsyncEnvironmentTransport(httpx.AsyncBaseTransport):
    """The same for asynchronous clients."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._routes: dict[str | None, httpx.AsyncHTTPTransport] = {None: httpx.AsyncHTTPTransport(**options)}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        proxy = find_proxy(request.url)
        if proxy not in self._routes:
            self._routes[proxy] = httpx.AsyncHTTPTransport(proxy=proxy, **self._options)
        return await self._routes[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        for route in self._routes.values():
            await route.aclose()
