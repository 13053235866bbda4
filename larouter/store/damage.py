"""Is the database's file whole? Asked before a start, of each copy, and by `larouter db check`.

SQLite only: PostgreSQL looks after its own files. Nothing is changed here.
"""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.store.sql import Connection, Error, is_damage
from larouter.store.sqlite import connect

SMALL = 200_000_000
"""Bytes: looking through so large a file takes a second or two, so a start can wait for it."""
_SHOWN = 20

logger = logging.getLogger(__name__)


def damaged(path: Path, why: object) -> DatabaseDamaged:
    """The refusal, which names no path (TRUST S12); the log does, and says what was found."""
    logger.error("the database %s is damaged: %s", path, why)
    return DatabaseDamaged()


def page_faults(connection: Connection, *, full: bool = False) -> list[str]:
    """What is wrong with the pages; `full` compares every index with its table too, which takes
    several times as long."""
    pragma = "integrity_check" if full else "quick_check"
    try:
        rows = connection.execute(f"PRAGMA {pragma}({_SHOWN})").fetchall()
    except Error as error:
        if not is_damage(error):
            raise
        return [str(error)]
    return [] if rows == [("ok",)] else [str(row[0]) for row in rows]


def look_before_serving(path: Path, small: int = SMALL) -> bool:
    """Look through a file whose last user was cut off. False: it is too large to wait for.

    Raises `DatabaseDamaged`, and `StorageDown` for what is in the way.
    """
    if not path.exists():
        return True
    try:
        with closing(connect(path, read_only=True)) as connection:
            if _ended_well(connection):
                return True
            if path.stat().st_size >= small:
                return False
            found = page_faults(connection)
    except (Error, OSError) as error:
        if is_damage(error):
            raise damaged(path, error) from error
        raise StorageDown(
            f"The database {path} cannot be read ({error}). Check the data folder, and whether "
            "another program has the database open."
        ) from error
    if found:
        raise damaged(path, "; ".join(found))
    return True


def look_through(path: Path) -> None:
    """Look through a large file while it is in use. Raises `DatabaseDamaged`."""
    with closing(connect(path, read_only=True)) as connection:
        found = page_faults(connection)
    if found:
        raise damaged(path, "; ".join(found))


def _ended_well(connection: Connection) -> bool:
    """Has everybody who wrote into it said that they are done? An older version never did."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if "run" not in tables:
        return True
    open_runs = connection.execute("SELECT count(*) FROM run WHERE ended_ms IS NULL")
    return bool(open_runs.fetchone()[0] == 0)
