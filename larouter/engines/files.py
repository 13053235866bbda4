"""Where the file of a local model is, and whether it is the file that its publisher states."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path

from larouter.core.catalog import Model, ModelFile

logger = logging.getLogger(__name__)


class Files:
    """Model files: in a Python package that carries one, where the user keeps one, else in the
    folder of downloads.

    A file of many gigabytes is hashed once. `state` remembers which file passed, by its path,
    size and time of change; a file that differs in any of them is hashed again.
    """

    def __init__(self, folder: Path, state: Path) -> None:
        self._folder = folder
        self._state = state
        self._packages: dict[str, Path | None] = {}

    @property
    def folder(self) -> Path:
        """Of downloads."""
        return self._folder

    def find(self, model: Model) -> Path | None:
        """Return the file of this model, or None when it is not on this machine, whole."""
        if model.file is None:
            return None
        if model.file.path is not None:
            return _kept_elsewhere(model.file)
        folder = self._package(model.file.package) if model.file.package else self._folder
        if folder is None or Path(model.file.name).name != model.file.name:
            return None
        path = folder / model.file.name
        if folder == self._folder and path.is_symlink():
            # Nothing but the download writes there, and it makes none (TRUST S9).
            return None
        return path if _is_whole(path, model.file) else None

    def is_verified(self, path: Path, sha256: str) -> bool:
        """Has this very file had this digest before?"""
        return self._remembered().get(str(path)) == _mark(path, sha256)

    def remember(self, path: Path, sha256: str) -> None:
        """Note that the file had this digest just now."""
        marks = {**self._remembered(), str(path): _mark(path, sha256)}
        part = self._state.with_name(self._state.name + ".part")
        try:
            self._state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_text(json.dumps(marks, indent=1), encoding="utf-8")
            part.replace(self._state)
        except OSError as error:
            logger.warning("cannot remember that %s is intact: %s", path.name, error)

    def _remembered(self) -> dict[str, list[int | str]]:
        try:
            marks = json.loads(self._state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            # Lost or torn: the next start hashes again, which costs time and nothing else.
            return {}
        return marks if isinstance(marks, dict) else {}

    def _package(self, name: str) -> Path | None:
        if name not in self._packages:
            # Its code is not run: the package of the starter model imports an engine of its own.
            spec = importlib.util.find_spec(name)
            places = spec.submodule_search_locations if spec else None
            self._packages[name] = Path(places[0]) if places else None
        return self._packages[name]


def _kept_elsewhere(file: ModelFile) -> Path | None:
    """The place was followed to its end when the user named it: nothing may be redirected since.
    Whether it is the same file is seen by its mark, and by its hash when that has changed."""
    path = Path(file.path or "")
    if not path.is_absolute() or path.is_symlink():
        return None
    return path if _is_whole(path, file) else None


def _is_whole(path: Path, file: ModelFile) -> bool:
    return path.is_file() and file.bytes in {None, path.stat().st_size}


def _mark(path: Path, sha256: str) -> list[int | str]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns, sha256]
