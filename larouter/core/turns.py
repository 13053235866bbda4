"""Remembers, for a while, which model asked for a tool, and what it thought before.

Two uses. The answer to a call of a tool goes back to the model that called (never a switch between
a call and its result). And some dialects have no place for a provider's opaque parts, which that
provider wants back with the result: they are kept here, in memory only, and put back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from larouter.core.conversation import Conversation, Part, Text, Thinking, ToolCall, Turn

_MOST_BYTES = 32 * 1024 * 1024
_MOST_CALLS = 20_000


class _Kept(NamedTuple):
    model: str
    parts: tuple[Part, ...]
    size: int


class Turns:
    """Oldest forgotten first. A project's calls are its own: ids alone could be guessed."""

    def __init__(self, most_bytes: int = _MOST_BYTES, most_calls: int = _MOST_CALLS) -> None:
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._size = 0
        self._most_bytes = most_bytes
        self._most_calls = most_calls

    def remember(
        self, project: str, model: str, call_ids: Iterable[str], parts: tuple[Part, ...] = ()
    ) -> None:
        """`model` (its key) asked for these calls; `parts` are its whole turn, if they are known
        and hold something opaque."""
        kept = _Kept(model, parts, sum(map(_size, parts)))
        for call_id in call_ids:
            # An id that comes again is another call: what was kept for it is of no use to this one.
            previous = self._kept.pop((project, call_id), None)
            if previous is not None:
                self._size -= previous.size
            self._kept[project, call_id] = kept
            self._size += kept.size
        while self._kept and (self._size > self._most_bytes or len(self._kept) > self._most_calls):
            self._size -= self._kept.popitem(last=False)[1].size

    def model_of(self, project: str, call_ids: Iterable[str]) -> str | None:
        """The key of the model that asked for one of these calls."""
        for call_id in call_ids:
            kept = self._kept.get((project, call_id))
            if kept is not None:
                return kept.model
        return None

    def restored(self, project: str, call_ids: Iterable[str]) -> int:
        """Bytes that would be put back into a conversation with these calls."""
        kept = {id(found): found.size for call_id in call_ids
                if (found := self._kept.get((project, call_id))) is not None}  # fmt: skip
        return sum(kept.values())

    def thinking(self, project: str, call_id: str) -> str | None:
        """What the model thought before this call, as text."""
        kept = self._kept.get((project, call_id))
        texts = [part.text for part in kept.parts if type(part) is Thinking] if kept else []
        return "".join(texts) or None

    def restore(self, project: str, conversation: Conversation) -> Conversation:
        """Put back what the client's dialect could not carry."""
        turns = tuple(
            self._restored(project, turn) if turn.role == "assistant" else turn
            for turn in conversation.turns
        )
        return replace(conversation, turns=turns)

    def _restored(self, project: str, turn: Turn) -> Turn:
        kept = self._of_turn(project, turn)
        if not kept:
            return turn
        known = {part.id: part for part in kept if type(part) is ToolCall}
        parts: list[Part] = [_with_opaque(part, known) for part in turn.parts]
        if not any(type(part) is Thinking and part.opaque for part in parts):
            thoughts = [part for part in kept if type(part) is Thinking]
            if thoughts:
                parts = [*thoughts, *(part for part in parts if type(part) is not Thinking)]
        return Turn(turn.role, tuple(parts))

    def _of_turn(self, project: str, turn: Turn) -> tuple[Part, ...]:
        for part in turn.parts:
            if type(part) is ToolCall:
                kept = self._kept.get((project, part.id))
                if kept is not None and kept.parts:
                    return kept.parts
        return ()


def _with_opaque(part: Part, known: dict[str, ToolCall]) -> Part:
    if type(part) is ToolCall and part.opaque is None and part.id in known:
        return replace(part, opaque=known[part.id].opaque)
    return part


def _size(part: Part) -> int:
    match part:
        case Text() | Thinking():
            size = len(part.text)
        case ToolCall():
            size = len(part.arguments)
        case _:
            size = 0
    opaque = getattr(part, "opaque", None)
    return 100 + size + (len(opaque.data) if opaque else 0)
