"""A real database for each test: migrated once, then copied."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from contextlib import closing

import pytest

from larouter.store.feed import Feed
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.reports import Reports
from larouter.store.rollups import Rollups
from larouter.store.runs import Run
from larouter.store.schema import migrate
from larouter.store.sqlite import SqliteFile
from larouter.store.writer import Writer
from tests import postgres as postgresql
from tests.store.bills import MODELS, NOON, Book

_SQLITE_ALONE = {
    "test_backups",
    "test_compact",
    "test_damage",
    "test_restore",
    "test_schema",
    "test_sql",
    "test_sqlite",
    "test_store",
    "test_tables",
    "test_writer",
}


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "fresh.db"
    migrate(SqliteFile(path))
    return path


def pytest_generate_tests(metafunc):
    """All that is about rows is proved on both databases."""
    if "database" in metafunc.fixturenames and "database_kind" in metafunc.fixturenames:
        alone = metafunc.module.__name__.rpartition(".")[2] in _SQLITE_ALONE
        alone = alone or metafunc.definition.get_closest_marker("sqlite")
        kinds = ["sqlite"] if alone else ["sqlite", "postgresql"]
        metafunc.parametrize("database_kind", kinds)


@pytest.fixture
def database(database_kind, request, tmp_path):
    if database_kind == "sqlite":
        fresh = request.getfixturevalue("fresh")
        return SqliteFile(shutil.copy(fresh, tmp_path / "larouter.db"))
    database = request.getfixturevalue("postgres")
    postgresql.empty(database)
    return database


@pytest.fixture
def file(database):
    """The file of SQLite's."""
    return database.path


@pytest.fixture
def writer(database):
    writer = Writer(database)
    # Coverage follows threads of `threading` by itself, and the writer's is not one of them.
    writer.run(lambda _: sys.settrace(threading.gettrace()))
    yield writer
    writer.close()


@pytest.fixture
def ask(database):
    """Ask the database as somebody else does: on a connection of its own, for what is committed."""

    def ask(sql, *parameters):
        with closing(database.connect(read_only=True)) as connection:
            return connection.execute(sql, parameters).fetchall()

    return ask


@pytest.fixture
def refuse_writes(database, writer):
    """From now on the database takes nothing."""
    statement = "PRAGMA query_only=1"
    if database.is_shared:
        statement = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"

    return lambda: writer.run(lambda connection: connection.execute(statement))


@pytest.fixture
def feed():
    return Feed()


@pytest.fixture
def rollups(writer):
    """Days begin at midnight in UTC, as this machine is there."""
    writer.batch = Rollups(lambda project_id: "UTC")
    return writer.batch


@pytest.fixture
def run(writer, rollups):
    return Run(writer, rollups)


@pytest.fixture
def book(writer, run, feed, rollups):
    prices = record_prices(writer, MODELS)
    ledger = Ledger(writer, run_id=run.id, price_versions=prices, feed=feed, rollups=rollups)
    return Book(writer, ledger)


@pytest.fixture
def zone(monkeypatch):
    """Put this machine into a time zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("Windows has one zone for all its processes")

    def move(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    move("UTC")
    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def clock():
    return [NOON / 1000]


@pytest.fixture
def reports(database, clock, zone):
    return Reports(database, clock=lambda: clock[0])


@pytest.fixture
def move(writer, rollups):
    """Put an attempt and its request to another time; the request took that long."""

    def move(attempt, started_ms, took_ms=40):
        def job(connection):
            connection.execute(
                "UPDATE attempt SET started_ms=?, ended_ms=? WHERE id=?",
                (started_ms, started_ms + took_ms, attempt.id),
            )
            connection.execute(
                "UPDATE request SET started_ms=?, ended_ms=ended_ms - ended_ms + ? WHERE id=?",
                (started_ms, started_ms + took_ms, attempt.request.id),
            )
            rollups.rebuild(connection)

        writer.run(job)

    return move


@pytest.fixture
def bill(book, move):
    """A request from start to end, at noon unless said otherwise."""

    def bill(*arguments, at=NOON, took_ms=40, **facts):
        attempt = book.bill(*arguments, **facts)
        move(attempt, at, took_ms)
        return attempt

    return bill
