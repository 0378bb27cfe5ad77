"""How SQLite would carry a query out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heliograph.store import Store


def explain(store: Store, sql: str, parameters: Mapping[str, Any]) -> list[str]:
    """The lines of SQLite's plan."""
    with store.read() as db:
        return [row[3] for row in db.conn.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
