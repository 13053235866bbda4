"""Requests to write down: three models, one project, and short words for what happens to them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from itertools import count

from larouter.core.account import Outcome, Project, RequestRecord
from larouter.core.budget import Bound
from larouter.core.catalog import FREE, Model, Price
from larouter.core.chat import Usage
from larouter.core.route import Choice
from larouter.store.writer import now_ms

LOCAL = Model(id="starter", name="starter", provider="local", price=FREE)
CLOUD = Model(
    id="big",
    name="big-1",
    provider="openai",
    price=Price(input=Decimal("1.25"), output=Decimal(10), source="a page", date="2026-11-20"),
)
UNPRICED = Model(id="odd", name="odd", provider="custom")
MODELS = (LOCAL, CLOUD, UNPRICED)

USAGE = Usage(input=1000, output=100)
COST = 2_250_000
"""What `USAGE` costs with `CLOUD`, in nano-dollars."""
PROMPT, OUTPUT = 4_000, 400
HOLD = 9_000_000
"""What so long a prompt and so long an answer cost with `CLOUD` at most."""

HOUR = 3_600_000


def ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


NOON = ms("2026-11-22T12:00:00+00:00")

_numbers = count(1)


class Book:
    """The ledger, with defaults for what a test does not care about."""

    def __init__(self, writer, ledger):
        self.ledger = ledger
        self._writer = writer
        self.project = self.add_project("notes")

    def add_project(self, name):
        project = Project(id=f"prj_{name}", name=name, created_ms=now_ms())
        self._writer.run(
            lambda connection: connection.execute(
                "INSERT INTO project (id, name, created_ms) VALUES (?,?,?)",
                (project.id, project.name, project.created_ms),
            )
        )
        return project

    def record(self, **changes):
        number = next(_numbers)
        facts = {
            "id": f"req_{number:012}",
            "project": self.project,
            "asked": "auto",
            "tier": "FRONTIER",
            "stage": "rules",
            "score": 0.75,
            "reason": "code",
            "stream": True,
            "rid": None,
            "started_ms": now_ms(),
        }
        return RequestRecord(**{**facts, **changes})

    def reserve(
        self, model=CLOUD, *, prompt=PROMPT, output=OUTPUT, degraded=None, record=None, **changes
    ):
        record = record or self.record(**changes)
        bound = Bound(model.price, prompt, 1, output)
        return self.ledger.reserve(record, Choice(model=model, degraded=degraded), bound)

    def settle(self, attempt, state="settled", **outcome):
        outcome.setdefault("usage", USAGE if state in {"settled", "estimated"} else Usage())
        return self.ledger.settle(attempt, Outcome(state=state, **outcome))

    def bill(self, model=CLOUD, state="settled", *, outcome=None, **facts):
        """A request from start to end; return its attempt."""
        attempt = self.reserve(model, **facts)
        self.settle(attempt, state, **(outcome or {}))
        return attempt


def spoil_pages(path, tables=("attempt", "attempt_request", "request")):
    """Overwrite a page of each of these tables and indexes, as a bad disk does."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        marks = ",".join("?" * len(tables))
        roots = connection.execute(
            f"SELECT rootpage FROM sqlite_master WHERE name IN ({marks})",  # noqa: S608
            tables,
        ).fetchall()
    with path.open("r+b") as file:
        for (root,) in roots:
            file.seek((root - 1) * size)
            file.write(b"\xa5" * size)
