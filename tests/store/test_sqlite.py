import sqlite3
from contextlib import closing

import pytest

from larouter.store.sqlite import SqliteFile, connect


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 1), ("busy_timeout", 5000)]
)
def test_a_connection_survives_kill_9(pragma, value, tmp_path):
    with closing(connect(tmp_path / "a.db")) as connection:
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


@pytest.mark.parametrize("name", ["with space", "50% off?", "a#b&c=d", "Käse"])
def test_a_database_may_lie_anywhere(name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()

    with closing(connect(folder / "larouter.db")) as connection:
        connection.execute("CREATE TABLE one (two)")

    assert [path.name for path in folder.iterdir()] == ["larouter.db"]


def test_a_read_only_connection_cannot_write(database):
    with (
        closing(connect(database, read_only=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM project")


def test_a_read_only_connection_makes_no_file(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "new.db", read_only=True)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_has_no_tables(tmp_path):
    assert SqliteFile(tmp_path / "new.db").tables() is None
    assert list(tmp_path.iterdir()) == []


def test_an_engine_to_write_with_makes_a_file_for_its_owner_alone(tmp_path):
    file = SqliteFile(tmp_path / "new.db")

    file.engine(read_only=False)
    file.created()

    assert file.path.stat().st_mode & 0o777 == 0o600
    assert str(file) == str(file.path)
