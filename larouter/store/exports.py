"""Everything that is kept of one project, as lines of JSON: for whoever moves it, or deletes it.

Off the hub, on read-only connections and a page at a time: however much there is, only a page of it
is in memory, and no read transaction stays open while a slow client takes its time (TRUST B16).
So what is written while an export runs may be in it or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gevent
import msgspec
from sqlalchemy import ColumnElement, Table, exists, select, tuple_

from larouter.core.account import Project
from larouter.store import db, reading_app
from larouter.store.sql import Database
from larouter.store.tables import AttemptRow, BudgetRow, Row, WebhookRow
from larouter.store.writer import now_ms

FORMAT = 1
"""Of the lines."""
PAGE = 1_000
"""Rows read at once."""
_BIG = 8
"""The same of rows that hold whole conversations."""

_encode = msgspec.json.Encoder().encode


def _own(table: Table, project_id: str) -> ColumnElement[bool]:
    return table.c.project_id == project_id


def _itself(table: Table, project_id: str) -> ColumnElement[bool]:
    return table.c.id == project_id


def _lasting(table: Table, project_id: str) -> ColumnElement[bool]:
    return (table.c.project_id == project_id) & (table.c.granted == 0)


def _of_attempt(table: Table, project_id: str) -> ColumnElement[bool]:
    return exists().where(AttemptRow.id == table.c.attempt_id, AttemptRow.project_id == project_id)


def _of_budget(table: Table, project_id: str) -> ColumnElement[bool]:
    return exists().where(BudgetRow.id == table.c.budget_id, BudgetRow.project_id == project_id)


def _told(table: Table, project_id: str) -> ColumnElement[bool]:
    """Of its budgets, or of spend that was unusual."""
    return _of_budget(table, project_id) | (table.c.of_project == project_id)


def _of_webhook(table: Table, project_id: str) -> ColumnElement[bool]:
    return exists().where(WebhookRow.id == table.c.webhook_id, WebhookRow.project_id == project_id)


def _charged(table: Table, project_id: str) -> ColumnElement[bool]:
    prices = select(AttemptRow.price_version).where(AttemptRow.project_id == project_id)
    return table.c.id.in_(prices.distinct())


class Part(NamedTuple):
    """The rows of one table that belong to a project."""

    table: str
    whose: Callable[[Table, str], ColumnElement[bool]] = _own
    hidden: tuple[str, ...] = ()
    """Columns that nobody can use elsewhere."""
    json: tuple[str, ...] = ()
    """Columns whose text is JSON: it is put in as it is."""
    page: int = PAGE


PARTS = (
    Part("project", _itself, json=("aliases", "policy")),
    Part("bearer", _lasting, hidden=("sha256", "granted")),
    Part("budget"),
    Part("budget_window", _of_budget),
    Part("alert", _told),
    Part("webhook", hidden=("secret", "lease_ms", "lease_by")),
    Part("webhook_delivery", _of_webhook, json=("body",)),
    Part("request", json=("numbers",)),
    Part("attempt"),
    Part("hold", _of_attempt),
    Part("ledger_entry", _of_attempt),
    Part("price_version", _charged, json=("price",)),
    Part("usage_quarter"),
    Part("usage_day"),
    Part("feedback"),
    Part("response", json=("input", "body"), page=_BIG),
)
LEFT_OUT = {
    "response_item": "an index of what is in 'response'",
    "idempotency_key": "hashes, for a day",
}
"""Tables with something of a project that say nothing that is not in another, and why."""


class Exports:
    """Asks the database."""

    def __init__(self, database: Database) -> None:
        self._app = reading_app(database)

    def lines(self, project: Project) -> Iterator[bytes]:
        """Whole lines, many at a time. The last one counts them: without it, something is missing.
        Columns are those of the database: times in Unix milliseconds, money in nano-dollars."""
        head = {"row": "export", "format": FORMAT, "created_ms": now_ms()}
        yield _encode({**head, "project_id": project.id, "project": project.name}) + b"\n"
        count = 0
        for part in PARTS:
            last: tuple[Any, ...] | None = None
            while True:
                found, last, text = self._page(part, project.id, last)
                count += found
                if found:
                    yield text
                if found < part.page:
                    break
        yield _encode({"row": "end", "rows": count}) + b"\n"

    def _page(
        self, part: Part, project_id: str, after: tuple[Any, ...] | None
    ) -> tuple[int, tuple[Any, ...] | None, bytes]:
        """How many rows come after that key, the key of the last of them, and their lines."""

        def work() -> tuple[int, tuple[Any, ...] | None, bytes]:
            with self._app.app_context():
                found = db.session.execute(_query(part, project_id, after)).all()
            table = _table(part)
            names = table.columns.keys()
            rows = [dict(zip(names, row, strict=True)) for row in found]
            last = tuple(rows[-1][key.name] for key in table.primary_key) if rows else None
            return len(rows), last, b"".join(_line(part, row) for row in rows)

        return gevent.get_hub().threadpool.apply(work)


def _table(part: Part) -> Table:
    return Row.metadata.tables[part.table]


def _query(part: Part, project_id: str, after: tuple[Any, ...] | None) -> Any:
    table = _table(part)
    keys = list(table.primary_key)
    query = select(table).where(part.whose(table, project_id)).order_by(*keys).limit(part.page)
    if after is None:
        return query
    # A single key is compared by itself, so that every database uses its index.
    return query.where(keys[0] > after[0] if len(keys) == 1 else tuple_(*keys) > after)


def _line(part: Part, row: dict[str, Any]) -> bytes:
    for column in part.hidden:
        del row[column]
    for column in part.json:
        if row[column] is not None:
            row[column] = msgspec.Raw(row[column].encode())
    return _encode({"row": part.table, **row}) + b"\n"
