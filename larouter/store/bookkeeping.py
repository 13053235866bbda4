"""What an owner does to the books by hand: all of it adds, nothing rewrites."""

from __future__ import annotations

from larouter.core.chat import Usage
from larouter.store.corrections import Corrected, resolve
from larouter.store.rollups import Rollups, differences
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms


class Bookkeeping:
    """Each is one transaction of the writer's."""

    def __init__(self, writer: Writer, rollups: Rollups) -> None:
        self._writer = writer
        self._rollups = rollups

    def resolve(self, attempt_id: int, usage: Usage | None) -> Corrected:
        """Charge an attempt whose outcome was unknown (`store.corrections`)."""
        return self._writer.run(
            lambda connection: resolve(connection, self._rollups, attempt_id, usage, now_ms())
        )

    def recount(self) -> list[str]:
        """Make the sums of usage anew from the ledger; tell what was wrong with them."""

        def job(connection: Connection) -> list[str]:
            found = differences(connection)
            self._rollups.rebuild(connection)
            return found

        return self._writer.run(job)

    def moved(self, project_id: str) -> None:
        """A project has another time zone: its days are others."""
        self._writer.run(lambda connection: self._rollups.rebuild_days(connection, project_id))
