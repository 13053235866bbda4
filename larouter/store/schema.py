"""Brings the database to this version's tables: Alembic, imported only when something is pending.

Migrations are the files of `migrations/versions`, numbered; the highest number is the head.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from larouter.core.errors import StorageDown
from larouter.store.writer import connect, now_ms

logger = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).parent / "migrations"


def head(migrations: Path = _MIGRATIONS) -> str:
    """The newest revision that this version of LARouter knows."""
    return max(path.name[:4] for path in (migrations / "versions").glob("[0-9]*.py"))


def migrate(path: Path, migrations: Path = _MIGRATIONS) -> None:
    """Create or upgrade the database; keep a copy of an older one beside it (TRUST A9).

    Raises `StorageDown`, and leaves the file as it is, when that cannot be done: it is no
    database, another program's or a newer LARouter's, or the disk is full or read-only.
    """
    newest = head(migrations)
    current = _revision(path)
    if current == newest:
        return
    if current is not None and current > newest:
        raise StorageDown(
            f"The database {path} was written by a newer LARouter. Update LARouter, or choose "
            "another data folder with LAROUTER_HOME."
        )
    if current is not None:
        _back_up(path, current)
    _upgrade(path, migrations)


def _revision(path: Path) -> str | None:
    """Which revision the file holds; None for a new one."""
    if not path.exists():
        return None
    try:
        with closing(connect(path)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if "alembic_version" not in tables:
                row = None
            else:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StorageDown(
            f"The database {path} cannot be read ({error}). It was left as it is; move it away "
            "or restore a backup of it."
        ) from error
    if row is None and tables:
        raise StorageDown(
            f"The database {path} is not LARouter's. It was left as it is; choose another file."
        )
    return str(row[0]) if row else None


def _back_up(path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.stem}-before-{revision}-{now_ms()}.db")
    try:
        copy.touch(mode=0o600)
        with closing(connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            copy.unlink(missing_ok=True)
        raise StorageDown(
            f"The database {path} needs an upgrade, and no copy of it could be kept first "
            f"({error}). Check free disk space and the data folder."
        ) from error
    logger.info("kept a copy of the database as %s before upgrading it", copy)


def _upgrade(path: Path, migrations: Path) -> None:
    """Run what is pending in one transaction: a migration that fails leaves nothing behind."""
    from alembic import command  # noqa: PLC0415 - 20 MB that a start without a migration spares
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    engine = create_engine("sqlite://", creator=lambda: connect(path), poolclass=NullPool)
    try:
        path.touch(mode=0o600)
        with engine.begin() as connection:
            # The driver's own BEGIN would come too late: only before a row, not before a table.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        path.chmod(0o600)
    except (CommandError, OSError, SQLAlchemyError, sqlite3.Error) as error:
        raise StorageDown(
            f"The database {path} could not be brought to this version's tables "
            f"({getattr(error, 'orig', error)}). "
            "Check free disk space and the data folder."
        ) from error
