"""`larouter db`: is the database whole, and where are its copies?

Looking and copying read beside a running server, in this process; what takes the database's place
is refused while one runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from larouter.bootstrap import open_database
from larouter.cli.calls import call, folder_to_ourselves, running
from larouter.config import Settings, make_private_folder, read_settings
from larouter.core.errors import BadRequest, Unavailable
from larouter.store.backups import Backup, Backups, copy_database
from larouter.store.checkup import check as check_database
from larouter.store.compact import compact
from larouter.store.restore import Contents, finish, look_into, restore
from larouter.store.schema import migrate

_ASK_S = 0.2
_MOST_DAYS = 36_500


@click.group("db")
def group() -> None:
    """The database: look it through, copy it, bring a copy back."""


@group.command()
@click.option("--full", is_flag=True, help="Compare every index with its table too.")
def check(full: bool) -> None:
    """Look through pages, books and sums; fail, and say what is wrong, if anything is."""
    settings = read_settings()
    if settings.database_url is None:
        _file(settings)
    began = time.monotonic()
    with _Progress() as tell:
        wrong = check_database(open_database(settings), full=full, tell=tell)
    for line in wrong:
        click.echo(line)
    if wrong:
        raise click.ClickException(_advice(wrong))
    click.echo(f"The database is whole and its books add up ({time.monotonic() - began:.1f} s).")


@group.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def backup(file: Path | None) -> None:
    """Copy the database to FILE, or to the folder of the backups; a server may be running."""
    settings = read_settings()
    database = _file(settings)
    if file is not None and file.exists():
        raise BadRequest(f"{file} is there already. Choose another name, or remove it first.")
    with _Progress() as tell:
        if file is None:
            path = backups_of(settings).make(tell).path
        else:
            path = file.absolute()
            copy_database(database, path, tell)
    click.echo(f"{path} ({_size(path.stat().st_size)}), checked.")


@group.command("list")
def list_backups() -> None:
    """The backups, the newest first."""
    settings = read_settings()
    _refuse_server(settings)
    rows = backups_of(settings).all()
    if not rows:
        click.echo("There is no backup yet. larouter db backup makes one; a server makes its own.")
    for row in rows:
        click.echo(_line(row))


@group.command("restore")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore_backup(file: Path | None, yes: bool) -> None:
    """Put FILE, or the newest backup, in the database's place; what is there now is kept aside."""
    settings = read_settings()
    _refuse_server(settings)
    make_private_folder(settings.home)
    if running(settings):
        raise Unavailable("A server is using this database. Stop it first, then restore.")
    with folder_to_ourselves(settings):
        finish(settings.database_file)
        file = file or _newest(settings)
        contents = look_into(file)
        click.echo(f"{file} holds {_said(contents)}.")
        if not yes:
            click.confirm("Put it in the place of the database?", abort=True)
        with _Progress() as tell:
            aside = restore(file, settings.database_file, settings.home / "unwritten.jsonl", tell)
        migrate(open_database(settings))
    click.echo("Restored." + (f" What was there is {aside} now." if aside else ""))
    click.echo("Bearers that were replaced since that backup are valid again.", err=True)


@group.command()
@click.option("--older-than", required=True, metavar="30d", help="So many days.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(older_than: str, yes: bool) -> None:
    """Delete requests, their calls and stored responses that are older; their sums stay."""
    number = older_than.removesuffix("d")
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= _MOST_DAYS):
        raise click.UsageError("--older-than is a number of days, such as 30d.")
    days = int(number)
    if not yes:
        click.confirm(
            f"Delete every request that is older than {days} days? What was used and what it cost "
            "stays, as sums by quarter of an hour and by day.",
            abort=True,
        )
    requests = responses = 0
    with _Progress() as tell:
        is_done = False
        while not is_done:
            gone = call("POST", "/api/database/purge", {"older_than_days": days})
            requests += gone["requests"]
            responses += gone["responses"]
            is_done = gone["is_done"]
            tell(f"deleting old requests: {requests:,}", 0)
    said = f"{_count(requests, 'request')} and {_count(responses, 'stored response')}"
    click.echo(f"Deleted {said}.")


@group.command("compact")
def compact_file() -> None:
    """Give the room of what was deleted back to the disk; no server may be running."""
    settings = read_settings()
    path = _file(settings)
    if running(settings):
        raise Unavailable("A server is using this database. Stop it first.")
    with folder_to_ourselves(settings), _Progress() as tell:
        before = path.stat().st_size
        tell("writing the file anew", 0)
        compact(path)
    click.echo(f"{_size(before)} before, {_size(path.stat().st_size)} now.")


def backups_of(settings: Settings) -> Backups:
    return Backups(settings.database_file, settings.backups)


def _file(settings: Settings) -> Path:
    _refuse_server(settings)
    path = settings.database_file
    if not path.exists():
        raise BadRequest(f"There is no database {path} yet.")
    return path


def _refuse_server(settings: Settings) -> None:
    if settings.database_url is not None:
        raise BadRequest(
            "The database is PostgreSQL's: use pg_dump and pg_restore for its backups."
        )


def _newest(settings: Settings) -> Path:
    rows = backups_of(settings).all()
    if not rows:
        raise BadRequest("There is no backup. Name a file: larouter db restore FILE")
    return rows[0].path


def _advice(wrong: list[str]) -> str:
    if all("sums of" in line for line in wrong):
        return "Only sums are wrong; larouter usage rebuild makes them anew."
    return "The database was left as it is. larouter db list shows the backups."


def _line(row: Backup) -> str:
    why = f"  before an upgrade from {row.before}" if row.before else ""
    return f"{_when(row.at_ms)}  {_size(row.size):>9}  {row.path}{why}"


def _said(contents: Contents) -> str:
    last = "" if contents.last_ms is None else f", the last of {_when(contents.last_ms)}"
    projects, requests = _count(contents.projects, "project"), _count(contents.requests, "request")
    return f"{projects} and {requests}{last}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _when(at_ms: int) -> str:
    """In this machine's own time."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M}"


def _size(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


class _Progress:
    """One line on a terminal, written over and over; elsewhere each step once."""

    def __init__(self) -> None:
        self._shown = 0.0
        self._step = ""
        self._began = time.monotonic()

    def __enter__(self) -> Callable[[str, float], None]:
        return self.tell

    def __exit__(self, *_: object) -> None:
        if self._step and sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)

    def tell(self, step: str, done: float) -> None:
        now = time.monotonic()
        is_new = step != self._step
        if not is_new and now - self._shown < _ASK_S:
            return
        self._shown, self._step = now, step
        if sys.stderr.isatty():
            part = f" {done:.0%}" if done else ""
            line = f"{step[0].upper()}{step[1:]} …{part} ({now - self._began:.0f} s)"
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
        elif is_new:
            click.echo(f"{step} …", err=True)
