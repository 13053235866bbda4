"""Reads a body of `generateContent` as far as routing and accounting need it.

The model and whether to stream are in the path. What is not interpreted stays untouched: Google
gets what the client wrote. Source: Gemini API reference, "Generating content", and google-genai.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import BadRequest
from larouter.wire.checks import (
    Check,
    is_bool,
    is_integer,
    is_number,
    is_object,
    is_text,
    is_texts,
)
from larouter.wire.fields import MEDIUM_COUNTS, kept, wrong
from larouter.wire.gemini.fields import camel, get, listed, object_of, without
from larouter.wire.strict_json import MAX_INTEGER, decode_object

ALT = "$alt"
"""Where the request keeps how its stream is to be written (Google's name of the query parameter
`alt`, which is no field of a body)."""

_ROLES = {"user": "user", "model": "assistant", "function": "tool", "system": "system"}
_MAX_NAME = 256

Kind = Literal["images", "audio", "files"]


def read_request(body: bytes, *, model: str, stream: bool = False, sse: bool = True) -> ChatRequest:
    """Read the JSON; raises `BadRequest` naming the field. `sse`: else a stream is one array."""
    return read_given(decode_object(body), len(body), model=model, stream=stream, sse=sse)


def read_given(
    given: Mapping[str, Any], size: int, *, model: str, stream: bool = False, sse: bool = True
) -> ChatRequest:
    """The same for JSON that is already read; `size` is its length in bytes."""
    _check_name(model)
    _check_spellings("", given)
    needs: set[str] = set()
    config = _config(given, needs)
    _add_tools(given, needs)
    contents = listed("contents", given.get("contents"))
    if not contents:
        raise BadRequest("The field 'contents' is missing.", param="contents", code="missing_field")
    media: list[int] = []
    system = listed("systemInstruction", get(given, "systemInstruction"))
    messages = [
        _message("systemInstruction", "system", content, needs, media) for content in system
    ]
    for index, content in enumerate(contents):
        name = f"contents[{index}]"
        messages.append(_message(name, _role(name, content), content, needs, media))
    return ChatRequest(
        model=model.removeprefix("models/"),
        messages=tuple(messages),
        body=_kept(given, stream and not sse),
        size=size - sum(max(0, length - MEDIUM_COUNTS) for length in media),
        max_output=get(config, "maxOutputTokens"),
        n=get(config, "candidateCount") or 1,
        stream=stream,
        needs=frozenset(needs),
        dialect="gemini",
        answers=_answers(contents[-1]),
    )


def is_array(request: ChatRequest) -> bool:
    """Is the stream to be one JSON array (Google's way without `alt=sse`)?"""
    return ALT in request.body


def _kept(given: Mapping[str, Any], array: bool) -> dict[str, Any]:
    """Drop the fields that never steer us (TRUST S8)."""
    body = without(kept(given), "model", ALT)
    return {**body, ALT: "json"} if array else body


def _check_name(model: str) -> None:
    if not model or len(model) > _MAX_NAME or not model.isprintable():
        raise wrong("model", f"a name of 1 to {_MAX_NAME} printable characters")


def _check_spellings(name: str, value: Mapping[str, Any]) -> None:
    """Two readers could take two different values of a field that is given in both spellings."""
    spelled = [camel(field) for field in value]
    if len(set(spelled)) < len(spelled):
        twice = next(field for field in spelled if spelled.count(field) > 1)
        raise BadRequest(
            f"The field '{name}{twice}' is given twice.", param=name + twice, code="duplicate_field"
        )


def _config(given: Mapping[str, Any], needs: set[str]) -> dict[str, Any]:
    config = object_of("generationConfig", get(given, "generationConfig"))
    _check_spellings("generationConfig.", config)
    for spelled, value in config.items():
        field = camel(spelled)
        check = _CHECKS.get(field)
        if check is not None and value is not None:
            check(f"generationConfig.{field}", value)
    if get(config, "responseSchema") or get(config, "responseJsonSchema"):
        needs.add("json_schema")
    if get(config, "responseLogprobs"):
        needs.add("logprobs")
    return config


def _add_tools(given: Mapping[str, Any], needs: set[str]) -> None:
    object_of("toolConfig", get(given, "toolConfig"))
    for index, tool in enumerate(listed("tools", given.get("tools"))):
        name = f"tools[{index}].functionDeclarations"
        for place, function in enumerate(listed(name, get(tool, "functionDeclarations"))):
            needs.add("tools")
            if type(function.get("name")) is not str or not function["name"]:
                raise wrong(f"{name}[{place}].name", "a name")


def _role(name: str, content: Mapping[str, Any]) -> str:
    role = content.get("role") or "user"
    if type(role) is not str or role not in _ROLES:
        raise wrong(f"{name}.role", "'user' or 'model'")
    return _ROLES[role]


def _message(
    name: str, role: str, content: Mapping[str, Any], needs: set[str], media: list[int]
) -> Message:
    texts: list[str] = []
    for index, part in enumerate(listed(f"{name}.parts", content.get("parts"))):
        place = f"{name}.parts[{index}]"
        text = part.get("text")
        if type(text) is str:
            if not part.get("thought"):
                texts.append(text)
        elif text is not None:
            raise wrong(f"{place}.text", "a string")
        else:
            role = _other(place, part, role, needs, media)
            texts += _result(get(part, "functionResponse"))
    return Message(role, "\n".join(texts))


def _other(
    place: str, part: Mapping[str, Any], role: str, needs: set[str], media: list[int]
) -> str:
    """A part that is no text; the role of its message."""
    for kind in ("inlineData", "fileData"):
        value = object_of(f"{place}.{kind}", get(part, kind))
        if value:
            needs.add(_medium(f"{place}.{kind}", value))
            media.append(len(value.get("data") or ""))
    _check_function(f"{place}.functionCall", get(part, "functionCall"))
    response = get(part, "functionResponse")
    _check_function(f"{place}.functionResponse", response)
    if response is None:
        return role
    for index, inner in enumerate(listed(f"{place}.functionResponse.parts", response.get("parts"))):
        _other(f"{place}.functionResponse.parts[{index}]", inner, role, needs, media)
    return "tool"


def _result(response: Mapping[str, Any] | None) -> list[str]:
    """What a tool has said, under the names that Google documents for it."""
    said = (response or {}).get("response")
    if type(said) is not dict:
        return []
    error, output = said.get("error"), said.get("output")
    if type(error) is str and error:
        return [f"Error: {error}"]
    return [output] if type(output) is str else []


def _check_function(name: str, value: Any) -> None:
    if value is None:
        return
    if type(value) is not dict or type(value.get("name")) is not str:
        raise wrong(name, "an object with a 'name'")
    if value.get("id") is not None and type(value["id"]) is not str:
        raise wrong(f"{name}.id", "a string")


def _medium(name: str, value: Mapping[str, Any]) -> Kind:
    for field in ("data", "fileUri", "mimeType"):
        if get(value, field) is not None and type(get(value, field)) is not str:
            raise wrong(f"{name}.{field}", "a string")
    return kind_of(get(value, "mimeType") or "")


def kind_of(mime: str) -> Kind:
    """What a model must be able to take."""
    if mime.startswith("image/"):
        return "images"
    return "audio" if mime.startswith("audio/") else "files"


def _answers(content: Mapping[str, Any]) -> tuple[str, ...]:
    responses = [get(part, "functionResponse") for part in listed("contents", content.get("parts"))]
    return tuple(response["id"] for response in responses if response and response.get("id"))


def _is_thinking(name: str, value: Any) -> None:
    config = object_of(name, value)
    for field, check in _THINKING_CHECKS.items():
        if get(config, field) is not None:
            check(f"{name}.{field}", get(config, field))


_THINKING_CHECKS: dict[str, Check] = {
    "thinkingLevel": is_text,
    "thinkingBudget": is_integer(-1, MAX_INTEGER),
    "includeThoughts": is_bool,
}

_CHECKS: dict[str, Check] = {
    "candidateCount": is_integer(1, 128),
    "maxOutputTokens": is_integer(1, MAX_INTEGER),
    "temperature": is_number(0, 2),
    "topP": is_number(0, 1),
    "topK": is_number(1, MAX_INTEGER),
    "seed": is_integer(-MAX_INTEGER, MAX_INTEGER),
    "presencePenalty": is_number(-2, 2),
    "frequencyPenalty": is_number(-2, 2),
    "stopSequences": is_texts,
    "responseMimeType": is_text,
    "responseSchema": is_object,
    "responseJsonSchema": is_object,
    "responseLogprobs": is_bool,
    "logprobs": is_integer(0, 20),
    "thinkingConfig": _is_thinking,
}
