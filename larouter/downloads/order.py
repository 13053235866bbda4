"""What is to be downloaded: one model and its files, with names that can do no harm (TRUST S9)."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from larouter.core.catalog import Model, ModelFile
from larouter.core.errors import BadRequest

State = Literal["queued", "paused", "failed", "done", "cancelled"]
"""`queued` is also what runs: which of them do is known by whoever runs them."""

# No name begins with a dot or a hyphen, holds a separator, or ends in anything but what an engine
# reads as plain data.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,180}\.gguf")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,180}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_id(text: str) -> bool:
    """May a file be called by it?"""
    return _ID.fullmatch(text) is not None


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One file. Size and hash None: not known before the hub is asked."""

    name: str
    """What it is called here, and in its repository unless `path` says otherwise."""
    repo: str
    path: str = ""
    """Where it lies in the repository."""
    revision: str = "main"
    bytes: int | None = None
    sha256: str | None = None
    pinned: bool = False
    """Do size and hash come from the catalogue? Else the hub has said them itself."""

    @property
    def is_known(self) -> bool:
        return self.bytes is not None and self.sha256 is not None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One model's download, from the wish to the end."""

    id: str
    """The model's."""
    title: str
    files: tuple[Piece, ...]
    """The first one is what the engine opens; it appears last."""
    state: State = "queued"
    code: str | None = None
    message: str | None = None
    """Why it failed, and what to do."""
    made_ms: int = 0
    ended_ms: int | None = None

    @property
    def total(self) -> int | None:
        """Bytes; None while one file's size is unknown."""
        sizes = [piece.bytes for piece in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)


def order_of(model: Model, now_ms: int) -> Order:
    """The order for a model of the catalogue. Raises `BadRequest`."""
    if not model.is_local or model.file is None:
        raise BadRequest(
            f"{model.id} runs at {model.provider}, so there is nothing to download.", param="id"
        )
    if model.file.repo is None:
        raise BadRequest(
            f"No repository is known for {model.id}, so it cannot be downloaded.", param="id"
        )
    piece = _piece(model.file)
    return checked(
        Order(id=model.id, title=model.title or model.id, files=(piece,), made_ms=now_ms)
    )


def checked(order: Order) -> Order:
    """The same; raises `BadRequest` for a name that does not look like one."""
    good = bool(_ID.fullmatch(order.id)) and bool(order.files)
    if not good or not all(_is_good(piece) for piece in order.files):
        raise BadRequest(
            "A repository is OWNER/NAME, its revision a commit, tag or branch, and its file ends "
            "in .gguf; this one's names are not like that, so it is not downloaded.",
            code="unsafe_name",
            param="id",
        )
    names = [piece.name.lower() for piece in order.files]
    if len(set(names)) < len(names):
        raise BadRequest("Two files of one model have the same name.", param="id")
    return order


def _piece(file: ModelFile) -> Piece:
    return Piece(
        name=file.name,
        repo=file.repo or "",
        revision=file.revision or "main",
        bytes=file.bytes,
        sha256=file.sha256,
        pinned=file.sha256 is not None,
    )


def _is_good(piece: Piece) -> bool:
    *folders, last = (piece.path or piece.name).split("/")
    words = piece.repo.split("/")
    return (
        bool(_NAME.fullmatch(piece.name) and _NAME.fullmatch(last))
        and all(_FOLDER.fullmatch(folder) for folder in folders)
        and len(words) == 2
        and all(_WORD.fullmatch(word) for word in words)
        and bool(_REVISION.fullmatch(piece.revision))
        and (piece.sha256 is None or bool(_SHA256.fullmatch(piece.sha256)))
        and (piece.bytes is None or piece.bytes > 0)
    )
