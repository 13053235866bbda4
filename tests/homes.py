"""Data folders as a second start finds them: the tables are there."""

import functools
import tempfile
from pathlib import Path

from larouter.store.schema import migrate
from larouter.store.sqlite import SqliteFile


@functools.cache
def _database():
    """Migrated once in a process: most tests are about something else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "larouter.db"
        migrate(SqliteFile(path))
        return path.read_bytes()


def furnished(home):
    """Put an empty database there, and return the folder."""
    path = home / "larouter.db"
    path.write_bytes(_database())
    path.chmod(0o600)
    return home
