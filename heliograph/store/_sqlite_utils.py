"""sqlite-utils without pandas: it imports pandas when there is one, only to know its number types.

That doubles the time until the first page stands, and nothing here hands such numbers to it. A name that is None
in `sys.modules` can't be imported (Python's import system, "The module cache"): sqlite-utils goes on without.
`Store.open` imports this module before there are other threads.
"""

from __future__ import annotations

import sys

_absent = "pandas" not in sys.modules
if _absent:
    sys.modules["pandas"] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database, Migrations
finally:
    if _absent:
        del sys.modules["pandas"]

__all__ = ["Database", "Migrations"]
