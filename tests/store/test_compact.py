from contextlib import closing

import pytest

from larouter.core.errors import StorageDown
from larouter.store.compact import compact
from larouter.store.sqlite import connect


def test_the_room_is_given_back(file, writer):
    writer.run(lambda connection: connection.execute("CREATE TABLE filler (text)"))
    writer.run(
        lambda connection: connection.execute("INSERT INTO filler VALUES (zeroblob(1000000))")
    )
    writer.run(lambda connection: connection.execute("DELETE FROM filler"))
    writer.close()
    with closing(connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = file.stat().st_size

    compact(file)

    assert file.stat().st_size < before - 900_000


def test_a_file_that_is_in_use_is_not_made_smaller(file, writer, monkeypatch):
    with closing(connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO setting VALUES ('a', 'b')")
        monkeypatch.setattr("larouter.store.sqlite._BUSY_TIMEOUT_MS", 10)

        with pytest.raises(StorageDown, match="could not be made smaller"):
            compact(file)
