"""Statements as the doors ask for them: of a project and a month, with the baselines by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from larouter.core.accounting import dearest
from larouter.core.catalog import Catalog
from larouter.store.baselines import Baselines, Chosen
from larouter.store.reports import Reports
from larouter.store.statements import Owner, Statement
from larouter.store.usage import Days


class Bills:
    """Reads; never writes."""

    def __init__(
        self, reports: Reports, baselines: Baselines, catalog: Callable[[], Catalog]
    ) -> None:
        self._reports = reports
        self._baselines = baselines
        self._catalog = catalog

    def owners(self) -> list[Owner]:
        """Whoever can have a statement: every project that there is or was."""
        return self._reports.owners()

    def today(self, zone: str | None = None) -> date:
        """Of a zone; None: of this machine's."""
        return self._reports.date_in(zone)

    def statement(self, project: str, month: Days) -> Statement:
        """Of a project, by its id or name. Raises `NotFound`."""
        found = self._reports.statement(project, month)
        chosen = self._baselines.during(found.owner.id, found.since_ms, found.until_ms)
        named = tuple(row._replace(model=self._key(row)) for row in chosen)
        return replace(found, baselines=named)

    def _key(self, row: Chosen) -> str:
        """`provider/model`; where nobody had chosen one, that of today's dearest tier."""
        catalog = self._catalog()
        model = catalog.models.get(row.model) if row.model else dearest(catalog)
        return row.model if model is None else model.key
