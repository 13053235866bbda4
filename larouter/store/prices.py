"""Price versions: immutable rows, so that a bill never changes after the fact (TRUST B2, B13)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count

from larouter.core.catalog import Model, Price
from larouter.core.price_table import price_table
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms


def record_prices(writer: Writer, models: Iterable[Model]) -> dict[str, int]:
    """Add a version for each price that is new; return the current one of each `provider/model`.

    A version holds from the moment it is written down, until the next one of its model.
    """
    wanted = {model.key: _as_json(model.price) for model in models}

    def job(connection: Connection) -> dict[str, int]:
        rows = connection.execute(
            "SELECT model, id, price, effective_ms FROM price_version ORDER BY id"
        ).fetchall()
        newest = {model: (version, price) for model, version, price, _ in rows}
        taken = {(model, since) for model, *_, since in rows}
        now = now_ms()
        versions = {}
        for model, price in wanted.items():
            version, known = newest.get(model, (None, None))
            if version is None or known != price:
                # Two changes in one millisecond are still two.
                since = next(ms for ms in count(now) if (model, ms) not in taken)
                (version,) = connection.execute(
                    "INSERT INTO price_version (model, effective_ms, price) VALUES (?,?,?) "
                    "RETURNING id",
                    (model, since, price),
                ).fetchone()
            versions[model] = version
        return versions

    return writer.run(job)


def _as_json(price: Price) -> str:
    table = price_table(price)
    table.pop("note", None)  # a remark; another one is not another price
    return json.dumps(table)
