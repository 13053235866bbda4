"""Brings the database to this version's tables: Alembic, imported only when something is pending.

Migrations are the files of `migrations/versions`, numbered; the highest number is the head.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from larouter.core.errors import StorageDown
from larouter.store.writer import connect, now_ms

logger = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """The newest revision that this version of LARouter knows."""
    return max(path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def migrate(path: Path) -> None:
    """Create or upgrade the database; keep a copy of an older one beside it (TRUST A9).

    Raises `StorageDown` for a file that is no database, or one of a newer LARouter.
    """
    current = _revision(path)
    if current == head():
        return
    if current is not None and current > head():
        raise StorageDown(
            f"The database {path} was written by a newer LARouter. Update LARouter, or choose "
            "another data folder with LAROUTER_HOME."
        )
    if current is not None:
        _back_up(path, current)
    _upgrade(path)


def _revision(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        connection = connect(path)
        try:
            tables = connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone()
            row = (
                tables and connection.execute("SELECT version_num FROM alembic_version").fetchone()
            )
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StorageDown(
            f"The database {path} cannot be read ({error}). It was left as it is; move it away "
            "or restore a backup of it."
        ) from error
    return str(row[0]) if row else None


def _back_up(path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.stem}-before-{revision}-{now_ms()}.db")
    source, target = connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()
    copy.chmod(0o600)
    logger.info("kept a copy of the database as %s before upgrading it", copy)


def _upgrade(path: Path) -> None:
    from alembic import command  # noqa: PLC0415 - 20 MB that a start without a migration spares
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
    path.chmod(0o600)
