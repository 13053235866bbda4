"""Takes over a model file that the user has already: read, hashed and linked, never moved.

A hard link costs nothing and stays when the user deletes the file. Where none can be made (another
disk, another owner) the place is remembered; such a file is looked at again before each load
(`engines.files`).
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from larouter.core.errors import BadRequest, Conflict, StorageDown
from larouter.engines.files import Files
from larouter.engines.gguf import Head, NotGGUF
from larouter.engines.heads import Heads

_PIECE = 4 * 1024 * 1024
_CHATML = "<|im_start|>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """Where the file is for us."""

    name: str
    """In the folder of downloads."""
    path: str | None
    """Where the user keeps it, when it could not be linked into that folder."""


class Import:
    """One file on its way in. `digest` may run in a thread of its own; `done` says how far."""

    def __init__(self, given: str, heads: Heads) -> None:
        """Raises `BadRequest` for what is no model file, or none that can be run."""
        self.path = _real(given)
        facts = self.path.stat()
        self.total = facts.st_size
        self.done = 0
        self.is_cancelled = False
        self._mark = (facts.st_size, facts.st_mtime_ns)
        self.head = _head(self.path, heads)

    @property
    def abilities(self) -> frozenset[str]:
        """What the engine makes of such a model, by its head alone."""
        if self.head.is_embedding:
            return frozenset({"embeddings"})
        template = self.head.template
        tools = {"tools"} if "tools" in template or _CHATML in template else set()
        return frozenset({"json_schema", "logprobs", *tools})

    def digest(self) -> str:
        """The SHA-256 of the whole file. Raises `BadRequest` when it changed meanwhile."""
        found = hashlib.sha256()
        try:
            with self.path.open("rb") as file:
                while piece := file.read(_PIECE):
                    found.update(piece)
                    self.done += len(piece)
                    if self.is_cancelled:
                        break
            facts = self.path.stat()
        except OSError as error:
            raise _refused(f"The file cannot be read to its end ({error.strerror}).") from error
        if (facts.st_size, facts.st_mtime_ns) != self._mark or self.done != self.total:
            raise _refused("The file changed while it was read; try again when it is whole.")
        return found.hexdigest()

    def link(self, files: Files, name: str, sha256: str) -> Linked:
        """Make it a file of ours under this name. Raises `Conflict` when another one has it."""
        place = files.folder / name
        if self.path.parent == files.folder.resolve() and self.path.suffix == place.suffix:
            # Put there by hand: it is where it should be, whatever it is called.
            files.remember(self.path, sha256)
            return Linked(name=self.path.name, path=None)
        linked = self._linked(place)
        files.remember(place if linked else self.path, sha256)
        return Linked(name=name, path=None if linked else str(self.path))

    def _linked(self, place: Path) -> bool:
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made exclusively: what is there already is never replaced (TRUST S9).
            os.link(self.path, place, follow_symlinks=False)
        except FileExistsError:
            if not place.is_symlink() and place.samefile(self.path):
                return True
            raise Conflict(
                f"Another {place.name} is in the folder of models; choose another name.",
                code="model_exists",
                param="name",
            ) from None
        except (OSError, NotImplementedError):
            if not place.parent.is_dir():
                raise StorageDown("The data folder cannot be written.") from None
            return False
        return True


def _real(given: str) -> Path:
    try:
        path = Path(given)
        if not path.is_absolute() or "\0" in given:
            raise _refused("Write the whole path of a file on this machine.")
        # Caches link to their files: what counts, and is remembered, is where the file itself is.
        path = path.resolve(strict=True)
        if not stat.S_ISREG(path.stat().st_mode):
            raise _refused(f"{given} is not a file.")
    except OSError as error:
        raise _refused(f"The file {given} cannot be read ({error.strerror}).") from error
    return path


def _head(path: Path, heads: Heads) -> Head:
    try:
        head = heads.of(path)
    except NotGGUF as error:
        raise _refused(str(error)) from error
    except OSError as error:
        raise _refused(f"The file cannot be read ({error.strerror}).") from error
    if head.parts > 1:
        raise _refused(
            f"The file is one of {head.parts} parts of a model; merge them first "
            "(llama-gguf-split --merge)."
        )
    if not head.tensors:
        raise _refused("The file holds no weights.")
    if head.layers is None or head.architecture == "clip":
        raise _refused("The file is not a language model; perhaps it belongs to one.")
    return head


def _refused(message: str) -> BadRequest:
    return BadRequest(message, code="not_a_model", param="path")
