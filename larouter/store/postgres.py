"""PostgreSQL: one database for several processes of LARouter, or for several machines.

What writes takes one lock of the whole database first, and holds it until its batch is committed:
writers come one after another, as they do on SQLite, so what is proved of admission there holds
here, and no two can wait for each other. Reads wait for nobody.

Statements come as SQLite writes them (`store/sql.py`); here they and the errors are translated.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Column
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool
from sqlalchemy.types import String

from larouter.core.errors import StorageDown
from larouter.store.sql import Connection, Cursor, Values

if TYPE_CHECKING:
    import psycopg

SCHEME = "postgresql://"
_LOCK = 0x4C41_526F_7574  # "LARout"
_CONNECT_S = 5
_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
_NAMED = re.compile(r"(?<!:):([a-z_]+)")


class Postgres:
    """The database at a `postgresql://` address."""

    is_shared = True
    begin = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    mend = "check LAROUTER_DATABASE_URL, and that the server runs."

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        """Without its password."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def connect(self, *, read_only: bool = False) -> PostgresConnection:
        return PostgresConnection(self.url, read_only=read_only)

    def now_ms(self, connection: Connection) -> int:
        """The server's own clock: those of several machines differ."""
        return int(connection.execute(_NOW).fetchone()[0])

    def tables(self) -> set[str] | None:
        """None: it has none yet. The database itself is made by whoever runs the server."""
        connection = self.connect()
        try:
            names = {
                name
                for (name,) in connection.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
                )
            }
            return names or None
        finally:
            connection.close()

    def keep_copy(self, revision: str) -> None:
        """A migration is one transaction here, and backups are the server's (`pg_dump`)."""

    def engine(self, *, read_only: bool = True) -> tuple[URL, dict[str, Any]]:
        """No pool, as for SQLite: a connection belongs to one native thread."""
        url = make_url("postgresql+psycopg://")
        return url, {
            "creator": lambda: _open(self.url, read_only=read_only, autocommit=False),
            "poolclass": NullPool,
        }

    def created(self) -> None:
        """Nothing to do: who may read it is the server's business."""


class PostgresConnection:
    """Speaks to PostgreSQL as to SQLite. A connection that was lost is made anew when nothing of
    it is under way."""

    def __init__(self, url: str, *, read_only: bool) -> None:
        self._url = url
        self._read_only = read_only
        self._inner = self._opened()

    @property
    def in_transaction(self) -> bool:
        return not self._inner.closed and self._inner.info.transaction_status != 0

    def execute(self, sql: str, values: Values = (), /) -> Cursor:
        if not values:
            return self._run(lambda cursor: cursor.execute(sql))
        return self._run(lambda cursor: cursor.execute(translated(sql), values))

    def executemany(self, sql: str, rows: Iterable[Values], /) -> Cursor:
        return self._run(lambda cursor: cursor.executemany(translated(sql), rows))

    def close(self) -> None:
        self._inner.close()

    def _run(self, ask: Any) -> Cursor:
        import psycopg  # noqa: PLC0415 - only who uses PostgreSQL has it

        if self._inner.closed:
            self._inner = self._opened()
        cursor = self._inner.cursor()
        try:
            ask(cursor)
        except psycopg.IntegrityError as error:
            raise sqlite3.IntegrityError(str(error)) from error
        except psycopg.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        return cursor

    def _opened(self) -> psycopg.Connection[Any]:
        import psycopg  # noqa: PLC0415

        try:
            return _open(self._url, read_only=self._read_only, autocommit=True)
        except psycopg.Error as error:
            raise sqlite3.OperationalError(str(error).strip()) from error


@lru_cache(maxsize=512)
def translated(sql: str) -> str:
    """The statement with the driver's own marks for values. None of ours has a `?` or a `%` in
    its text but for these."""
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%").replace("?", "%s"))


def _open(url: str, *, read_only: bool, autocommit: bool) -> psycopg.Connection[Any]:
    try:
        import psycopg  # noqa: PLC0415
        from psycopg import waiting  # noqa: PLC0415
    except ImportError as error:
        raise StorageDown(
            "A PostgreSQL database needs one more package: pip install 'psycopg[binary]'"
        ) from error

    # Ours live in native threads alone, where what gevent patches would cost a hub each.
    waiting.wait = getattr(waiting, "wait_c", waiting.wait)
    connection = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_S)
    if read_only:
        connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    connection.autocommit = autocommit
    _adapt(connection)
    return connection


def _adapt(connection: psycopg.Connection[Any]) -> None:
    """Values as SQLite takes and gives them: sums are whole numbers, so is what is true, and a
    NUL, which no text of PostgreSQL's may hold, becomes the sign for what cannot be shown."""
    from psycopg.adapt import Loader  # noqa: PLC0415
    from psycopg.types.bool import BoolDumper  # noqa: PLC0415
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415

    class Whole(Loader):
        def load(self, data: Any) -> int | float:
            text = bytes(data)
            return float(text) if b"." in text else int(text)

    class Text(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd"))

    class Truth(BoolDumper):
        oid = 20  # bigint

        def dump(self, obj: bool) -> bytes:
            return b"1" if obj else b"0"

    connection.adapters.register_loader("numeric", Whole)
    connection.adapters.register_dumper(str, Text)
    if connection.autocommit:
        # SQLAlchemy knows what is true by itself.
        connection.adapters.register_dumper(bool, Truth)


@compiles(String, "postgresql")
def _text(type_: String, compiler: Any, *, type_expression: Any = None, **_: Any) -> str:
    """SQLite keeps no length and orders by code point; so that both databases hold and order the
    same, a column of PostgreSQL's does too."""
    if isinstance(type_expression, Column):
        return 'TEXT COLLATE "C"'
    return "VARCHAR"
