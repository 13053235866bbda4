"""Removing a model: its files go, and what runs it ends first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from larouter.core.catalog import Model
from larouter.core.errors import BadRequest, Conflict, NotFound
from larouter.downloads.queue import Downloads, here

_WORKS = frozenset({"loading", "ready"})


class Removal:
    """Frees what models take of the disk."""

    def __init__(
        self,
        models: Path,
        downloads: Downloads,
        *,
        state: Callable[[Model], str],
        stop: Callable[[Model], None],
        forget: Callable[[Model], None] = lambda model: None,
        offload: Callable[[Callable[[], Any]], Any] = here,
    ) -> None:
        """`state` and `stop` are of the engine that runs a model; `forget` is told what has gone,
        so that a model of the user's own is called no more."""
        self._models = models
        self._downloads = downloads
        self._state = state
        self._stop = stop
        self._forget = forget
        self._offload: Callable[[Callable[[], Any]], Any] = offload

    def remove(self, model: Model, *, is_preview: bool = False) -> int:
        """Delete the model's files and what has arrived of them; return the bytes that it frees.

        Raises `BadRequest` for a model that is not on the disk by our doing, `NotFound`.
        """
        names = _names(model)
        under_way = self._under_way(model.id)
        is_there, size = self._offload(lambda: self._look(names))
        freed: int = size + under_way
        if not (is_there or under_way or _is_elsewhere(model)):
            raise NotFound(
                f"{model.id} is not on this machine, so there is nothing to remove.",
                code="model_not_downloaded",
            )
        if is_preview:
            return freed
        self._end_engine(model)
        self._downloads.forget(model.id)
        self._offload(lambda: self._unlink(names))
        self._forget(model)
        return freed

    def _end_engine(self, model: Model) -> None:
        """Its file stays on the disk as long as somebody has it open."""
        if self._state(model) in _WORKS:
            self._stop(model)
        if self._state(model) in _WORKS:
            raise Conflict(
                f"{model.id} is in use and could not be stopped; try again in a moment.",
                code="model_in_use",
            )

    def _under_way(self, model_id: str) -> int:
        row = next((row for row in self._downloads.rows() if row.id == model_id), None)
        return row.bytes_done if row is not None and row.state != "done" else 0

    def _look(self, names: tuple[str, ...]) -> tuple[bool, int]:
        """Is there anything, and how many bytes would go?"""
        found = [path for path in (self._models / name for name in names) if os.path.lexists(path)]
        facts = [path.lstat() for path in found]
        # What another program keeps as well is not freed by our letting go of it.
        return bool(found), sum(one.st_size for one in facts if one.st_nlink == 1)

    def _unlink(self, names: tuple[str, ...]) -> None:
        for name in names:
            (self._models / name).unlink(missing_ok=True)


def _is_elsewhere(model: Model) -> bool:
    """A file that the user keeps in another place is left alone; only the model is forgotten."""
    return model.file is not None and model.file.path is not None


def _names(model: Model) -> tuple[str, ...]:
    if not model.is_local or model.file is None:
        raise BadRequest(f"{model.id} runs at {model.provider}: it takes no disk here.", param="id")
    if model.file.package is not None:
        raise BadRequest(
            f"{model.id} came with LARouter, as the Python package {model.file.package}; it goes "
            "by uninstalling that.",
            param="id",
        )
    if _is_elsewhere(model):
        return ()
    files = (model.file, model.projector)
    return tuple(file.name for file in files if file is not None)
