"""The orders of downloads, as small files beside the parts: a server's kill -9 loses nothing.

Everything lies in `models/downloads/`, on the same disk as the models, so that a part becomes a
model by a rename: `ID.order.json`, and for each file `NAME.part` with `NAME.part.json`.
Several processes may write; each change is made under a lock and is one rename.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock

from larouter.config import write_private_file
from larouter.core.errors import Conflict, Unavailable
from larouter.downloads.order import Order, is_id

_ORDER = ".order.json"
_LOCK_S = 5.0


class Orders:
    """The folder of one machine. It touches the disk: not for the hub."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.folder = models / "downloads"

    def all(self) -> list[Order]:
        """The oldest first."""
        found = [self._read(path) for path in self.folder.glob(f"*{_ORDER}")]
        return sorted(
            (order for order in found if order), key=lambda order: (order.made_ms, order.id)
        )

    def get(self, order_id: str) -> Order | None:
        return self._read(self._path(order_id)) if is_id(order_id) else None

    def change(self, order_id: str, edit: Callable[[Order | None], Order | None]) -> Order | None:
        """Replace an order by what `edit` makes of it; None leaves it as it is."""
        self.prepare()
        with self._locked():
            changed = edit(self.get(order_id))
            if changed is not None:
                self._refuse_taken(changed)
                self._write(changed)
        return changed

    def drop(self, order: Order) -> None:
        """Forget an order and what has arrived of it, unless it is wanted again meanwhile."""
        with self._locked():
            now = self.get(order.id)
            if now is not None and now.state != order.state:
                return
            self._free(order)
            self.lock(order.id).unlink(missing_ok=True)
            self._path(order.id).unlink(missing_ok=True)

    def arrived(self, order: Order) -> int:
        """Bytes on the disk, whole files included."""
        return sum(self._size_of(piece.name) for piece in order.files)

    def are_whole(self, order: Order) -> bool:
        """Are all its files where the engine looks for them?"""
        return all((self.models / piece.name).is_file() for piece in order.files)

    def left(self, orders: Iterable[Order]) -> int:
        """Bytes that have still to come for these, as far as it is known."""
        return sum(max((order.total or 0) - self.arrived(order), 0) for order in orders)

    def part(self, name: str) -> Path:
        return self.folder / f"{name}.part"

    def state(self, name: str) -> Path:
        return self.folder / f"{name}.part.json"

    def lock(self, order_id: str) -> Path:
        """Held by the process that brings the files."""
        return self.folder / f"{order_id}.order.lock"

    def prepare(self) -> None:
        """Raises `Unavailable` for a folder that leads somewhere else (TRUST S9)."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"The folder of the models cannot be written ({error.strerror}). Make it writable, "
                "or free some space."
            ) from error
        if self.folder.is_symlink():
            raise Unavailable("The folder of the downloads is a symbolic link; remove it.")

    def tell(self, progress: dict[str, Any]) -> None:
        """For other processes: how far what runs has come."""
        write_private_file(self.folder / "progress.json", json.dumps(progress).encode())

    def told(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            found = json.loads((self.folder / "progress.json").read_bytes())
            return found if isinstance(found, dict) else {}
        return {}

    def _locked(self) -> FileLock:
        return FileLock(self.folder / "orders.lock", timeout=_LOCK_S, mode=0o600)

    def _write(self, order: Order) -> None:
        content = msgspec.json.encode(order)
        try:
            write_private_file(self._path(order.id), content)
        except OSError:
            if order.state != "cancelled":
                raise
            # On a full disk: what is given up makes the room to say so.
            self._free(order)
            write_private_file(self._path(order.id), content)

    def _free(self, order: Order) -> None:
        for piece in order.files:
            for path in (self.part(piece.name), self.state(piece.name)):
                path.unlink(missing_ok=True)

    def _refuse_taken(self, order: Order) -> None:
        names = {piece.name for piece in order.files}
        for other in self.all():
            if other.id != order.id and names & {piece.name for piece in other.files}:
                raise Conflict(
                    f"A file of {order.id} has the same name as one of {other.id}; remove that "
                    "model or its download first.",
                    code="file_name_taken",
                )

    def _size_of(self, name: str) -> int:
        for path in (self.models / name, self.part(name)):
            with suppress(OSError):
                return path.stat(follow_symlinks=False).st_size
        return 0

    def _path(self, order_id: str) -> Path:
        return self.folder / f"{order_id}{_ORDER}"

    def _read(self, path: Path) -> Order | None:
        # Written by rename, so never half; an unknown form is from another version.
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(path.read_bytes(), type=Order)
        return None
