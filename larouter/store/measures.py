"""How fast each model was here, as rows: the first forecast after a restart is a good one, too."""

from __future__ import annotations

from larouter.core.pace import Pace
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

_LIST = "SELECT model, numbers FROM measured ORDER BY at_ms DESC LIMIT 1000"
_KEEP = """INSERT INTO measured (model, numbers, at_ms) VALUES (?,?,?)
 ON CONFLICT (model) DO UPDATE SET numbers = excluded.numbers, at_ms = excluded.at_ms"""
_MOST_KEY = 300


class Measures:
    """Several processes write over each other's: each has learnt from its own share of answers."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def restore(self, pace: Pace) -> None:
        def read(connection: Connection) -> list[tuple[str, str]]:
            return connection.execute(_LIST).fetchall()

        for model, numbers in self._writer.run(read):
            pace.remember(model, numbers)

    def keep(self, pace: Pace) -> None:
        """Write down what is new. Raises `StorageDown`."""
        changes = {key: text for key, text in pace.changes().items() if len(key) <= _MOST_KEY}
        if not changes:
            return
        rows = [(key, text, now_ms()) for key, text in sorted(changes.items())]
        self._writer.run(lambda connection: connection.executemany(_KEEP, rows))
