import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.store import schema
from larouter.store.schema import head
from larouter.store.sqlite import SqliteFile, connect
from tests.store.bills import spoil_pages

SHIPPED = Path(schema.__file__).parent / "migrations"

NEXT = f"{int(head()) + 1:04}"

# A later version's own migration, without the two lines that say where it belongs.
ADDS_A_TABLE = """
from alembic import op
import sqlalchemy as sa


def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("UPDATE setting SET value = 'upgraded'")
"""


def migrate(path, *arguments):
    schema.migrate(SqliteFile(path), *arguments)


@pytest.fixture
def database(fresh, tmp_path):
    """The file itself."""
    return shutil.copy(fresh, tmp_path / "larouter.db")


@pytest.fixture
def later(tmp_path):
    """The migrations of a later LARouter; call it with the text of its new one."""

    def make(text):
        folder = tmp_path / "later"
        shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("__pycache__"))
        place = f'revision, down_revision = "{NEXT}", "{head()}"\n'
        (folder / "versions" / f"{NEXT}_later.py").write_text(place + text)
        return folder

    return make


def rows(path, sql):
    with closing(connect(path, read_only=True)) as connection:
        return connection.execute(sql).fetchall()


def change(path, sql):
    with closing(connect(path)) as connection:
        connection.execute(sql)


def tables(path):
    return {name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type='table'")}


def dump(path):
    with closing(connect(path, read_only=True)) as connection:
        return list(connection.iterdump())


def backups(path):
    return list(path.parent.glob("*-before-*"))


def refused(path, *arguments):
    with pytest.raises(StorageDown) as caught:
        migrate(path, *arguments)
    return caught.value.message


def test_a_new_database_is_brought_to_the_head(tmp_path):
    path = tmp_path / "larouter.db"

    migrate(path)

    assert rows(path, "SELECT version_num FROM alembic_version") == [(head(),)]
    assert tables(path) > {"project", "request", "attempt", "ledger_entry"}


def test_an_empty_file_is_a_new_database(tmp_path):
    path = tmp_path / "larouter.db"
    path.touch()

    migrate(path)

    assert "attempt" in tables(path)


def test_a_new_database_has_no_backup(fresh):
    assert backups(fresh) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_database_is_its_owners_only(tmp_path):
    path = tmp_path / "larouter.db"

    migrate(path)

    with closing(connect(path)) as connection:
        connection.execute("CREATE TABLE one (two)")
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}
    assert "larouter.db-wal" in modes


