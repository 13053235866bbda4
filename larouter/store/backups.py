"""Copies of the database that can be restored: whole, checked, and never half there (TRUST A9).

A copy is made beside the writer, from a read transaction of its own, under another name; only when
its pages are right and on the disk it gets its own name. SQLite only: PostgreSQL has `pg_dump`.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from larouter.core.errors import StorageDown
from larouter.store.damage import SMALL, damaged, page_faults
from larouter.store.sql import Connection, is_damage
from larouter.store.sqlite import connect
from larouter.store.writer import now_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NEWEST = 6
DAYS = 7
"""Kept are the newest so many, and of each of so many days the last one."""
ROOM = 10
"""One part in so many of the free disk is what all of them may take."""

Tell = Callable[[str, float], None]
"""Is told what is going on, and how much of it is done, from 0 to 1."""

_STAMP = "%Y-%m-%dT%H-%M-%SZ"
_STAMPED = re.compile(r"-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)\.db")
_HALF = re.compile(_STAMPED.pattern + r"\.part")
_BEFORE = re.compile(r"-before-(\d{4})-(\d+)\.db")
_EVERY = 200_000
"""Instructions of SQLite's between two words of progress."""


class Backup(NamedTuple):
    """A copy, and when it was made."""

    path: Path
    at_ms: int
    size: int
    before: str | None = None
    """The revision that an upgrade kept it of; None: it was made by the clock or by hand."""


class Backups:
    """The copies of one database, in a folder of their own."""

    def __init__(
        self, database: Path, folder: Path, *, clock: Callable[[], int] = now_ms, small: int = SMALL
    ) -> None:
        self.database = database
        self._folder = folder
        self._clock = clock
        self._small = small

    def all(self) -> list[Backup]:
        """The newest first; what upgrades kept is among them."""
        return sorted([*self._made(), *self._kept_by_upgrades()], key=_age, reverse=True)

    def is_due(self) -> bool:
        """An hour after the last one, or a day where the file is large. One that a clock of then
        put into the future is none."""
        now = self._clock()
        with suppress(FileNotFoundError):
            every = HOUR_MS if self.database.stat().st_size < self._small else DAY_MS
            return not any(now - every < row.at_ms <= now for row in self._made())
        return False

    def make(self, tell: Tell | None = None) -> Backup:
        """Make one and let go of those that are not needed any more.

        Raises `DatabaseDamaged`, and `StorageDown` when there is no room for it.
        """
        now = self._clock()
        path = self._folder / f"{self.database.stem}-{stamp_of(now)}.db"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._sweep(now)
            self._make_room()
        except OSError as error:
            raise StorageDown(f"The folder {self._folder} cannot be used: {error}.") from error
        copy_database(self.database, path, tell)
        made = self._made()
        keep = {row.path for row in kept(made, now)}
        for row in made:
            if row.path not in keep:
                row.path.unlink(missing_ok=True)
        return Backup(path, now - now % 1000, path.stat().st_size)

    def _sweep(self, now: int) -> None:
        """Half copies of a process that died, unless one is being made at this moment."""
        for path, _ in _named(self._folder, self.database.stem, _HALF):
            if now - path.stat().st_mtime * 1000 > HOUR_MS:
                path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """The oldest go first; the newest never goes before there is a newer one."""
        size = _size_of_copy(self.database)
        rows = sorted(self._made(), key=_age, reverse=True)
        held = sum(row.size for row in rows)
        most = (shutil.disk_usage(self._folder).free + held) // ROOM
        while held + size > most and len(rows) > 1:
            oldest = rows.pop()
            oldest.path.unlink(missing_ok=True)
            held -= oldest.size
        if held + size > most:
            raise StorageDown(
                f"There is no room for a backup of {size // 1_000_000} MB: all backups together "
                f"take a tenth of the free disk at most. Free some, or make one elsewhere with "
                f"larouter db backup FILE."
            )

    def _made(self) -> list[Backup]:
        rows = []
        for path, match in _named(self._folder, self.database.stem, _STAMPED):
            with suppress(ValueError, FileNotFoundError):
                at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                rows.append(Backup(path, int(at.timestamp()) * 1000, path.stat().st_size))
        return rows

    def _kept_by_upgrades(self) -> list[Backup]:
        return [
            Backup(path, int(match[2]), path.stat().st_size, match[1])
            for path, match in _named(self.database.parent, self.database.stem, _BEFORE)
        ]


def stamp_of(at_ms: int) -> str:
    """A moment as it stands in the names of files, on every system."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime(_STAMP)


def kept(backups: list[Backup], now: int) -> list[Backup]:
    """Those that stay: the newest, and the last one of each of the last days that have any."""
    # What a wrong clock put into the future must not push out what is real.
    rows = sorted(backups, key=lambda row: (row.at_ms <= now, row.at_ms), reverse=True)
    days: dict[int, Backup] = {}
    for row in rows:
        days.setdefault(row.at_ms // DAY_MS, row)
    daily = list(days.values())[:DAYS]
    return [row for row in rows if row in rows[:NEWEST] or row in daily]


def copy_database(source: Path, target: Path, tell: Tell | None = None) -> None:
    """Copy a database that may be in use; `target` is there whole or not at all.

    Raises `DatabaseDamaged` when the copy or its source is, `StorageDown` when it cannot be made.
    """
    part = target.with_name(f"{target.name}.part")
    tell = tell or _tell_nobody
    try:
        try:
            _copy(source, part, tell)
            tell("checking the copy", 0)
            with closing(connect(part, read_only=True)) as connection:
                found = page_faults(connection)
            if found:
                raise damaged(source, "; ".join(found))
            _flush(part)
            part.replace(target)
            _flush(target.parent)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        if is_damage(error):
            raise damaged(source, error) from error
        raise StorageDown(
            f"No copy of the database {source} could be made ({error}). Check free disk space and "
            f"the folder {target.parent}."
        ) from error


def _named(folder: Path, stem: str, rest: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """The files of a folder whose names are `stem` and then as `rest` says."""
    for path in folder.iterdir() if folder.is_dir() else ():
        match = rest.fullmatch(path.name, len(stem)) if path.name.startswith(stem) else None
        if match:
            yield path, match


def _copy(source: Path, part: Path, tell: Tell) -> None:
    part.unlink(missing_ok=True)
    # Made here, because SQLite would make it readable by all.
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(source, read_only=True)) as connection:
        whole = _pages(connection)

        def progress() -> int:
            with suppress(OSError):
                tell("copying", min(1.0, part.stat().st_size / max(1, whole)))
            return 0

        connection.set_progress_handler(progress, _EVERY)
        connection.execute("VACUUM INTO ?", (str(part),))


def _size_of_copy(path: Path) -> int:
    """At most: what is free inside the file is not copied."""
    try:
        with closing(connect(path, read_only=True)) as connection:
            return _pages(connection)
    except sqlite3.Error as error:
        if is_damage(error):
            raise damaged(path, error) from error
        raise StorageDown(f"The database {path} cannot be read ({error}).") from error


def _pages(connection: Connection) -> int:
    """Bytes of the pages in use."""
    count, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (count - free) * size


def _flush(path: Path) -> None:
    """To the disk. A folder cannot be opened for that on every system."""
    if path.is_dir() and not hasattr(os, "O_DIRECTORY"):
        return
    file = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _age(backup: Backup) -> int:
    return backup.at_ms


def _tell_nobody(_what: str, _done: float) -> None:
    pass
