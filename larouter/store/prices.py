"""Price versions: immutable rows, so that a bill never changes after the fact (TRUST B2, B13)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from larouter.core.catalog import Model, Price
from larouter.store.writer import Writer, now_ms


def record_prices(writer: Writer, models: Iterable[Model]) -> dict[str, int]:
    """Add a version for each price that is new; return the current one of each `provider/model`."""
    wanted = {model.key: _as_json(model.price) for model in models}

    def job(connection: sqlite3.Connection) -> dict[str, int]:
        rows = connection.execute("SELECT model, id, price FROM price_version ORDER BY id")
        newest = {model: (version, price) for model, version, price in rows}
        versions = {}
        for model, price in wanted.items():
            version, known = newest.get(model, (None, None))
            if version is None or known != price:
                version = connection.execute(
                    "INSERT INTO price_version (model, effective_ms, price) VALUES (?,?,?)",
                    (model, now_ms(), price),
                ).lastrowid
            assert version is not None
            versions[model] = version
        return versions

    return writer.run(job)


def _as_json(price: Price) -> str:
    def text(value: object) -> str | None:
        return None if value is None else str(value)

    return json.dumps(
        {
            "input": text(price.input),
            "output": text(price.output),
            "cache_read": text(price.cache_read),
            "cache_write": text(price.cache_write),
            "source": price.source,
            "date": text(price.date),
        }
    )
