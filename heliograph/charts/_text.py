"""User text inside a figure. Plotly reads labels, titles and hover text as a small HTML with links, and text
between dollar signs as TeX; what people typed must appear as typed."""

from __future__ import annotations

import html
import unicodedata

__all__ = ["escape_plotly"]

# Isolates keep right-to-left text from turning the words around it (Unicode Bidirectional Algorithm, UAX 9).
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


def escape_plotly(text: str, *, max_chars: int = 60) -> str:
    """`text` as Plotly shows it verbatim, on one line, cut with an ellipsis after `max_chars`."""
    # Zs stays; controls, line separators and bidirectional overrides become plain spaces.
    plain = "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} else char for char in text)
    if len(plain) > max_chars:
        plain = plain[: max_chars - 1].rstrip() + "…"
    escaped = html.escape(plain, quote=False).replace("$", "&#36;").replace("%", "&#37;")
    rtl = any(unicodedata.bidirectional(char) in {"R", "AL"} for char in plain)
    return f"{FIRST_STRONG_ISOLATE}{escaped}{POP_ISOLATE}" if rtl else escaped