@pytest.mark.parametrize("name", ["with space", "50%(off)s?", "a#b&c=d", "Käse"])
def test_a_database_may_lie_anywhere(name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()

    migrate(folder / "larouter.db")

    assert [path.name for path in folder.iterdir()] == ["larouter.db"]


def test_a_current_database_stays_as_it_is(database):
    before = database.read_bytes()

    migrate(database)

    assert database.read_bytes() == before
    assert backups(database) == []


def test_a_start_without_a_migration_imports_no_alembic(database):
    script = (
        "import sys; from pathlib import Path; from larouter.store.schema import migrate;"
        "from larouter.store.sqlite import SqliteFile;"
        f"migrate(SqliteFile(Path({str(database)!r}))); print('alembic' in sys.modules)"
    )

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "False\n"


def test_the_head_is_the_highest_number(later):
    assert head(later(ADDS_A_TABLE)) == NEXT > head()


def test_an_older_database_is_upgraded(database, later):
    change(database, "INSERT INTO setting VALUES ('a', 'old')")

    migrate(database, later(ADDS_A_TABLE))

    assert "later" in tables(database)
    assert rows(database, "SELECT * FROM setting") == [("a", "upgraded")]


def test_a_backup_is_kept_before_an_upgrade(database, later, caplog):
    change(database, "INSERT INTO setting VALUES ('a', 'old')")
    before = dump(database)

    with caplog.at_level(logging.INFO, logger="larouter"):
        migrate(database, later(ADDS_A_TABLE))

    (copy,) = backups(database)
    assert dump(copy) == before
    assert str(copy) in caplog.text


def test_a_backup_holds_what_is_not_in_the_main_file_yet(database, later):
    with closing(connect(database)) as other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("INSERT INTO setting VALUES ('a', 'old')")

        migrate(database, later(ADDS_A_TABLE))

    assert rows(backups(database)[0], "SELECT * FROM setting") == [("a", "old")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_backup_is_its_owners_only(database, later):
    migrate(database, later(ADDS_A_TABLE))

    assert backups(database)[0].stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_is_not_upgraded(database, later):
    spoil_pages(database)
    before = database.read_bytes()

    with pytest.raises(DatabaseDamaged):
        migrate(database, later(ADDS_A_TABLE))

    assert database.read_bytes() == before
    assert backups(database) == []


def test_without_a_backup_there_is_no_upgrade(database, later):
    # So long a name that the copy's would be too long.
    path = database.rename(database.with_name(f"{'x' * 240}.db"))
    before = dump(path)

    message = refused(path, later(ADDS_A_TABLE))

    assert "no copy of it could be kept" in message
    assert dump(path) == before


@pytest.mark.parametrize(
    "fault", ["op.execute('nonsense')", "op.execute('INSERT INTO attempt DEFAULT VALUES')"]
)
def test_a_migration_that_fails_leaves_nothing_behind(fault, database, later):
    before = dump(database)

    message = refused(database, later(f"{ADDS_A_TABLE}    {fault}\n"))

    assert dump(database) == before
    assert len(backups(database)) == 1
    assert "could not be brought to this version's tables" in message


def test_a_first_migration_that_fails_can_be_tried_again(tmp_path, later):
    path = tmp_path / "larouter.db"
    refused(path, later(f"{ADDS_A_TABLE}    op.execute('nonsense')\n"))

    migrate(path)

    assert "attempt" in tables(path)


def test_a_newer_database_is_refused_and_left_as_it_is(database, later):
    migrate(database, later(ADDS_A_TABLE))
    before = dump(database)

    message = refused(database)

    assert "newer LARouter" in message
    assert dump(database) == before


def spoil_all(path):
    path.write_bytes(b"not a database at all\n" * 500)


def spoil_the_header(path):
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def spoil_the_schema(path):
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 3996 + path.read_bytes()[4096:])


def cut(path):
    path.write_bytes(path.read_bytes()[:4096])


@pytest.mark.parametrize("spoil", [spoil_all, spoil_the_header, spoil_the_schema, cut])
def test_a_corrupt_file_is_refused_and_left_as_it_is(spoil, database):
    spoil(database)
    before = database.read_bytes()

    message = refused(database)

    assert str(database) in message
    assert "left as it is" in message
    assert database.read_bytes() == before


def test_another_program_s_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE project (url TEXT)")

    message = refused(path)

    assert "is not LARouter's" in message
    assert tables(path) == {"project"}


@pytest.mark.parametrize("name", ["nowhere/larouter.db", "folder"])
def test_a_place_that_holds_no_file_is_storage_down(name, tmp_path):
    (tmp_path / "folder").mkdir()

    refused(tmp_path / name)


def test_two_that_start_at_once_migrate_once(tmp_path):
    path = tmp_path / "larouter.db"
    script = (
        "from pathlib import Path; from larouter.store.schema import migrate;"
        "from larouter.store.sqlite import SqliteFile;"
        f"migrate(SqliteFile(Path({str(path)!r})))"
    )

    starts = [
        subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).resolve().parents[2])
        for _ in range(2)
    ]

    assert [start.wait(20) for start in starts] == [0, 0]
    assert rows(path, "SELECT version_num FROM alembic_version") == [(head(),)]


@pytest.fixture
def first(tmp_path):
    """The migrations of the first LARouter."""
    folder = tmp_path / "first"
    shutil.copytree(
        SHIPPED, folder, ignore=shutil.ignore_patterns("__pycache__", "000[2-9]*", "00[1-9]*")
    )
    return folder


def test_projects_of_the_first_version_have_no_aliases(tmp_path, first):
    path = tmp_path / "larouter.db"
    migrate(path, first)
    change(path, "INSERT INTO project (id, name, created_ms) VALUES ('prj_1', 'site', 7)")

    migrate(path)

    assert rows(path, "SELECT id, name, aliases, unknown_model FROM project") == [
        ("prj_1", "site", "{}", None)
    ]
    assert len(backups(path)) == 1
