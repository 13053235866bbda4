"""The turns of a conversation as Anthropic's `messages`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from larouter.core.conversation import (
    Conversation,
    Media,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.wire.anthropic.thinking import thinking_block
from larouter.wire.opaque import own
from larouter.wire.road import Call
from larouter.wire.tools import arguments
from larouter.wire.turns import results_first, spoken

_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
_STRANGE = re.compile(r"[^a-zA-Z0-9_-]")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Written(NamedTuple):
    messages: list[dict[str, Any]]
    holds_thoughts: bool
    lacks_thought: bool
    """Does a turn of Claude's go on, after results of tools, that began without a thought?"""


def write_messages(conversation: Conversation, call: Call) -> Written:
    """The first message is the user's, results of tools come first in theirs, and of thoughts only
    Claude's own are told."""
    turns = spoken(conversation)
    if turns and turns[-1].role == "assistant" and "prefill" in call.refuses:
        raise CannotCarry(
            "The last message is the assistant's, and the model that answers does not go on with "
            "what it did not say. End with a message of the user.",
            param="messages",
        )
    messages: list[dict[str, Any]] = [
        {"role": turn.role, "content": content} for turn in turns if (content := _content(turn))
    ]
    if not messages or messages[0]["role"] != "user":
        messages.insert(0, {"role": "user", "content": [{"type": "text", "text": "…"}]})
    _trim(messages[-1])
    return Written(messages, _holds_thoughts(messages), _lacks_thought(messages))


def safe_id(id: str) -> str:
    """Other providers' calls may have ids that Anthropic refuses. The same id stays the same."""
    return _STRANGE.sub("_", id) if _STRANGE.search(id) else id


def _content(turn: Turn) -> list[dict[str, Any]]:
    parts: Iterable[Part] = turn.parts if turn.role == "assistant" else results_first(turn.parts)
    return [block for part in parts if (block := _block(part, turn.role))]


def _block(part: Part, role: str) -> dict[str, Any] | None:
    match part:
        case Text(text=text):
            # Anthropic refuses a text of white space alone, and it says nothing.
            return {"type": "text", "text": text} if text.strip() else None
        case Thinking(text=text, opaque=opaque):
            data = own(opaque, "anthropic")
            return thinking_block(text, data) if data is not None else None
        case ToolCall():
            return _call(part)
        case ToolResult():
            return _result(part)
        case Media() if role == "user":
            return _medium(part)
    raise CannotCarry(
        "The model that answers cannot be given a picture or file as its own words.",
        param="messages",
    )


def _call(part: ToolCall) -> dict[str, Any]:
    try:
        given = _decode(arguments(part).encode())
    except msgspec.MsgspecError:
        # A model's slip that is history: what it said is kept, in the form of Anthropic's docs.
        given = {"INVALID_JSON": part.arguments}
    return {"type": "tool_use", "id": safe_id(part.id), "name": part.name, "input": given}


def _result(part: ToolResult) -> dict[str, Any]:
    content = [
        block
        for inner in part.parts
        if (block := _medium(inner) if isinstance(inner, Media) else _block(inner, "user"))
    ]
    found: dict[str, Any] = {"type": "tool_result", "tool_use_id": safe_id(part.call_id)}
    if content:
        found["content"] = content
    if part.is_error:
        found["is_error"] = True
    return found


def _medium(part: Media) -> dict[str, Any]:
    source = _source(part)
    if source is None:
        raise CannotCarry(
            "The model that answers takes pictures (JPEG, PNG, GIF, WebP), PDF and text as bytes "
            f"or by an https address, not {part.mime} in this form.",
            param="messages",
        )
    if part.kind == "images":
        return {"type": "image", "source": source}
    title = {"title": part.name} if part.name else {}
    return {"type": "document", "source": source, **title}


def _source(part: Media) -> dict[str, Any] | None:
    if part.kind == "audio":
        return None
    if part.file_id is not None:
        own_file = part.maker == "anthropic"
        return {"type": "file", "file_id": part.file_id} if own_file else None
    if part.url is not None:
        return {"type": "url", "url": part.url}
    if part.data is None:
        return None
    if part.kind == "files" and part.mime.startswith(("text/", "application/json")):
        return _plain(part.data)
    known = part.mime in _PICTURES if part.kind == "images" else part.mime == "application/pdf"
    if not known:
        return None
    return {"type": "base64", "media_type": part.mime, "data": part.data}


def _plain(data: str) -> dict[str, Any] | None:
    try:
        text = base64.b64decode(data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return {"type": "text", "media_type": "text/plain", "data": text}


def _trim(message: dict[str, Any]) -> None:
    """Words that are to be gone on with must not end in white space."""
    last = message["content"][-1]
    if message["role"] == "assistant" and last["type"] == "text":
        last["text"] = last["text"].rstrip()


def _holds_thoughts(messages: list[dict[str, Any]]) -> bool:
    return any(
        block["type"] in _THOUGHTS
        for message in messages
        if message["role"] == "assistant"
        for block in message["content"]
    )


def _lacks_thought(messages: list[dict[str, Any]]) -> bool:
    """Only a fresh question of the user's needs none before."""
    last = messages[-1]
    if last["role"] == "user" and last["content"][0]["type"] != "tool_result":
        return False
    asked = [message for message in messages if message["role"] == "assistant"][-1:]
    return not any(message["content"][0]["type"] in _THOUGHTS for message in asked)
