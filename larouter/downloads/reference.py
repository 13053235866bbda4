"""`owner/repo:file`: a model by where it lies, which no catalogue knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from larouter.core.errors import BadRequest
from larouter.downloads.failed import shown_bytes
from larouter.downloads.order import Piece

_FORM = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})"
    r"(@(?P<revision>[A-Za-z0-9][\w.-]{0,99}))?"
    r"(:(?P<file>[A-Za-z0-9][\w.+/-]{0,300}))?",
    re.ASCII,
)
_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What was asked for."""

    repo: str
    revision: str
    file: str | None
    """A file of the repository, or a part of its name that only it has, such as `Q4_K_M`."""


def read_reference(text: str) -> Reference | None:
    """`owner/repo`, `owner/repo:file`, `owner/repo@revision:file`; None: it is nothing of this."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    return Reference(repo=match["repo"], revision=match["revision"] or "main", file=match["file"])


def choose(reference: Reference, files: Sequence[Piece]) -> Piece:
    """The file that is meant. Raises `BadRequest`, which lists them when several may be."""
    if not files:
        raise BadRequest(
            f"{reference.repo} has no GGUF file with a model in it, in one piece and with its "
            "SHA-256.",
            code="choose_file",
            param="id",
        )
    meant = _matching(reference.file, files)
    if len(meant) == 1:
        return meant[0]
    shown = ", ".join(
        f"{piece.path} ({shown_bytes(piece.bytes or 0)})" for piece in (meant or files)[:_SHOWN]
    )
    how = "has no such file" if reference.file and not meant else "has several files"
    raise BadRequest(
        f"{reference.repo} {how}; name one, as {reference.repo}:FILE. {shown}",
        code="choose_file",
        param="id",
    )


def _matching(wish: str | None, files: Sequence[Piece]) -> Sequence[Piece]:
    if wish is None:
        return files
    exact = [piece for piece in files if wish in {piece.path, piece.path.rpartition("/")[2]}]
    return exact or [piece for piece in files if wish.lower() in piece.path.lower()]
