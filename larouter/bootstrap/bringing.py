"""Models that no catalogue knows: `owner/repo:file` becomes an order, and its file a model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import msgspec

from larouter.core.errors import BadRequest, Conflict, LARouterError
from larouter.core.own_models import is_free, name_of, same_file
from larouter.downloads.asking import Asking
from larouter.downloads.order import Order, Piece, checked, order_of
from larouter.downloads.reference import Reference, choose
from larouter.engines.heads import Heads
from larouter.engines.imports import Import
from larouter.store.catalog import Catalogs
from larouter.store.local_models import LocalModel, LocalModels

_NOT_FACTS = frozenset({"template", "parts", "name", "context"})


class Bringing:
    """From a reference to an order, and from a whole file to a model that can be called."""

    def __init__(
        self,
        asking: Asking,
        catalogs: Catalogs,
        own_models: LocalModels,
        heads: Heads,
        models: Path,
    ) -> None:
        self._asking = asking
        self._catalogs = catalogs
        self._own = own_models
        self._heads = heads
        self._models = models

    def order(self, reference: Reference, orders: Callable[[], list[Order]]) -> Order:
        """Ask the hub what it has; of several files the caller chooses. Raises `LARouterError`."""
        found = choose(reference, self._asking.models(reference.repo, reference.revision))
        now = round(time.time() * 1000)
        known = same_file(self._catalogs.listed, found.bytes or 0, found.sha256)
        if known is not None and known.file is not None and known.file.repo is not None:
            return order_of(known, now)
        own = self._own.of_file(found.sha256 or "")
        if own is not None:
            raise Conflict(
                f"This very file is here already, as local/{own.id}.", code="model_exists"
            )
        begun = [one for one in orders() if one.files[0].sha256 == found.sha256]
        name = begun[0].id if begun else self._free_name(found, {one.id for one in orders()})
        title = f"{found.path.rpartition('/')[2].removesuffix('.gguf')} ({reference.repo})"
        piece = msgspec.structs.replace(found, name=f"{name}.gguf")
        return checked(Order(id=name, title=title, files=(piece,), made_ms=now))

    def take(self, order: Order) -> None:
        """A download is whole: from now on it can be called. Raises `LARouterError` for a file
        that is no model, which is then deleted."""
        piece = order.files[0]
        if order.id in self._catalogs.listed.models or self._own.get(order.id) is not None:
            return
        path = self._models / piece.name
        try:
            coming = Import(str(path), self._heads)
        except LARouterError as error:
            if error.status < 500:
                path.unlink(missing_ok=True)
            raise
        said = asdict(coming.head)
        row = LocalModel(
            id=order.id,
            title=order.title,
            file=piece.name,
            bytes=piece.bytes or 0,
            sha256=piece.sha256 or "",
            context=coming.head.context,
            abilities=coming.abilities,
            facts={name: said[name] for name in said if name not in _NOT_FACTS and said[name]},
            repo=piece.repo,
            revision=piece.revision,
        )
        try:
            self._own.add(row)
        except Conflict:
            # Another process was as quick.
            self._own.reload()
        self._catalogs.use_own(self._own.as_models)

    def _free_name(self, piece: Piece, taken: set[str]) -> str:
        start = name_of(piece.path.rpartition("/")[2].removesuffix(".gguf"))[:80].rstrip("-._")
        if not start:
            raise BadRequest("The file's name leaves nothing that a model could be called by.")
        names = (start, *(f"{start}-{number}" for number in range(2, 1_000)))
        catalog = self._catalogs.current
        return next(name for name in names if is_free(name, catalog) and name not in taken)
