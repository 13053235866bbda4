"""Answers for clients that speak Responses: the numbered events, a whole response, errors.

Source: OpenAI API reference, "Streaming events". Codex needs `response.created`, each item's
`output_item.done`, and `response.completed` with id and usage.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Part, Text, Thinking, ToolCall
from larouter.core.errors import LARouterError
from larouter.core.events import (
    Event,
    Finished,
    Folded,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire.responses.blocks import Called, Message, Said, Thought, new_id, seal_for
from larouter.wire.responses.names import names
from larouter.wire.responses.shape import blank, broken, ended, numbered
from larouter.wire.strict_json import encode

_NUMBER = b',"sequence_number":%d}\n\n'
_NUMBER_OF_TEXT = b',"logprobs":[]' + _NUMBER


class Writer:
    """Writes one answer."""

    __slots__ = ("_begun", "_blocks", "_calls", "_items", "_names", "_next", "_open", "_request",
                 "_response")  # fmt: skip

    heartbeat = b": \n\n"

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._response = blank(request, new_id("resp"), int(time.time()))
        self._names = names(request.body)
        self._blocks: list[Message | Thought | Called] = []
        """Every item, in the order of the output."""
        self._items: dict[int, dict[str, Any]] = {}
        """Those that have ended, by their places."""
        self._open: Message | Thought | None = None
        """The words or the thought that the next delta may go on with."""
        self._calls: dict[int, Called] = {}
        self._next = 0
        self._begun = False

    def write(self, events: Iterable[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            if isinstance(event, TextDelta):
                self._speak("output_text", event.text, _NUMBER_OF_TEXT, out)
            elif isinstance(event, ToolDelta):
                call = self._calls[event.index]
                call.add(event.arguments)
                if call.streams:
                    self._delta(call.head, event.arguments, _NUMBER, out)
            elif isinstance(event, ThinkingDelta):
                self._think(event.text, out)
            else:
                self._rare(event, out)
        return b"".join(out)

    def finish(self, finished: Finished) -> bytes:
        out: list[bytes] = []
        final = self._end(finished, out)
        self._say([(f"response.{final['status']}", {"response": final})], out)
        return b"".join(out)

    def whole(self, answer: Folded, finished: Finished) -> bytes:
        self.write([Started(answer.id, answer.model), *_replayed(answer.parts)])
        if answer.refusal:
            self.write([RefusalDelta(answer.refusal)])
        return encode(self._end(finished, []))

    def broken(self, error: LARouterError) -> bytes:
        return broken(self._response, error, self._next)

    def _end(self, finished: Finished, out: list[bytes]) -> dict[str, Any]:
        """Close what is open; return the response as it ended, and keep it if that is wanted."""
        self._begin(None, out)
        status = "incomplete" if finished.reason == "length" else "completed"
        for block in self._blocks:
            if block.index not in self._items:
                self._close(block, status, out)
        output = [self._items[place] for place in sorted(self._items)]
        final = ended(self._response, output, finished)
        if self._request.keep is not None:
            self._request.keep(final)
        return final

    def _rare(self, event: Event, out: list[bytes]) -> None:
        match event:
            case Started():
                self._begin(event.model, out)
            case RefusalDelta(text):
                self._speak("refusal", text, _NUMBER, out)
            case ToolStart():
                self._call(event, out)
            case Sealed():
                self._seal(event, out)

    def _begin(self, model: str | None, out: list[bytes]) -> None:
        if self._begun:
            return
        self._begun = True
        if model:
            self._response["model"] = model
        for kind in ("response.created", "response.in_progress"):
            self._say([(kind, {"response": self._response})], out)

    def _speak(self, kind: str, text: str, tail: bytes, out: list[bytes]) -> None:
        block = self._open
        if not isinstance(block, Message):
            self._close_open(out)
            block = self._open = Message(len(self._blocks))
            self._start(block, out)
        if not block.is_open(kind):
            self._say(block.begin(kind), out)
        block.add(text)
        self._delta(block.head, text, tail, out)

    def _think(self, text: str, out: list[bytes]) -> None:
        block = self._open
        if not isinstance(block, Thought):
            self._close_open(out)
            block = self._open = Thought(len(self._blocks))
            self._start(block, out)
            self._say(block.begin(), out)
        block.add(text)
        self._delta(block.head, text, _NUMBER, out)

    def _seal(self, event: Sealed, out: list[bytes]) -> None:
        block = self._open
        if isinstance(block, Thought) and not event.hidden:
            block.seal(event.opaque)
            self._close_open(out)
            return
        self._close_open(out)
        hidden = Thought(len(self._blocks), id=event.id)
        if isinstance(block, Message) and not event.hidden:
            hidden.sealed = seal_for(event.opaque, "")
        else:
            hidden.seal(event.opaque)
        self._start(hidden, out)
        self._close(hidden, "completed", out)

    def _call(self, event: ToolStart, out: list[bytes]) -> None:
        self._close_open(out)
        if event.opaque is not None:
            signature = Thought(len(self._blocks))
            signature.sealed = seal_for(event.opaque, event.id)
            self._start(signature, out)
            self._close(signature, "completed", out)
        call = Called(len(self._blocks), event, self._names.get(event.name))
        self._calls[event.index] = call
        self._start(call, out)

    def _start(self, block: Message | Thought | Called, out: list[bytes]) -> None:
        self._begin(None, out)
        self._blocks.append(block)
        self._say(block.opening(), out)

    def _close_open(self, out: list[bytes]) -> None:
        """Words and thoughts end where another kind begins; calls may interleave until the end."""
        if self._open is not None:
            self._close(self._open, "completed", out)
            self._open = None

    def _close(self, block: Message | Thought | Called, status: str, out: list[bytes]) -> None:
        said = list(block.closing(status))
        self._items[block.index] = said[-1][1]["item"]
        self._say(said, out)

    def _delta(self, head: bytes, text: str, tail: bytes, out: list[bytes]) -> None:
        out.append(head + encode(text) + tail % self._next)
        self._next += 1

    def _say(self, said: Iterable[Said], out: list[bytes]) -> None:
        for kind, fields in said:
            out.append(numbered(kind, fields, self._next))
            self._next += 1


def _replayed(parts: tuple[Part, ...]) -> Iterator[Event]:
    """A whole answer as events: it is written the same way."""
    calls = 0
    for part in parts:
        if isinstance(part, ToolCall):
            yield ToolStart(calls, part.id, part.name, part.opaque, part.custom)
            yield ToolDelta(calls, part.arguments)
            calls += 1
        elif isinstance(part, Text):
            yield TextDelta(part.text)
            if part.opaque is not None:
                yield Sealed(part.opaque)
        else:
            yield from _thought(part)


def _thought(part: Part) -> Iterator[Event]:
    assert isinstance(part, Thinking), "a model says words, thoughts and calls"
    if part.text:
        yield ThinkingDelta(part.text)
    if part.opaque is not None:
        yield Sealed(part.opaque, hidden=not part.text, id=part.id)
