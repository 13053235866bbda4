"""What the store's statements need of a database: the part of Python's DB-API that both speak.

Statements are written once, for SQLite and PostgreSQL: `?` for values, `RETURNING` for new ids,
`ON CONFLICT` for what may be there already. SQLite's own connection is this as it is, so that the
hot path pays for no layer (TRUST B16).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

Error = sqlite3.Error
"""The database refused something."""
IntegrityError = sqlite3.IntegrityError
"""A row breaks a rule of its table: mostly, that a name is taken."""

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
