"""Everything that can be asked of a database at rest or in use: pages, books, sums."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from larouter.core.errors import StorageDown
from larouter.store.backups import Tell
from larouter.store.damage import page_faults
from larouter.store.invariants import violations
from larouter.store.rollups import differences
from larouter.store.sql import Connection, Database, Error, is_damage

_STEPS: tuple[tuple[str, Callable[[Connection], list[str]]], ...] = (
    ("comparing costs, entries and budgets", violations),
    ("comparing sums and calls", differences),
)


def check(database: Database, *, full: bool = False, tell: Tell | None = None) -> list[str]:
    """What is wrong with it; none: nothing is. The books of a damaged file are not looked at.

    Raises `StorageDown` when it cannot be read, for a reason that is not in the file.
    """
    told = tell or (lambda step, done: None)
    try:
        with closing(database.connect(read_only=True)) as connection:
            found: list[str] = []
            if not database.is_shared:
                told("looking through every page", 0)
                found = page_faults(connection, full=full)
            if found:
                return found
            # One transaction: all of it at one moment, while a server goes on.
            connection.execute(database.begin_reading)
            for step, question in _STEPS:
                told(step, 0)
                found += question(connection)
    except Error as error:
        if is_damage(error):
            return [str(error)]
        raise StorageDown(f"The database {database} cannot be looked through ({error}).") from error
    return found
