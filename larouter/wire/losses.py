"""What gets lost between two formats: refused with a clear 400, or left out by a written rule.

Each dialect and each wire has its rows; docs/translation.md shows them, and tests hold both to the
code. Nothing else is left out: a field that no row names is carried, or it is unknown to everyone
and goes only to a provider that owns the dialect (TRUST S8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from larouter.core.conversation import Conversation, Media, Part, Text, ToolResult, Turn
from larouter.core.errors import CannotCarry

if TYPE_CHECKING:
    from larouter.wire.road import Dialect, Wire


class Loss(NamedTuple):
    field: str
    """A dialect's: the name in the client's body. A wire's: a field of `Conversation`, or images,
    audio, files."""
    becomes: Literal["left out", "refused"]
    why: str
    """For people: one clause."""
    harmless: tuple[Any, ...] = ()
    """Values with which a refused field may pass, because they ask for nothing."""


def refuse_what_is_lost(conversation: Conversation, dialect: Dialect, wire: Wire) -> None:
    """Raises `CannotCarry` for the first thing that `wire` cannot be told."""
    refuse_fields(conversation.extra, dialect.losses)
    for loss in wire.losses:
        if loss.becomes == "refused" and _has(conversation, loss.field):
            raise _cannot(loss)
    if any(turn.role == "system" and not _is_text(turn) for turn in conversation.turns):
        raise CannotCarry(
            "The model that answers takes instructions as text. Put pictures and files into a "
            "message of the user.",
            param="messages",
        )


def refuse_fields(lost: Mapping[str, Any], losses: Iterable[Loss]) -> None:
    """Raises `CannotCarry` if one of the lost fields is to be refused and not left out."""
    for loss in losses:
        value = lost.get(loss.field)
        if loss.becomes == "refused" and value is not None and value not in loss.harmless:
            raise _cannot(loss)


def _cannot(loss: Loss) -> CannotCarry:
    return CannotCarry(
        f"The model that answers cannot be given '{loss.field}': {loss.why}. Leave it out, or ask "
        "for a model that takes it.",
        param=loss.field,
    )


def _is_text(turn: Turn) -> bool:
    return all(type(part) is Text for part in turn.parts)


def _has(conversation: Conversation, field: str) -> bool:
    if field in {"images", "audio", "files"}:
        return any(_holds(part, field) for turn in conversation.turns for part in turn.parts)
    return bool(getattr(conversation, field))


def _holds(part: Part, kind: str) -> bool:
    if type(part) is ToolResult:
        return any(_holds(inner, kind) for inner in part.parts)
    return type(part) is Media and part.kind == kind
