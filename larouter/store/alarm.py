"""What somebody has to do something about, in a sentence for the page (TRUST A9, B15)."""

from __future__ import annotations

from larouter.store.invariants import Books
from larouter.store.spill import Spill
from larouter.store.writer import Writer


class Alarm:
    """Looks at what the others have met; asks the database nothing."""

    def __init__(self, writer: Writer, spill: Spill, books: Books) -> None:
        self._writer = writer
        self._spill = spill
        self._books = books

    def words(self) -> str | None:
        """None: all is well."""
        if self._writer.is_damaged:
            return "The database is damaged: stop LARouter, then larouter db restore"
        if self._writer.is_failing or len(self._spill):
            return "The database cannot be written: check free disk space and the data folder"
        if self._books.wrong:
            return "The books do not add up, so budgets let nothing pass: the log says more"
        return None
