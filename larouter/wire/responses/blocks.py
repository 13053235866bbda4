"""The items of an answer under construction: what announces them, what ends them.

Each block yields events as (type, fields); the writer numbers them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from larouter.core.conversation import Opaque
from larouter.core.events import ToolStart
from larouter.wire.opaque import seal
from larouter.wire.responses.names import Named
from larouter.wire.strict_json import encode
from larouter.wire.tools import plain_input

Said = tuple[str, dict[str, Any]]


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(24)}"


def seal_for(opaque: Opaque, place: str) -> str:
    """A signature of words (place `""`) or of a call (its id), which have no field for it: it
    travels in an item of its own, with its place beside its maker's name."""
    return seal(Opaque(f"{opaque.maker}@{place}", opaque.data), "responses")


class Message:
    """What was said; each of its parts is words or a refusal."""

    __slots__ = ("_parts", "head", "id", "index")

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = new_id("msg")
        self._parts: list[tuple[str, list[str]]] = []
        self.head = b""
        """How a delta of the open part begins."""

    def opening(self) -> Iterator[Said]:
        yield (
            "response.output_item.added",
            {
                "output_index": self.index,
                "item": {**self.item("in_progress"), "content": []},
            },
        )

    def is_open(self, kind: str) -> bool:
        return bool(self._parts) and self._parts[-1][0] == kind

    def begin(self, kind: str) -> Iterator[Said]:
        """Open a part (`output_text` or `refusal`) and close the one before."""
        yield from self._end_part()
        self._parts.append((kind, []))
        place = self._place()
        self.head = _head(f"response.{kind}.delta", place)
        yield "response.content_part.added", {**place, "part": _part(kind, "")}

    def add(self, text: str) -> None:
        self._parts[-1][1].append(text)

    def closing(self, status: str) -> Iterator[Said]:
        yield from self._end_part()
        yield "response.output_item.done", {"output_index": self.index, "item": self.item(status)}

    def item(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [_part(kind, "".join(pieces)) for kind, pieces in self._parts],
        }

    def _end_part(self) -> Iterator[Said]:
        if not self._parts:
            return
        kind, pieces = self._parts[-1]
        place, text = self._place(), "".join(pieces)
        if kind == "refusal":
            yield "response.refusal.done", {**place, "refusal": text}
        else:
            yield "response.output_text.done", {**place, "text": text, "logprobs": []}
        yield "response.content_part.done", {**place, "part": _part(kind, text)}

    def _place(self) -> dict[str, Any]:
        return {
            "item_id": self.id,
            "output_index": self.index,
            "content_index": len(self._parts) - 1,
        }


class Thought:
    """What was thought: shown as one summary, or hidden."""

    __slots__ = ("_pieces", "head", "id", "index", "sealed")

    def __init__(self, index: int, id: str | None = None) -> None:
        self.index = index
        self.id = id or new_id("rs")
        self.sealed: str | None = None
        self._pieces: list[str] = []
        self.head = _head("response.reasoning_summary_text.delta", self._place())

    def opening(self) -> Iterator[Said]:
        yield (
            "response.output_item.added",
            {
                "output_index": self.index,
                "item": {"id": self.id, "type": "reasoning", "summary": []},
            },
        )

    def begin(self) -> Iterator[Said]:
        yield "response.reasoning_summary_part.added", {**self._place(), "part": _summary("")}

    def add(self, text: str) -> None:
        self._pieces.append(text)

    def seal(self, opaque: Opaque) -> None:
        self.sealed = seal(opaque, "responses")

    def closing(self, status: str) -> Iterator[Said]:
        if self._pieces:
            text = "".join(self._pieces)
            yield "response.reasoning_summary_text.done", {**self._place(), "text": text}
            yield "response.reasoning_summary_part.done", {**self._place(), "part": _summary(text)}
        yield "response.output_item.done", {"output_index": self.index, "item": self.item(status)}

    def item(self, status: str) -> dict[str, Any]:
        shown = [_summary("".join(self._pieces))] if self._pieces else []
        item = {"id": self.id, "type": "reasoning", "summary": shown}
        return {**item, "encrypted_content": self.sealed} if self.sealed else item

    def _place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index, "summary_index": 0}


class Called:
    """A call of a tool, named as the client knows it."""

    __slots__ = ("_call_id", "_event", "_field", "_named", "_pieces", "_wrapped", "head", "id",
                 "index")  # fmt: skip

    def __init__(self, index: int, start: ToolStart, named: Named | None) -> None:
        self._named = named or Named(start.name, None, start.custom)
        # A tool of plain text was offered as a function of one field, where there is no other.
        self._wrapped = self._named.custom and not start.custom
        self._field = "input" if self._named.custom else "arguments"
        self._event = (
            "response.custom_tool_call_input"
            if self._named.custom
            else "response.function_call_arguments"
        )
        self.index = index
        self.id = new_id("ctc" if self._named.custom else "fc")
        self._call_id = start.id
        self._pieces: list[str] = []
        self.head = _head(f"{self._event}.delta", self._place())

    @property
    def streams(self) -> bool:
        """Do its deltas go out as they come? A wrapped input is unwrapped when it is whole."""
        return not self._wrapped

    def opening(self) -> Iterator[Said]:
        item = {**self.item("in_progress"), self._field: ""}
        yield "response.output_item.added", {"output_index": self.index, "item": item}

    def add(self, text: str) -> None:
        self._pieces.append(text)

    def closing(self, status: str) -> Iterator[Said]:
        text = self._text()
        if self._wrapped:
            yield f"{self._event}.delta", {**self._place(), "delta": text}
        yield f"{self._event}.done", {**self._place(), self._field: text}
        yield "response.output_item.done", {"output_index": self.index, "item": self.item(status)}

    def item(self, status: str) -> dict[str, Any]:
        item = {
            "id": self.id,
            "type": "custom_tool_call" if self._named.custom else "function_call",
            "status": status,
            "call_id": self._call_id,
            "name": self._named.name,
            self._field: self._text(),
        }
        return {**item, "namespace": self._named.namespace} if self._named.namespace else item

    def _text(self) -> str:
        text = "".join(self._pieces)
        if self._wrapped:
            return plain_input(text)
        return text if text or self._named.custom else "{}"

    def _place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index}


def _part(kind: str, text: str) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": kind, "refusal": text}
    return {"type": kind, "annotations": [], "logprobs": [], "text": text}


def _summary(text: str) -> dict[str, str]:
    return {"type": "summary_text", "text": text}


def _head(kind: str, place: dict[str, Any]) -> bytes:
    fields = encode({"type": kind, **place})[:-1]
    return b"event: " + kind.encode() + b"\ndata: " + fields + b',"delta":'
