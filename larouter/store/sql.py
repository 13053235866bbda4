"""What the store's statements need of a database: the part of Python's DB-API that both speak.

Statements are written once, for SQLite and PostgreSQL: `?` for values, `RETURNING` for new ids,
`ON CONFLICT` for what may be there already. SQLite's own connection is this as it is, so that the
hot path pays for no layer (TRUST B16).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy.engine import URL

Error = sqlite3.Error
"""The database refused something."""
IntegrityError = sqlite3.IntegrityError
"""A row breaks a rule of its table: mostly, that a name is taken."""

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Values = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    """The rows of one statement."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """One connection in one transaction."""

    def execute(self, sql: str, values: Values = (), /) -> Cursor:
        """Raises `Error`."""
        ...

    def executemany(self, sql: str, rows: Iterable[Values], /) -> Cursor:
        """Raises `Error`."""
        ...

    def close(self) -> None: ...

    @property
    def in_transaction(self) -> bool: ...


def inserted(connection: Connection, sql: str, values: Values) -> int:
    """Insert one row and return its new id. SQLite knows it by itself: there `RETURNING` costs as
    much again as the row (7 of 15 microseconds)."""
    if type(connection) is sqlite3.Connection:
        return connection.execute(sql, values).lastrowid or 0
    id: int = connection.execute(f"{sql} RETURNING id", values).fetchone()[0]
    return id


class Database(Protocol):
    """Where the rows are: a file of SQLite's or a PostgreSQL server."""

    is_shared: bool
    """May several processes write at once? Then each reads anew what another may have changed."""
    begin: str
    """Begins a transaction that writes: from here on, no other writes until it ends."""
    begin_reading: str
    """Begins one that sees everything as it is at one moment."""

    mend: str
    """What to do about one that cannot be read."""

    def connect(self, *, read_only: bool = False) -> Connection:
        """Raises `Error`."""
        ...

    def now_ms(self, connection: Connection) -> int:
        """The time that all processes go by which share it: Unix milliseconds."""
        ...

    def tables(self) -> set[str] | None:
        """The names of its tables; None: there is no database yet."""
        ...

    def keep_copy(self, revision: str) -> None:
        """Before an upgrade. Raises `StorageDown`; `DatabaseDamaged` for one that is not whole."""
        ...

    def engine(self, *, read_only: bool = True) -> tuple[URL, dict[str, Any]]:
        """SQLAlchemy's address and options for an engine on `connect`."""
        ...

    def created(self) -> None:
        """The tables are there now."""
        ...


def is_damage(error: BaseException) -> bool:
    """Did SQLite find something in its file that it never writes?"""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE
