"""The turns of a conversation as Gemini's `contents`.

Gemini's rules: two roles; every content of calls is followed by one with all their responses, in
the same number; a signature comes back with the part that brought it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

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
from larouter.wire.gemini.signature import NATIVE, generation, signed
from larouter.wire.opaque import own
from larouter.wire.tools import arguments

_IN_RESPONSE = ("image/", "application/pdf", "text/plain")
"""What a response of a function may hold beside its JSON, since Gemini 3."""

_decode = msgspec.json.Decoder().decode


def system_parts(conversation: Conversation) -> list[dict[str, Any]]:
    """What `systemInstruction` holds: the system's turns before anybody spoke."""
    opening = conversation.turns[: _opening(conversation)]
    return [_text(part) for turn in opening for part in turn.parts if type(part) is Text]


def _opening(conversation: Conversation) -> int:
    """How many turns open the conversation as system turns. If there are no others they are the
    user's: Gemini does not answer a system instruction alone."""
    for at, turn in enumerate(conversation.turns):
        if turn.role != "system":
            return at
    return 0


def write_contents(conversation: Conversation, model: str) -> list[dict[str, Any]]:
    """Later system turns are said by the user: Gemini has no other place for them."""
    turns = conversation.turns[_opening(conversation) :]
    writer = _Writer(turns, model)
    contents: list[dict[str, Any]] = []
    for turn in turns:
        role = "model" if turn.role == "assistant" else "user"
        parts = writer.parts(turn.parts)
        if not parts:
            continue
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})
    return signed(_responses_first(contents), model)


def _responses_first(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Responses in the order of their calls, before whatever the user adds."""
    order: list[str] = []
    for content in contents:
        calls = [part["functionCall"]["id"] for part in content["parts"] if "functionCall" in part]
        order = calls or order
        ids = order
        content["parts"].sort(key=lambda part, ids=ids: _rank(part, ids))
    return contents


def _rank(part: dict[str, Any], order: Sequence[str]) -> int:
    response = part.get("functionResponse")
    if response is None:
        return len(order) + 1
    return order.index(response["id"]) if response["id"] in order else len(order)


class _Writer:
    def __init__(self, turns: Iterable[Turn], model: str) -> None:
        self._names = {
            part.id: part.name for turn in turns for part in turn.parts if type(part) is ToolCall
        }
        self._media_in_responses = generation(model) >= 3

    def parts(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        return [written for part in parts for written in self._part(part)]

    def _part(self, part: Part) -> list[dict[str, Any]]:
        match part:
            case Text():
                return [_text(part)] if part.text or own(part.opaque, NATIVE) else []
            case Thinking():
                return _thought(part)
            case ToolCall():
                return [_call(part)]
            case ToolResult():
                return self._result(part)
            case _:
                return [_medium(part)]

    def _result(self, result: ToolResult) -> list[dict[str, Any]]:
        """The response, and beside it the media that this model takes in none."""
        name = self._names.get(result.call_id)
        if name is None:
            raise CannotCarry(
                f"A tool's result answers '{result.call_id}', a call that is not in the "
                "conversation; Gemini needs its name.",
                param="messages",
            )
        texts = [part.text for part in result.parts if type(part) is Text]
        inside: list[dict[str, Any]] = []
        beside: list[dict[str, Any]] = []
        for part in result.parts:
            if type(part) is Media:
                fits = self._media_in_responses and part.data is not None
                fits = fits and part.mime.startswith(_IN_RESPONSE)
                (inside if fits else beside).append(_medium(part))
        response: dict[str, Any] = {
            "id": result.call_id,
            "name": name,
            "response": {"error" if result.is_error else "output": "\n".join(texts)},
        }
        if inside:
            response["parts"] = inside
        return [{"functionResponse": response}, *beside]


def _text(part: Text) -> dict[str, Any]:
    return _with_signature({"text": part.text}, part)


def _thought(part: Thinking) -> list[dict[str, Any]]:
    """Only Gemini's own: another model's thoughts mean nothing to it."""
    if own(part.opaque, NATIVE) is None:
        return []
    return [_with_signature({"text": part.text, "thought": True}, part)]


def _call(part: ToolCall) -> dict[str, Any]:
    function = {"id": part.id, "name": part.name, "args": _args(arguments(part))}
    return _with_signature({"functionCall": function}, part)


def _args(text: str) -> Any:
    """The model's own text if it is an object; Gemini takes nothing else."""
    try:
        value = _decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return {"input": text}
    return msgspec.Raw(text.encode()) if type(value) is dict else {"input": value}


def _with_signature(written: dict[str, Any], part: Text | Thinking | ToolCall) -> dict[str, Any]:
    signature = own(part.opaque, NATIVE)
    if signature is not None:
        written["thoughtSignature"] = signature
    return written


def _medium(part: Media) -> dict[str, Any]:
    if part.data is not None:
        return {"inlineData": {"mimeType": part.mime, "data": part.data}}
    if part.file_id is not None and part.maker != NATIVE:
        raise CannotCarry("The file is kept at another provider; send its bytes.", param="messages")
    file = {"fileUri": part.file_id or part.url}
    if part.mime:
        file["mimeType"] = part.mime
    return {"fileData": file}
