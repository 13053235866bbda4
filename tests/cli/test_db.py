"""`larouter db`: what a person does about the database, with and without a server."""

import os
import sqlite3
from contextlib import closing

import click
import pytest

from larouter.core.errors import BadRequest, LARouterError, Unavailable
from tests.serving import command
from tests.store.bills import spoil_pages


@pytest.fixture
def kept(alone):
    """A data folder with a database in it."""
    alone.run("projects", "create", "site")
    return alone


def change(home, sql):
    with closing(sqlite3.connect(home / "larouter.db", isolation_level=None)) as connection:
        connection.execute(sql)


def names(home):
    with closing(sqlite3.connect(home / "larouter.db")) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM project ORDER BY name")]


def test_without_a_database_there_is_nothing_to_do(alone):
    (alone.home / "larouter.db").unlink()
    for words in (("check",), ("backup",)):
        with pytest.raises(BadRequest, match="no database"):
            alone.run("db", *words)
    assert "There is no backup yet" in alone.run("db", "list").stdout
    with pytest.raises(BadRequest, match="There is no backup"):
        alone.run("db", "restore")


@pytest.mark.parametrize("full", [(), ("--full",)])
def test_a_whole_database_is_said_to_be_whole(kept, full):
    result = kept.run("db", "check", *full)

    assert "The database is whole and its books add up" in result.stdout
    assert result.stderr.splitlines() == [
        "looking through every page …",
        "comparing costs, entries and budgets …",
        "comparing sums and calls …",
    ]


def test_a_damaged_database_fails_the_check_and_stays(kept):
    path = kept.home / "larouter.db"
    spoil_pages(path)
    before = path.read_bytes()

    with pytest.raises(click.ClickException, match="left as it is"):
        kept.run("db", "check")

    assert path.read_bytes() == before


def test_sums_that_are_wrong_are_mended_by_another_command(kept):
    change(
        kept.home,
        "INSERT INTO usage_day VALUES ('p', '2026-01-01', 'SIMPLE', 'a/b', '', 1,1,1,1,1,1,1,1)",
    )

    with pytest.raises(click.ClickException, match="larouter usage rebuild"):
        kept.run("db", "check")


def test_a_backup_is_listed_and_brought_back(kept):
    made = kept.run("db", "backup").stdout
    path = made.partition(" (")[0]
    kept.run("projects", "create", "later")

    assert path in kept.run("db", "list").stdout
    result = kept.run("db", "restore", "--yes")

    assert "holds 1 project and 0 requests" in result.stdout
    assert "Bearers that were replaced" in result.stderr
    assert names(kept.home) == ["site"]
    assert kept.lines("projects", "list")
    assert len(list(kept.home.glob("larouter-replaced-*.db"))) == 1


def test_a_restore_asks_first(kept):
    kept.run("db", "backup")
    kept.run("projects", "create", "later")

    with pytest.raises(click.Abort):
        kept.run("db", "restore", stdin="n\n")

    assert names(kept.home) == ["later", "site"]


def test_a_backup_goes_where_one_says_and_over_nothing(kept, tmp_path):
    path = tmp_path / "elsewhere" / "mine.db"
    path.parent.mkdir()

    kept.run("db", "backup", str(path))
    with pytest.raises(BadRequest, match="there already"):
        kept.run("db", "backup", str(path))
    kept.run("db", "restore", str(path), "--yes")

    assert names(kept.home) == ["site"]


