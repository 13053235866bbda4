"""Model files that the user brought along, as rows: what each is called and where it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from larouter.core.catalog import FREE, Model, ModelFile
from larouter.core.errors import Conflict, NotFound
from larouter.core.own_models import shape_of
from larouter.store.sql import Connection, IntegrityError
from larouter.store.writer import Writer, now_ms

_COLUMNS = (
    "id, title, file, path, bytes, sha256, context, abilities, facts, repo, revision, pinned, "
    "added_ms"
)
_LIST = f"SELECT {_COLUMNS} FROM local_model ORDER BY added_ms, id"  # noqa: S608 - named above
_INSERT = f"INSERT INTO local_model ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """One of them."""

    id: str
    title: str
    file: str
    path: str | None = None
    bytes: int
    sha256: str
    context: int | None = None
    abilities: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=dict)
    repo: str | None = None
    revision: str | None = None
    pinned: bool = False
    added_ms: int = 0

    def as_model(self) -> Model:
        """As the router knows models; what nobody has read stays empty."""
        source = (
            f"the file's own header; from {self.repo}" if self.repo else "the file's own header"
        )
        return Model(
            id=self.id,
            name=self.id,
            provider="local",
            title=self.title,
            context=self.context,
            price=FREE,
            abilities=self.abilities,
            source=source,
            shape=shape_of(self.facts),
            file=ModelFile(
                name=self.file,
                bytes=self.bytes,
                sha256=self.sha256,
                repo=self.repo,
                revision=self.revision,
                path=self.path,
            ),
        )


class LocalModels:
    """All of them in memory; the rows are truth."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._all: tuple[LocalModel, ...] = ()
        self.reload()

    def all(self) -> tuple[LocalModel, ...]:
        """The oldest first."""
        return self._all

    def as_models(self) -> list[Model]:
        """The same, as the router knows models."""
        return [row.as_model() for row in self._all]

    def get(self, id: str) -> LocalModel | None:
        return next((row for row in self._all if row.id == id), None)

    def of_file(self, sha256: str) -> LocalModel | None:
        """The one with this very content."""
        return next((row for row in self._all if row.sha256 == sha256), None)

    def add(self, model: LocalModel) -> LocalModel:
        """Raises `Conflict` when the name is taken."""
        values = (
            model.id, model.title, model.file, model.path, model.bytes, model.sha256, model.context,
            " ".join(sorted(model.abilities)), json.dumps(dict(model.facts)), model.repo,
            model.revision, int(model.pinned), model.added_ms or now_ms(),
        )  # fmt: skip

        def job(connection: Connection) -> None:
            try:
                connection.execute(_INSERT, values)
            except IntegrityError:
                raise Conflict(
                    f"There is a model {model.id!r} already; choose another name.",
                    code="model_exists",
                    param="name",
                ) from None

        self._writer.run(job)
        self.reload()
        return next(row for row in self._all if row.id == model.id)

    def remove(self, id: str) -> LocalModel:
        """Forget the row, not the file. Raises `NotFound`."""
        row = self.get(id)
        if row is None:
            raise NotFound(f"There is no model {id!r} that was brought along.")
        self._writer.run(
            lambda connection: connection.execute("DELETE FROM local_model WHERE id=?", (id,))
        )
        self.reload()
        return row

    def reload(self) -> None:
        """Read the rows anew: another process may have brought one."""

        def read(connection: Connection) -> list[tuple[Any, ...]]:
            return connection.execute(_LIST).fetchall()

        self._all = tuple(_row(values) for values in self._writer.run(read))


def _row(values: tuple[Any, ...]) -> LocalModel:
    (id, title, file, path, size, sha256, context, abilities, facts, repo, revision, pinned,
     added_ms) = values  # fmt: skip
    return LocalModel(
        id=id,
        title=title,
        file=file,
        path=path,
        bytes=size,
        sha256=sha256,
        context=context,
        abilities=frozenset(abilities.split()),
        facts=json.loads(facts),
        repo=repo,
        revision=revision,
        pinned=bool(pinned),
        added_ms=added_ms,
    )
