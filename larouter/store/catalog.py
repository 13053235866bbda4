"""The catalogue in force: the shipped one, or the one that the user put in its place."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from larouter.core.catalog import Catalog, Model
from larouter.core.catalog_changes import Change, changes
from larouter.core.catalog_toml import read_catalog
from larouter.core.errors import BadRequest, Conflict, StorageDown
from larouter.core.own_models import with_own
from larouter.store.prices import record_prices
from larouter.store.writer import Writer

logger = logging.getLogger(__name__)

MOST_BYTES = 5 * 1024 * 1024
_DAY_S = 86_400


class Catalogs:
    """Knows which prices are in force today, and records each that comes into force.

    The catalogue itself never changes: another one takes its place, at once and as a whole. So a
    call keeps the price at which it was decided, whatever happens meanwhile (TRUST B13).
    """

    def __init__(
        self,
        shipped: str,
        kept: Path,
        writer: Writer,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._shipped = shipped
        self._kept = kept
        self._writer = writer
        self._clock = clock
        self._day = -1
        self.problem: str | None
        """Why the user's own catalogue is not used, or None."""
        self.versions: dict[str, int] = {}
        """The price version of each `provider/model`; the ledger looks into this very object."""
        self._seen: tuple[int, int] | None = None
        self._read_own: Callable[[], Sequence[Model]] = tuple
        self._own: tuple[Model, ...] = ()
        self._text, self._catalog = self._at_start()
        self._begin_day()

    @property
    def current(self) -> Catalog:
        """The catalogue with today's prices, and the user's own models. A day begins at midnight,
        UTC."""
        self._keep_to_day()
        return self._whole

    @property
    def listed(self) -> Catalog:
        """The same without the user's own models."""
        self._keep_to_day()
        return self._catalog

    def use_own(self, read: Callable[[], Sequence[Model]]) -> None:
        """From now on the models that `read` gives are there as well."""
        self._read_own = read
        new = [model for model in read() if model.id not in self.listed.models]
        self.versions.update(record_prices(self._writer, new))
        # Read again: writing gave others their turn, who may have brought a further one.
        self._own = tuple(read())
        self._whole = with_own(self._catalog, self._own)

    @property
    def is_shipped(self) -> bool:
        return self._text == self._shipped

    @property
    def text(self) -> str:
        return self._text

    def refresh(self) -> None:
        """Use what another process has put in its place, or brought along."""
        if tuple(self._read_own()) != self._own:
            self.use_own(self._read_own)
        if _stamp(self._kept) != self._seen:
            text, catalog = self._at_start()
            self._switch(text, catalog, lambda: None)

    def preview(self, text: str) -> tuple[str, list[Change]]:
        """Say what `text` would change, and by which digest it may be agreed to."""
        return _digest(text), changes(self.listed, self._read(text))

    def replace(self, text: str, digest: str) -> list[Change]:
        """Use `text` from now on and after a restart. `digest` says that it was looked at."""
        catalog = self._read(text)
        if digest != _digest(text):
            raise Conflict("This is not the catalogue that was shown; look at its changes again.")
        found = self._switch(text, catalog, lambda: self._keep(text))
        self.problem = None
        return found

    def reset(self) -> list[Change]:
        """Use the shipped catalogue again."""
        shipped = read_catalog(self._shipped, self._today())
        found = self._switch(self._shipped, shipped, lambda: self._kept.unlink(missing_ok=True))
        self.problem = None
        return found

    def _switch(self, text: str, catalog: Catalog, keep: Callable[[], None]) -> list[Change]:
        found = changes(self.listed, catalog)
        # Recorded first: no call may be made at a price that is not on the books.
        versions = record_prices(self._writer, catalog.models.values())
        try:
            keep()
        except OSError as error:
            raise StorageDown("The data folder cannot be written.") from error
        self._put(text, catalog, versions)
        self._seen = _stamp(self._kept)
        return found

    def _at_start(self) -> tuple[str, Catalog]:
        self.problem = None
        shipped = read_catalog(self._shipped, self._today())
        self._seen = _stamp(self._kept)
        try:
            if self._kept.stat().st_size > MOST_BYTES:
                raise ValueError("it is too large")
            text = self._kept.read_text(encoding="utf-8")
            _refuse_foreign_packages(catalog := read_catalog(text, self._today()), shipped)
        except FileNotFoundError:
            return self._shipped, shipped
        except (OSError, ValueError) as error:
            # A fault in a file must not keep a server from starting.
            self.problem = f"{self._kept.name} in the data folder is not used: {error}"
            logger.warning("%s; the shipped catalogue is used instead", self.problem)
            return self._shipped, shipped
        return text, catalog

    def _read(self, text: str) -> Catalog:
        if len(text.encode()) > MOST_BYTES:
            raise BadRequest("A catalogue has at most 5 MiB.")
        try:
            catalog = read_catalog(text, self._today())
            _refuse_foreign_packages(catalog, read_catalog(self._shipped, self._today()))
        except ValueError as error:
            raise BadRequest(f"This catalogue cannot be used: {error}.") from error
        return catalog

    def _keep_to_day(self) -> None:
        if self._clock() // _DAY_S != self._day:
            self._begin_day()

    def _begin_day(self) -> None:
        text, catalog = self._text, self._catalog
        today = catalog.on(self._today())
        versions = record_prices(self._writer, today.models.values())
        # Writing gave others their turn: the admin may have put another one in its place.
        if self._catalog is catalog:
            self._put(text, today, versions)

    def _put(self, text: str, catalog: Catalog, versions: dict[str, int]) -> None:
        self.versions.update(versions)
        self._text, self._catalog, self._day = text, catalog, int(self._clock() // _DAY_S)
        self._whole = with_own(catalog, self._own)

    def _keep(self, text: str) -> None:
        part = self._kept.with_name(self._kept.name + ".part")
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._kept)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()


def _stamp(path: Path) -> tuple[int, int] | None:
    """Another one for another content; None: there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_foreign_packages(catalog: Catalog, shipped: Catalog) -> None:
    """A catalogue names no Python package but the one that this version came with."""
    ours = {model.file.package for model in shipped.models.values() if model.file}
    for model in catalog.models.values():
        if model.file and model.file.package not in {None, *ours}:
            raise ValueError(f"model {model.id} is in a package that LARouter does not know")
