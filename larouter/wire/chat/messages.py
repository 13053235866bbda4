"""The turns of a conversation as a chat completion's `messages`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

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
from larouter.wire.opaque import own, seal
from larouter.wire.road import Call
from larouter.wire.tools import arguments
from larouter.wire.turns import results_first

_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_LONGEST_ID = 40


def write_messages(conversation: Conversation, call: Call) -> list[dict[str, Any]]:
    """Raises `CannotCarry` for media that this format has no words for."""
    return [message for turn in conversation.turns for message in _messages(turn, call)]


def _messages(turn: Turn, call: Call) -> list[dict[str, Any]]:
    if turn.role == "assistant":
        return [_assistant(turn.parts, call)]
    if turn.role == "system":
        return [{"role": "system", "content": _joined(turn.parts)}]
    results = [part for part in turn.parts if isinstance(part, ToolResult)]
    messages = [_result(result) for result in results]
    # A message of role tool holds text alone; what a tool has shown follows as the user's words.
    shown = [inner for result in results for inner in result.parts if isinstance(inner, Media)]
    rest = [part for part in results_first(turn.parts) if not isinstance(part, ToolResult)]
    if shown or rest:
        messages.append({"role": "user", "content": _content([*shown, *rest])})
    return messages


def _result(result: ToolResult) -> dict[str, Any]:
    text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    if result.is_error:
        text = f"Error: {text}"
    elif not text and any(isinstance(part, Media) for part in result.parts):
        text = "See the attachment below."
    return {"role": "tool", "tool_call_id": _call_id(result.call_id), "content": text}


def _assistant(parts: Iterable[Part], call: Call) -> dict[str, Any]:
    if any(isinstance(part, Media) for part in parts):
        raise CannotCarry(
            "The model that answers cannot be given a picture or file as its own words.",
            param="messages",
        )
    said = _joined(parts)
    calls = [_tool_call(part, call) for part in parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {"role": "assistant", "content": said or None}
    if calls:
        message["tool_calls"] = calls
    elif not said:
        message["content"] = ""
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    if call.quirks.thinking and calls:
        message["reasoning_content"] = "".join(part.text for part in thoughts)
    own_thoughts = [part for part in thoughts if own(part.opaque, "chat")]
    if own_thoughts and not call.quirks.strict:
        message["reasoning_details"] = reasoning_details(own_thoughts)
    return message


def _tool_call(part: ToolCall, call: Call) -> dict[str, Any]:
    if part.custom and call.quirks.custom_tools:
        said = {"name": part.name, "input": part.arguments}
        return {"id": _call_id(part.id), "type": "custom", "custom": said}
    function = {"name": part.name, "arguments": arguments(part)}
    return {"id": _call_id(part.id), "type": "function", "function": function}


def _call_id(id: str) -> str:
    """Other makers' ids may be longer than OpenAI allows. The same id stays the same."""
    if len(id) <= _LONGEST_ID:
        return id
    return "call_" + hashlib.sha256(id.encode()).hexdigest()[:32]


def _joined(parts: Iterable[Part]) -> str:
    return "\n\n".join(part.text for part in parts if isinstance(part, Text) and part.text)


def _content(parts: Iterable[Part]) -> str | list[dict[str, Any]]:
    if all(isinstance(part, Text) for part in parts):
        return _joined(parts)
    return [
        {"type": "text", "text": part.text} if isinstance(part, Text) else _media(part)
        for part in parts
        if isinstance(part, Text | Media)
    ]


def _media(part: Media) -> dict[str, Any]:
    address = part.url or f"data:{part.mime};base64,{part.data}"
    if part.kind == "images" and part.file_id is None:
        image = {"url": address, "detail": part.detail}
        return {"type": "image_url", "image_url": {key: val for key, val in image.items() if val}}
    if part.kind == "audio" and part.data is not None and part.mime in _SOUNDS:
        sound = {"data": part.data, "format": _SOUNDS[part.mime]}
        return {"type": "input_audio", "input_audio": sound}
    if part.kind == "files" and part.data is not None:
        return {"type": "file", "file": {"filename": part.name or "file", "file_data": address}}
    raise CannotCarry(
        "The model that answers takes pictures, sound (WAV, MP3) and files only as they are, not "
        "by an address or by another provider's id.",
        param="messages",
    )


def reasoning_details(thoughts: Iterable[Thinking], first: int = 0) -> list[dict[str, Any]]:
    """What a client may give back, so that a thought reaches its maker byte-exact (OpenRouter's
    field, which clients know). `first`: the first one's place in the answer."""
    details: list[dict[str, Any]] = []
    for index, thought in enumerate(thoughts, first):
        if thought.opaque is None:
            continue
        sealed = seal(thought.opaque, "chat")
        named = {"id": thought.id, "index": index}
        if thought.text:
            details.append(
                {"type": "reasoning.text", "text": thought.text, "signature": sealed, **named}
            )
        else:
            details.append({"type": "reasoning.encrypted", "data": sealed, **named})
    return details


def extra_content(part_opaque: Any) -> dict[str, Any] | None:
    """Gemini's signature of a call, where Google's OpenAI-compatible endpoint puts it."""
    signature = own(part_opaque, "gemini")
    return {"google": {"thought_signature": signature}} if signature else None
