"""The page behind an activity link: one self-contained document under a strict content policy."""

from __future__ import annotations

import html
import secrets
from enum import StrEnum
from functools import cache
from importlib import resources
from string import Template

from fastapi import Response

from thymia_api.sandbox._rows import RunRow

ACTIVITY_VALID_S = 7 * 24 * 3600
"""How long an activity link can be used, in seconds on the sandbox's clock; thymia documents no figure."""


class PageState(StrEnum):
    """What an activity link leads to."""

    OPEN = "open"
    FINISHED = "finished"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, run: RunRow | None, now_s: float) -> PageState:
        """State of the activity of `run` at virtual second `now_s`."""
        if run is None:
            return cls.UNKNOWN
        if run.run_s is not None:
            return cls.FINISHED
        is_expired = run.activity_expires_s is not None and now_s >= run.activity_expires_s
        return cls.EXPIRED if is_expired else cls.OPEN


_HTTP_STATUS = {PageState.OPEN: 200, PageState.FINISHED: 200, PageState.EXPIRED: 410, PageState.UNKNOWN: 404}


def respond_page(run: RunRow | None, state: PageState) -> Response:
    """The page as an answer. All that comes from a request is escaped; nothing loads from anywhere else."""
    nonce = secrets.token_urlsafe(16)
    language = str(run.request["language"]) if run is not None else "en"
    activity = str(run.request.get("activityType") or "") if run is not None else ""
    passage_language, passage = _load_passage(language)
    content = Template(_load("activity.html")).substitute(
        nonce=nonce,
        style=_load("activity.css"),
        script=_load("activity.js"),
        state=state.value,
        activity=html.escape(activity or "Reading aloud"),
        label=html.escape(run.user_label if run is not None else ""),
        passage_language=html.escape(passage_language),
        passage="".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in passage),
    )
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self';"
        " media-src blob:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "permissions-policy": "microphone=(self), camera=(), geolocation=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(content, _HTTP_STATUS[state], headers, media_type="text/html")


@cache
def _load(name: str) -> str:
    return resources.files("thymia_api.sandbox").joinpath(name).read_text(encoding="utf-8")


@cache
def _load_passage(language: str) -> tuple[str, tuple[str, ...]]:
    short = language.partition("-")[0]
    passages = dict(_read_passages())
    return (language, passages[short]) if short in passages else ("en", passages["en"])


def _read_passages() -> list[tuple[str, tuple[str, ...]]]:
    blocks = _load("passages.txt").strip().split("\n== ")
    read = []
    for block in blocks:
        name, _, text = block.removeprefix("== ").partition("\n")
        read.append((name.strip(), tuple(text.strip().split("\n\n"))))
    return read
