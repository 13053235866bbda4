"""SQLite: a file, and nothing to set up. One process writes; it holds the data folder's lock."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from larouter.store.sql import Connection
from larouter.store.writer import now_ms

_BUSY_TIMEOUT_MS = 5_000

logger = logging.getLogger(__name__)


def connect(path: os.PathLike[str], *, read_only: bool = False) -> sqlite3.Connection:
    """Open the database as LARouter uses it: WAL, which survives kill -9 (TRUST B3)."""
    connection = sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    return connection


class SqliteFile:
    """The database in one file."""

    is_shared = False
    begin = "BEGIN IMMEDIATE"
    begin_reading = "BEGIN"
    mend = "larouter db restore brings the last backup back; larouter db list shows all of them."

    def __init__(self, path: os.PathLike[str]) -> None:
        self.path = Path(path)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        return connect(self.path, read_only=read_only)

    def now_ms(self, _connection: Connection) -> int:
        return now_ms()

    def tables(self) -> set[str] | None:
        if not self.path.exists():
            return None
        with closing(self.connect()) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}

    def keep_copy(self, revision: str) -> None:
        """A copy of the file beside it, made and looked through as a backup is."""
        from larouter.store.backups import copy_database  # noqa: PLC0415 - it is made of these

        copy = self.path.with_name(f"{self.path.stem}-before-{revision}-{now_ms()}.db")
        copy_database(self.path, copy)
        logger.info("kept a copy of the database as %s before upgrading it", copy)

    def engine(self, *, read_only: bool = True) -> tuple[URL, dict[str, Any]]:
        """No pool of connections: its lock would be gevent's, and the reports run in native
        threads."""
        if not read_only:
            self.path.touch(mode=0o600)
        # With its path, or Flask-SQLAlchemy takes it for one in memory: one connection for all
        # threads.
        return URL.create("sqlite", database=str(self.path.absolute())), {
            "creator": lambda: self.connect(read_only=read_only),
            "poolclass": NullPool,
        }

    def created(self) -> None:
        """Readable by its owner only (TRUST S10)."""
        self.path.chmod(0o600)
