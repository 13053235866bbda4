"""An answer as it comes: what a provider's stream is read into and a client's is written from.

One choice. In order: `Started`, then deltas, then `Finished`. Deltas of one kind in a row belong to
one block; another kind begins another block. Calls of tools may interleave by `index`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Part, Text, Thinking, ToolCall

Reason = Literal["stop", "stop_sequence", "length", "tool_calls", "refusal", "pause"]
"""Why a model ended: it was done, it met a stop text, `max_output` (or the context) was reached, it
wants tools called, it (or a filter) declined, or the provider paused a long turn."""


_BYTES_PER_TOKEN = 4


class Started(Struct, frozen=True, gc=False):
    id: str | None
    """The provider's id of the answer."""
    model: str | None
    """As the provider names it."""
    prompt_tokens: int | None = None
    """If the provider says so at once (Anthropic does)."""


class TextDelta(Struct, frozen=True, gc=False):
    text: str


class ThinkingDelta(Struct, frozen=True, gc=False):
    text: str


class Sealed(Struct, frozen=True):
    """The opaque part of the block that just came (thinking or text), or of a hidden thought:
    then no `ThinkingDelta` came before, and `hidden` is true. It ends that block."""

    opaque: Opaque
    hidden: bool = False
    id: str | None = None


class ToolStart(Struct, frozen=True):
    index: int
    """0, 1, … within the answer."""
    id: str
    name: str
    opaque: Opaque | None = None
    custom: bool = False


class ToolDelta(Struct, frozen=True, gc=False):
    index: int
    arguments: str
    """A piece of the JSON text (of a custom tool: of its input)."""


class RefusalDelta(Struct, frozen=True, gc=False):
    text: str


class Finished(Struct, frozen=True):
    reason: Reason
    usage: Usage | None = None
    """None: the provider did not say."""
    stop_sequence: str | None = None


Event = (
    Started | TextDelta | ThinkingDelta | Sealed | ToolStart | ToolDelta | RefusalDelta | Finished
)


class Folded:
    """Puts an answer's events together again. Feed it events; then read its attributes."""

    __slots__ = ("_calls", "_parts", "finished", "id", "model", "refusal")

    def __init__(self, events: Iterable[Event] = ()) -> None:
        # Parts under construction: [kind, pieces of text, opaque, id] or a tool call's index.
        self._parts: list[_Block | int] = []
        self._calls: dict[int, tuple[ToolStart, list[str]]] = {}
        self.refusal = ""
        self.id: str | None = None
        self.model: str | None = None
        self.finished: Finished | None = None
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._block("text").pieces.append(event.text)
        elif isinstance(event, ThinkingDelta):
            self._block("thinking").pieces.append(event.text)
        elif isinstance(event, ToolDelta):
            self._calls[event.index][1].append(event.arguments)
        else:
            self._add_rare(event)

    def tokens(self) -> int:
        """Estimate how many tokens have come: a quarter of the bytes, at least one a delta."""
        size = len(self.refusal.encode())
        deltas = 0
        for part in self._parts:
            pieces = self._calls[part][1] if isinstance(part, int) else part.pieces
            size += sum(len(piece.encode()) for piece in pieces)
            deltas += len(pieces)
        return max(deltas, -(-size // _BYTES_PER_TOKEN))

    def _add_rare(self, event: Started | Sealed | ToolStart | RefusalDelta | Finished) -> None:
        match event:
            case ToolStart():
                self._calls[event.index] = (event, [])
                self._parts.append(event.index)
            case Sealed():
                self._seal(event)
            case RefusalDelta(text):
                self.refusal += text
            case Started():
                self.id, self.model = event.id, event.model
            case _:
                self.finished = event

    @property
    def parts(self) -> tuple[Part, ...]:
        """Text, Thinking and ToolCall in the order in which they began."""
        return tuple(
            self._call(part) if isinstance(part, int) else part.part() for part in self._parts
        )

    @property
    def call_ids(self) -> list[str]:
        return [start.id for start, _ in self._calls.values()]

    def _block(self, kind: str) -> _Block:
        last = self._parts[-1] if self._parts else None
        if isinstance(last, _Block) and last.kind == kind and last.opaque is None:
            return last
        block = _Block(kind)
        self._parts.append(block)
        return block

    def _seal(self, event: Sealed) -> None:
        last = self._parts[-1] if self._parts else None
        if event.hidden or not isinstance(last, _Block) or last.opaque is not None:
            last = _Block("thinking" if event.hidden else "text")
            self._parts.append(last)
        last.opaque, last.id = event.opaque, event.id

    def _call(self, index: int) -> ToolCall:
        start, pieces = self._calls[index]
        return ToolCall(
            id=start.id,
            name=start.name,
            arguments="".join(pieces) or ("" if start.custom else "{}"),
            opaque=start.opaque,
            custom=start.custom,
        )


class _Block:
    __slots__ = ("id", "kind", "opaque", "pieces")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.opaque: Opaque | None = None
        self.id: str | None = None

    def part(self) -> Part:
        text = "".join(self.pieces)
        if self.kind == "text":
            return Text(text=text, opaque=self.opaque)
        return Thinking(text=text, opaque=self.opaque, id=self.id)
