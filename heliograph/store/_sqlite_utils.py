"""sqlite-utils without pandas and numpy: it imports them where they are, only to know their number types.

That doubles the time until the first page stands, and nothing here hands such numbers to it. A name that is None
in `sys.modules` can't be imported (Python's import system, "The module cache"): sqlite-utils goes on without.
`Store.open` imports this module before there are other threads.
"""

from __future__ import annotations

import sys

_absent = [name for name in ("pandas", "numpy") if name not in sys.modules]
for _name in _absent:
    sys.modules[_name] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database, Migrations
finally:
    for _name in _absent:
        del sys.modules[_name]

__all__ = ["Database", "Migrations"]
