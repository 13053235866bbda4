import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import gevent
import pytest

from larouter.core.errors import StorageDown
from larouter.store.postgres import Postgres, translated
from larouter.store.schema import head, migrate
from larouter.store.writer import Writer
from tests import postgres as postgresql


@pytest.fixture
def database(postgres):
    postgresql.empty(postgres)
    return postgres


@pytest.fixture
def connection(database):
    with closing(database.connect()) as connection:
        yield connection


def test_a_statement_is_told_in_the_driver_s_words():
    assert translated("SELECT a % 3, :b_c FROM t WHERE d = ?") == (
        "SELECT a %% 3, %(b_c)s FROM t WHERE d = %s"
    )


def test_a_cast_is_no_value():
    assert translated("SELECT a::text, ?") == "SELECT a::text, %s"


def test_its_name_has_no_password():
    database = Postgres("postgresql://me:secret@db.example:5433/bills?sslmode=require")

    assert str(database) == "postgresql://db.example:5433/bills"


@pytest.mark.parametrize(
    ("sql", "values", "found"),
    [
        ("SELECT sum(x) FROM (VALUES (?::bigint), (?::bigint)) AS t(x)", (2**62, 5), 2**62 + 5),
        ("SELECT CAST(? AS BIGINT)", (True,), 1),
        ("SELECT 7 % 4", (), 3),
        ("SELECT CAST(? AS TEXT)", ("a\0b",), "a\ufffdb"),
        ("SELECT CAST(? AS TEXT) IS NULL", (None,), True),
        ("SELECT 1.5", (), 1.5),
    ],
)
def test_values_are_those_that_sqlite_gives(sql, values, found, connection):
    assert connection.execute(sql, values).fetchone() == (found,)


def test_a_name_that_is_taken_is_an_integrity_error(connection):
    row = "INSERT INTO project (id, name, created_ms) VALUES (?,?,?)"
    connection.execute(row, ("prj_1", "notes", 1))

    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(row, ("prj_2", "notes", 1))


def test_nonsense_is_an_error(connection):
    with pytest.raises(sqlite3.OperationalError, match="syntax"):
        connection.execute("nonsense")


def test_nobody_there_is_storage_down(tmp_path):
    with pytest.raises(StorageDown, match="LAROUTER_DATABASE_URL"):
        migrate(Postgres(f"postgresql:///larouter?host={tmp_path}"))


def test_what_only_reads_cannot_write(database):
    with (
        closing(database.connect(read_only=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="read-only"),
    ):
        connection.execute("DELETE FROM setting")


def test_text_is_ordered_by_code_point(connection):
    for name in ("b", "B", "_", "a", "ä"):
        connection.execute("INSERT INTO setting (name, value) VALUES (?, '')", (name,))
    rows = connection.execute("SELECT name FROM setting ORDER BY name").fetchall()

    assert [name for (name,) in rows] == ["B", "_", "a", "b", "ä"]


def test_a_text_may_be_as_long_as_in_sqlite(connection):
    name = "x" * 5_000
    connection.execute("INSERT INTO setting (name, value) VALUES (?, 'y')", (name,))

    assert connection.execute("SELECT name FROM setting").fetchone() == (name,)


def test_writers_come_one_after_another(database):
    """Both read and then write; neither sees what the other has half done."""
    writers = [Writer(database), Writer(database)]
    writers[0].run(lambda c: c.execute("INSERT INTO setting VALUES ('count', '0')"))

    def add(connection):
        (count,) = connection.execute("SELECT value FROM setting").fetchone()
        gevent.sleep(0)
        connection.execute("UPDATE setting SET value=?", (str(int(count) + 1),))

    tasks = [gevent.spawn(writers[i % 2].run, add) for i in range(100)]
    gevent.joinall(tasks, timeout=60, raise_error=True)
    found = writers[0].run(lambda c: c.execute("SELECT value FROM setting").fetchone())
    for writer in writers:
        writer.close()

    assert found == ("100",)


def test_a_lost_connection_is_made_anew(database, connection):
    writer = Writer(database)
    (pid,) = writer.run(lambda c: c.execute("SELECT pg_backend_pid()").fetchone())
    connection.execute("SELECT pg_terminate_backend(?)", (pid,))

    with pytest.raises(StorageDown):
        writer.run(lambda c: c.execute("SELECT 1"))
    again = writer.run(lambda c: c.execute("SELECT 1").fetchone())
    writer.close()

    assert again == (1,)


def test_two_that_start_at_once_migrate_once(database):
    with closing(database.connect()) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    script = (
        "from larouter.store.schema import migrate; from larouter.store.postgres import Postgres;"
        f"migrate(Postgres({database.url!r}))"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).resolve().parents[2])
        for _ in range(2)
    ]

    assert [start.wait(60) for start in starts] == [0, 0]
    with closing(database.connect()) as connection:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert rows == [(head(),)]
