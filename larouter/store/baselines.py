"""Which model savings are measured against, by name: for this machine, or for one project.

A choice counts from now on. What a request would have cost is written down with it, so no choice
ever changes what is on the books. All choices are kept, with their times: a statement names every
baseline of its month.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from larouter.core.accounting import dearest
from larouter.core.catalog import Catalog, Model, Price
from larouter.core.errors import BadRequest
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

_NAME = "baselines"
_READ = "SELECT value FROM setting WHERE name=?"
_WRITE = """INSERT INTO setting (name, value) VALUES (?,?)
 ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


class Chosen(NamedTuple):
    """From when on what was the baseline."""

    at_ms: int
    project_id: str
    """`""`: of this machine, for every project that has none of its own."""
    model: str
    """A model's id in the catalogue; `""`: none of its own."""


class Baselines:
    """All choices in memory: a request costs two look-ups. The row is truth."""

    def __init__(
        self,
        writer: Writer,
        catalog: Callable[[], Catalog],
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._writer = writer
        self._catalog = catalog
        self._clock = clock
        self._history: tuple[Chosen, ...] = ()
        self._now: dict[str, str] = {}
        self.reload()

    def reload(self) -> None:
        """Read the row anew: another process may have changed it."""
        self._set(self._writer.run(_read))

    def of(self, project_id: str | None) -> Model | None:
        """The model in force: the project's own, else this machine's, else the first one of the
        dearest tier. None: the catalogue has no such model."""
        owner = self.owner(project_id)
        catalog = self._catalog()
        return dearest(catalog) if owner is None else catalog.models[self._now[owner]]

    def owner(self, project_id: str | None) -> str | None:
        """For whom the model in force was chosen: a project's id, or `""` for this machine. None:
        nobody has chosen one, or it is not in the catalogue any more."""
        models = self._catalog().models
        for owner in (project_id or "", ""):
            if self._now.get(owner) in models:
                return owner
        return None

    def price(self, project_id: str) -> Price | None:
        """What the ledger asks for each request."""
        model = self.of(project_id)
        return None if model is None else model.price

    def choosers(self) -> list[str]:
        """The ids of projects whose own choice is in force."""
        return sorted(id for id in self._now if id and self.owner(id) == id)

    def choose(self, project_id: str | None, name: str | None) -> Model | None:
        """Measure against this model from now on; None: against that of this machine, or of the
        dearest tier. Raises `BadRequest` for a model that has no known price, or is nobody's."""
        model = None if name is None else self._model(name)
        row = Chosen(self._clock(), project_id or "", "" if model is None else model.id)

        def job(connection: Connection) -> list[Chosen]:
            rows = [*_read(connection), row]
            connection.execute(_WRITE, (_NAME, json.dumps(rows)))
            return rows

        self._set(self._writer.run(job))
        return self.of(project_id)

    def during(self, project_id: str, since_ms: int, until_ms: int) -> list[Chosen]:
        """The choices that counted for a project between two moments, the oldest first; the
        dearest tier's model, where none was chosen, is `""`."""
        own, machine = "", ""
        found: list[Chosen] = []
        began = since_ms
        for row in self._history:
            if row.at_ms >= until_ms:
                break
            if row.project_id not in {"", project_id}:
                continue
            _add(found, Chosen(began, project_id, own or machine))
            if row.project_id:
                own = row.model
            else:
                machine = row.model
            began = max(since_ms, row.at_ms)
        _add(found, Chosen(began, project_id, own or machine))
        return found

    def _model(self, name: str) -> Model:
        models = self._catalog().models
        found = models.get(name) or next((row for row in models.values() if row.key == name), None)
        if found is None:
            raise BadRequest(
                f"There is no model {name!r} in the catalogue, so nobody knows what it costs. "
                "larouter models lists those that are.",
                param="model",
            )
        if not found.price.is_known:
            raise BadRequest(f"{found.id} has no known price to measure against.", param="model")
        return found

    def _set(self, rows: list[Chosen]) -> None:
        self._history = tuple(rows)
        self._now = {row.project_id: row.model for row in rows}


def _add(found: list[Chosen], row: Chosen) -> None:
    """Append it; one that began at the same moment never counted, and the same goes on."""
    if found and found[-1].at_ms == row.at_ms:
        found.pop()
    if not found or found[-1].model != row.model:
        found.append(row)


def _read(connection: Connection) -> list[Chosen]:
    found = connection.execute(_READ, (_NAME,)).fetchone()
    return [Chosen(*row) for row in json.loads(found[0])] if found else []
