"""`larouter.store.sql`: SQLite's own connection is what the store's statements need."""

import sqlite3

import pytest

from larouter.store.sql import Error, IntegrityError


def test_errors_are_those_that_the_driver_raises():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    connection.execute("INSERT INTO t VALUES (1)")

    with pytest.raises(IntegrityError):
        connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(Error):
        connection.execute("no statement")


def test_no_statement_is_sqlite_s_alone(store_sources):
    """What PostgreSQL does not know stands in nobody's statement."""
    foreign = ("INSERT OR ", "lastrowid", "strftime(", "json_extract", "PRAGMA ", "sqlite_master")
    allowed = {"sql.py", "sqlite.py", "backups.py", "damage.py", "compact.py"}
    found = [
        (name, word)
        for name, text in store_sources.items()
        if name not in allowed
        for word in foreign
        if word in text
    ]

    assert found == []


@pytest.fixture
def store_sources(request):
    folder = request.config.rootpath / "larouter" / "store"
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.py"))}
