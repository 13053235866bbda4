"""Brings the database to this version's tables: Alembic, imported only when something is pending.

Migrations are the files of `migrations/versions`, numbered; the highest number is the head.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.store.sql import Database, Error

_MIGRATIONS = Path(__file__).parent / "migrations"


def head(migrations: Path = _MIGRATIONS) -> str:
    """The newest revision that this version of LARouter knows."""
    return max(path.name[:4] for path in (migrations / "versions").glob("[0-9]*.py"))


def migrate(database: Database, migrations: Path = _MIGRATIONS) -> None:
    """Create or upgrade the database; keep a copy of an older one beside it (TRUST A9).

    Raises `StorageDown`, and leaves the file as it is, when that cannot be done: it is no
    database, another program's or a newer LARouter's, or the disk is full or read-only.
    """
    newest = head(migrations)
    current = _revision(database)
    if current == newest:
        return
    if current is not None and current > newest:
        raise StorageDown(
            f"The database {database} was written by a newer LARouter. Update LARouter, or choose "
            "another data folder with LAROUTER_HOME."
        )
    if current is not None:
        _back_up(database, current)
    _upgrade(database, migrations)


def _revision(database: Database) -> str | None:
    """Which revision it holds; None for a new one."""
    try:
        tables = database.tables()
        row = None
        if tables is not None and "alembic_version" in tables:
            with closing(database.connect()) as connection:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except Error as error:
        raise StorageDown(
            f"The database {database} cannot be read ({error}). It was left as it is; "
            f"{database.mend}"
        ) from error
    if row is None and tables:
        raise StorageDown(
            f"The database {database} is not LARouter's. It was left as it is; choose another one."
        )
    return str(row[0]) if row else None


def _back_up(database: Database, revision: str) -> None:
    try:
        database.keep_copy(revision)
    except DatabaseDamaged:
        raise
    except StorageDown as error:
        raise StorageDown(
            f"The database {database} needs an upgrade, and no copy of it could be kept first "
            f"({error.__cause__}). Check free disk space and the data folder."
        ) from error


def _upgrade(database: Database, migrations: Path) -> None:
    """Run what is pending in one transaction: a migration that fails leaves nothing behind."""
    from alembic import command  # noqa: PLC0415 - 20 MB that a start without a migration spares
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    try:
        url, options = database.engine(read_only=False)
        engine = create_engine(url, **options)
        with engine.begin() as connection:
            # The driver's own BEGIN would come too late: only before a row, not before a table.
            connection.exec_driver_sql(database.begin)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        database.created()
    except (CommandError, OSError, SQLAlchemyError, Error) as error:
        raise StorageDown(
            f"The database {database} could not be brought to this version's tables "
            f"({getattr(error, 'orig', error)}). "
            "Check free disk space and the data folder."
        ) from error
