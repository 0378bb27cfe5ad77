"""Addresses, limits and time-outs of the API, each a named constant, and the checks of what a client is given."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import httpx

from thymia_api._value_errors import InputIssue, InvalidInputError

__all__ = ["API_KEY_HEADER", "BASE_URLS", "DEFAULT_TIMEOUT", "SANDBOX_FEATURE", "Region"]


class Region(StrEnum):
    """Where thymia keeps the data; a key belongs to one region."""

    DEFAULT = "default"
    CA = "ca"
    US = "us"


BASE_URLS: Final[dict[Region, str]] = {
    Region.DEFAULT: "https://api.thymia.ai",
    Region.CA: "https://ca.api.thymia.ai",
    Region.US: "https://us.api.thymia.ai",
}

API_KEY_HEADER: Final = "x-api-key"
USER_AGENT: Final = "thymia-api-python/1.0"

# The sandbox's account lists this feature and the real one does not: so synthetic scores can be told apart.
SANDBOX_FEATURE: Final = "sandbox-synthetic-scores"

DEFAULT_TIMEOUT: Final = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)

POLL_S: Final = 3.0
WAIT_TIMEOUT_S: Final = 600.0

UPLOAD_CHUNK_BYTES: Final = 64 * 1024

# A run with its transcript has some 10 kB. What is larger was not meant for us, and may not fill the memory.
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_MAX_PORT: Final = 65_535

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def resolve_base_url(region: Region | str, base_url: str | None) -> httpx.URL:
    """Return the address of the API without a slash at its end; `base_url` wins over `region`.

    Raises `InvalidInputError` for an unknown region and for an address that is not plain http(s): credentials, a
    query or a fragment in it would end up in log lines.
    """
    if base_url is None:
        try:
            return httpx.URL(BASE_URLS[Region(region)])
        except ValueError:
            names = ", ".join(repr(name.value) for name in Region)
            raise InvalidInputError([InputIssue("region", f"must be one of {names}")]) from None
    url = parse_url("base_url", base_url)
    if url.userinfo or url.query or url.fragment:
        raise InvalidInputError([InputIssue("base_url", "must not carry credentials, a query or a fragment")])
    return url.copy_with(raw_path=url.raw_path.rstrip(b"/") or b"/")


def parse_url(field: str, text: str) -> httpx.URL:
    """Return `text` as an absolute http(s) URL; the refusal names the field and does not quote the text."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > _MAX_PORT:
        raise InvalidInputError([InputIssue(field, "must be an absolute http:// or https:// address")])
    return url


def check_run_id(run_id: object) -> str:
    """Return the id as it goes into a path; anything that could change the path is refused.

    The documented form is a UUID; other plain ids are let through, so that a change at the service does no harm.
    """
    text = str(run_id)
    if not _RUN_ID.fullmatch(text):
        raise InvalidInputError([InputIssue("run_id", "must be the id that creating the run answered with")])
    return text