def test_an_older_backup_is_brought_up_to_date(kept, tmp_path):
    path = tmp_path / "old.db"
    kept.run("db", "backup", str(path))
    with closing(sqlite3.connect(path)) as connection:
        (head,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    kept.run("db", "restore", str(path), "--yes")

    with closing(sqlite3.connect(kept.home / "larouter.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (head,)


def test_what_an_upgrade_kept_says_so(kept):
    os.replace(  # noqa: PTH105 - one line
        kept.run("db", "backup").stdout.partition(" (")[0],
        kept.home / "larouter-before-0003-1700000000000.db",
    )

    assert "before an upgrade from 0003" in kept.run("db", "list").stdout


def test_on_a_terminal_progress_is_one_line(kept, monkeypatch):
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)

    said = kept.run("db", "check").stderr

    assert "Looking through every page … (0 s)" in said
    assert "\n" not in said
    assert said.endswith(("\r\x1b[K", "\r"))


def test_a_damaged_database_is_not_opened_by_commands(kept):
    path = kept.home / "larouter.db"
    path.write_bytes(b"not a database at all\n" * 500)

    with pytest.raises(LARouterError, match="larouter db restore"):
        kept.run("projects", "list")


@pytest.mark.slow
def test_beside_a_server_one_looks_and_copies_but_does_not_restore(serve, at):
    server = serve()
    cli = at(server)

    assert "is whole" in cli.run("db", "check", "--full").stdout
    cli.run("db", "backup")
    with pytest.raises(Unavailable, match="Stop it first"):
        cli.run("db", "restore", "--yes")

    assert server.chat("custom/plain").status_code == 200


@pytest.mark.slow
def test_after_damage_a_server_does_not_start_until_the_backup_is_back(serve, at, tmp_path):
    server = serve()
    assert server.chat("custom/plain").status_code == 200
    at(server).run("db", "backup")
    server.kill()
    path = tmp_path / "larouter.db"
    spoil_pages(path)
    spoilt = path.read_bytes()

    refused = command(tmp_path, "serve", LAROUTER_KEYLESS="0")
    assert refused.returncode == 1
    assert "database is damaged, and was left as it is" in refused.stderr
    assert "larouter db restore" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert path.read_bytes() == spoilt
    checked = command(tmp_path, "db", "check")
    assert checked.returncode == 1

    restored = command(tmp_path, "db", "restore", "--yes")
    assert restored.returncode == 0, restored.stderr
    (aside,) = tmp_path.glob("larouter-replaced-*.db")
    assert aside.read_bytes() == spoilt
    again = serve(bearer=server.bearer)
    assert again.chat("custom/plain").status_code == 200
    assert [row["state"] for row in again.query("SELECT state FROM attempt")] == ["settled"] * 2


@pytest.mark.parametrize(
    "words", [("backup",), ("list",), ("restore", "--yes"), ("compact",), ("backup", "x.db")]
)
def test_files_of_a_server_of_its_own_are_that_servers_business(alone, words):
    with pytest.raises(BadRequest, match="pg_dump"):
        alone.run("db", *words, LAROUTER_DATABASE_URL="postgresql://127.0.0.1:1/none")


def test_old_requests_are_deleted_after_asking(kept):
    usage = kept.home / "larouter.db"
    with closing(sqlite3.connect(usage, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO request (id, project_id, asked, tier, stage, score, reason, stream, "
            "started_ms, ended_ms, status) "
            "SELECT 'req_1', id, 'auto', 'SIMPLE', 'rules', 0, '', 0, 1, 2, 400 FROM project"
        )

    with pytest.raises(click.Abort):
        kept.run("db", "purge", "--older-than", "30d", stdin="n\n")
    assert kept.lines("db", "purge", "--older-than", "30d", "--yes") == [
        "Deleted 1 request and 0 stored responses."
    ]
    assert kept.lines("db", "purge", "--older-than", "30", "--yes") == [
        "Deleted 0 requests and 0 stored responses."
    ]


@pytest.mark.parametrize("text", ["0d", "30h", "d", "-1d", "99999d"])
def test_a_purge_needs_days(kept, text):
    with pytest.raises(click.UsageError):
        kept.run("db", "purge", f"--older-than={text}", "--yes")


def test_the_file_is_made_smaller(kept):
    assert " MB before, " in kept.run("db", "compact").stdout


@pytest.mark.slow
def test_a_file_in_use_is_not_made_smaller(serve, at):
    with pytest.raises(Unavailable, match="Stop it first"):
        at(serve()).run("db", "compact")
