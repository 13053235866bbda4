"""Puts a backup in the database's place, and keeps what was there (TRUST A9).

The whole copy, checked and on the disk, is made first, under a name that says that it is to take
the place. From then on nothing can go wrong by a crash: whoever opens the database next finishes
what is left, which is renaming. The file that was there goes aside with its `-wal`, for that one
would spoil any other.
"""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from larouter.core.errors import BadRequest, StorageDown
from larouter.store.backups import Tell, copy_database, stamp_of
from larouter.store.damage import page_faults
from larouter.store.schema import head
from larouter.store.sql import Error
from larouter.store.sqlite import connect
from larouter.store.writer import now_ms

_READY = ".restored-"
_SIDES = ("-wal", "-shm", "")
"""The file itself last."""


class Contents(NamedTuple):
    """What is in a backup."""

    revision: str
    projects: int
    requests: int
    last_ms: int | None
    """When the newest of its requests came."""


def look_into(path: Path) -> Contents:
    """Raises `BadRequest` for what is no backup that this version can use."""
    if not path.is_file():
        raise BadRequest(f"There is no file {path}. larouter db list shows the backups.")
    try:
        with closing(connect(path.absolute(), read_only=True)) as connection:
            found = page_faults(connection)
            if found:
                raise BadRequest(f"{path} is damaged ({found[0]}). Choose another backup.")
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            (projects,) = connection.execute("SELECT count(*) FROM project").fetchone()
            requests, last_ms = connection.execute(
                "SELECT count(*), max(started_ms) FROM request"
            ).fetchone()
    except (Error, TypeError):
        raise BadRequest(f"{path} is no database of LARouter's. Choose another file.") from None
    if revision > head():
        raise BadRequest(
            f"{path} was written by a newer LARouter. Update LARouter, or choose another backup."
        )
    return Contents(revision, projects, requests, last_ms)


def restore(source: Path, database: Path, spill: Path, tell: Tell | None = None) -> Path | None:
    """Put `source` in the place of `database`; return where that is kept now, if there was one.

    Nobody may have it open. `spill` is the file of the settlements that `database` could not take:
    those of attempts which the backup knows as well are written into it at the next start; a copy
    of all of them goes aside. Raises `StorageDown`; then everything is as it was.
    """
    stamp = stamp_of(now_ms())
    try:
        if spill.exists() and spill.read_bytes().strip(b"\0"):
            aside = spill.with_name(f"{spill.stem}-replaced-{stamp}{spill.suffix}")
            shutil.copyfile(spill, aside)
            aside.chmod(0o600)
    except OSError as error:
        raise StorageDown(f"{spill.name} could not be kept aside ({error}).") from error
    copy_database(source.absolute(), database.with_name(f"{database.name}{_READY}{stamp}"), tell)
    finish(database)
    aside = _replaced(database, stamp)[-1]
    return aside if aside.exists() else None


def finish(database: Path) -> None:
    """Do what is left of a restore that was cut off; nothing, mostly. Raises `StorageDown`."""
    folder = database.parent
    for ready in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not ready.name.startswith(database.name + _READY):
            continue
        if ready.suffix == ".part":
            # Not whole: it was cut off before anything had changed.
            ready.unlink(missing_ok=True)
            continue
        stamp = ready.name.partition(_READY)[2]
        try:
            for side, aside in zip(_SIDES, _replaced(database, stamp), strict=True):
                with suppress(FileNotFoundError):
                    database.with_name(database.name + side).rename(aside)
            ready.replace(database)
        except OSError as error:
            raise StorageDown(
                f"The restored database could not take its place ({error}). Check the folder "
                f"{folder}; the next start tries it again."
            ) from error


def _replaced(database: Path, stamp: str) -> list[Path]:
    """Where the parts of the file that was there are kept."""
    name = f"{database.stem}-replaced-{stamp}{database.suffix}"
    return [database.with_name(name + side) for side in _SIDES]
