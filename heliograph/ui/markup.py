"""User text in places that read Markdown: it must appear as typed, and load and link nothing."""

from __future__ import annotations

import string
import unicodedata
from typing import Final

__all__ = ["escape"]

WORD_JOINER: Final = "\u2060"
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
ESCAPES: Final = {ord(char): f"\\{char}" for char in string.punctuation}


def escape(text: str) -> str:
    """`text` for a place that reads Markdown, shown as typed and on one line.

    Backslashes stop what the parser would read. Links without markup, emoji and icon short codes are found later,
    in the finished text, so an invisible word joiner is put where they begin. Directional controls become spaces,
    and right-to-left text is isolated so that it can't reorder the words around it.
    """
    plain = "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} else char for char in text)
    joined = plain
    for start in (":", "@", "www.", "WWW."):
        joined = joined.replace(
            start, start[:-1] + WORD_JOINER + start[-1:] if len(start) > 1 else start + WORD_JOINER
        )
    for arrow in ("->", "<-", "--"):
        joined = joined.replace(arrow, arrow[0] + WORD_JOINER + arrow[1])
    escaped = joined.translate(ESCAPES)
    rtl = any(unicodedata.bidirectional(char) in {"R", "AL"} for char in plain)
    return f"{FIRST_STRONG_ISOLATE}{escaped}{POP_ISOLATE}" if rtl else escaped
