"""The providers that the user added: rows; their keys are elsewhere (TRUST S6)."""

from __future__ import annotations

from dataclasses import dataclass

from larouter.core.errors import Conflict, NotFound
from larouter.store.sql import Connection, IntegrityError
from larouter.store.writer import Writer, now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedProvider:
    name: str
    wire: str
    url: str


class AddedProviders:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def list(self) -> list[AddedProvider]:
        def read(connection: Connection) -> list[tuple[str, str, str]]:
            return connection.execute(
                "SELECT name, wire, url FROM provider ORDER BY created_ms"
            ).fetchall()

        return [
            AddedProvider(name=name, wire=wire, url=url)
            for name, wire, url in self._writer.run(read)
        ]

    def add(self, provider: AddedProvider) -> None:
        """Raises `Conflict` when the name is taken."""

        def job(connection: Connection) -> None:
            try:
                connection.execute(
                    "INSERT INTO provider (name, wire, url, created_ms) VALUES (?,?,?,?)",
                    (provider.name, provider.wire, provider.url, now_ms()),
                )
            except IntegrityError:
                raise Conflict(
                    f"There is a provider {provider.name!r} already.", code="provider_exists"
                ) from None

        self._writer.run(job)

    def remove(self, name: str) -> None:
        """Raises `NotFound`."""

        def job(connection: Connection) -> int:
            return connection.execute("DELETE FROM provider WHERE name=?", (name,)).rowcount

        if not self._writer.run(job):
            raise NotFound(f"There is no provider {name!r} that was added.")
