"""Gives the room of what was deleted back to the disk, and leaves nothing of it in the file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from larouter.core.errors import StorageDown
from larouter.store.sql import Error
from larouter.store.sqlite import connect


def compact(path: Path) -> None:
    """Write the file anew. Nobody else may have it open. Raises `StorageDown`."""
    try:
        with closing(connect(path)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except Error as error:
        raise StorageDown(
            f"The database {path} could not be made smaller ({error}). It needs as much free disk "
            "as it is large for a moment."
        ) from error
