"""A client's Gemini request, whole, as a `Conversation`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import (
    Conversation,
    Format,
    Media,
    Opaque,
    Part,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from larouter.core.errors import BadRequest, CannotCarry
from larouter.wire.fields import text, texts, wrong
from larouter.wire.gemini import thinking
from larouter.wire.gemini.fields import camel_names, get, listed, object_of
from larouter.wire.gemini.request import ALT, kind_of
from larouter.wire.gemini.schema import from_google
from larouter.wire.gemini.signature import NATIVE, read
from larouter.wire.strict_json import encode

_ROLES: Mapping[str, Any] = {"model": "assistant", "system": "system"}
_READ = ("contents", "systemInstruction", "tools", "toolConfig", "generationConfig", ALT)
_READ_CONFIG = (
    "maxOutputTokens", "temperature", "topP", "topK", "stopSequences", "seed", "presencePenalty",
    "frequencyPenalty", "thinkingConfig", "responseMimeType", "responseSchema",
    "responseJsonSchema",
)  # fmt: skip
_AT_GOOGLE = ("https://generativelanguage.googleapis.com/", "gs://", "files/")
_JSON = "application/json"


def read_conversation(request: ChatRequest) -> Conversation:
    """Raises `BadRequest` with the field's name."""
    body = camel_names(request.body)
    config = camel_names(body.get("generationConfig") or {})
    effort, tokens, shows = thinking.read(config.get("thinkingConfig") or {})
    functions, others = _tools(body)
    extra = {name: value for name, value in body.items() if name not in _READ}
    extra |= {name: value for name, value in config.items() if name not in _READ_CONFIG}
    if others:
        extra["tools"] = others
    top_k = config.get("topK")
    return Conversation(
        turns=tuple(_merged(_turns(body))),
        tools=functions,
        tool_choice=_choice(body),
        format=_format(config),
        max_output=request.max_output,
        temperature=config.get("temperature"),
        top_p=config.get("topP"),
        top_k=None if top_k is None else int(top_k),
        stop=tuple(config.get("stopSequences") or ()),
        seed=config.get("seed"),
        presence_penalty=config.get("presencePenalty"),
        frequency_penalty=config.get("frequencyPenalty"),
        effort=effort,
        thinking_tokens=tokens,
        shows_thinking=shows,
        extra=extra,
    )


def _turns(body: Mapping[str, Any]) -> Iterable[Turn]:
    for content in listed("systemInstruction", body.get("systemInstruction")):
        yield Turn("system", _texts(content))
    pairs = _Pairs()
    for index, content in enumerate(listed("contents", body["contents"])):
        role = _ROLES.get(content.get("role") or "user", "user")
        name = f"contents[{index}].parts"
        parts = listed(name, content.get("parts"))
        read = (_part(f"{name}[{at}]", part, pairs) for at, part in enumerate(parts))
        yield Turn(role, tuple(part for part in read if part is not None))


def _texts(content: Mapping[str, Any]) -> tuple[Text, ...]:
    parts = listed("systemInstruction.parts", content.get("parts"))
    return tuple(Text(text=part["text"]) for part in parts if part.get("text"))


def _merged(turns: Iterable[Turn]) -> list[Turn]:
    """Neighbours of one role are one turn, and the pieces in which a stream brought a model's text
    are one text again: clients keep a stream's chunks as they came."""
    merged: list[Turn] = []
    for turn in turns:
        parts = turn.parts
        if merged and merged[-1].role == turn.role:
            parts = (*merged.pop().parts, *parts)
        if parts:
            merged.append(Turn(turn.role, _joined(parts) if turn.role == "assistant" else parts))
    return merged


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text) and last.opaque is None:
            joined[-1] = Text(text=last.text + part.text, opaque=part.opaque)
        elif isinstance(part, Thinking) and isinstance(last, Thinking) and last.opaque is None:
            joined[-1] = Thinking(text=last.text + part.text, opaque=part.opaque, id=part.id)
        else:
            joined.append(part)
    return tuple(joined)


class _Pairs:
    """Finds the call that a response belongs to: by its id, else the oldest of its name."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []
        self._count = 0

    def call(self, function: Mapping[str, Any]) -> str:
        identifier: str = function.get("id") or f"call_{self._count}"
        self._count += 1
        self._open.append((identifier, function["name"]))
        return identifier

    def response(self, place: str, function: Mapping[str, Any]) -> str:
        wanted, name = function.get("id"), function["name"]
        for pair in self._open:
            if pair[0] == wanted or (not wanted and pair[1] == name):
                self._open.remove(pair)
                return pair[0]
        raise BadRequest(
            f"'{place}' answers a call of '{name}' that is not in the conversation.", param=place
        )


def _part(place: str, part: Mapping[str, Any], pairs: _Pairs) -> Part | None:
    signature = get(part, "thoughtSignature")
    opaque, identifier = read(signature) if type(signature) is str else (None, None)
    call, response = get(part, "functionCall"), get(part, "functionResponse")
    if call is not None:
        return _call(call, pairs, opaque)
    if response is not None:
        return _result(place, response, pairs)
    text = part.get("text")
    if part.get("thought"):
        return Thinking(text=text or "", opaque=opaque, id=identifier) if text or opaque else None
    if text or opaque:
        return Text(text=text or "", opaque=opaque)
    return None if text is not None else _medium(place, part)


def _call(function: Mapping[str, Any], pairs: _Pairs, opaque: Opaque | None) -> ToolCall:
    return ToolCall(
        id=pairs.call(function),
        name=function["name"],
        arguments=encode(function.get("args") or {}).decode(),
        opaque=opaque,
    )


def _result(place: str, function: Mapping[str, Any], pairs: _Pairs) -> ToolResult:
    """Google: `output` and `error` name the result; without them all of `response` is it."""
    response = object_of(f"{place}.functionResponse.response", function.get("response"))
    is_error = set(response) == {"error"}
    value: Any = response
    if is_error or set(response) == {"output"}:
        value = next(iter(response.values()))
    parts: list[Text | Media] = [Text(text=value if type(value) is str else encode(value).decode())]
    name = f"{place}.functionResponse.parts"
    media = [
        _medium(f"{name}[{at}]", inner)
        for at, inner in enumerate(listed(name, function.get("parts")))
    ]
    if media and not response:
        parts = []
    return ToolResult(
        call_id=pairs.response(f"{place}.functionResponse", function),
        parts=(*parts, *media),
        is_error=is_error,
    )


def _medium(place: str, part: Mapping[str, Any]) -> Media:
    blob, file = get(part, "inlineData"), get(part, "fileData")
    if blob:
        mime = get(blob, "mimeType") or ""
        return Media(kind=kind_of(mime), mime=mime, data=blob.get("data") or "")
    if file:
        return _file(file)
    raise CannotCarry(
        f"'{place}' is of a kind that only Google's own models take: {', '.join(part)}.",
        param=place,
    )


def _file(file: Mapping[str, Any]) -> Media:
    mime, uri = get(file, "mimeType") or "", get(file, "fileUri") or ""
    if uri.startswith(_AT_GOOGLE):
        return Media(kind=kind_of(mime), mime=mime, file_id=uri, maker=NATIVE)
    return Media(kind=kind_of(mime), mime=mime, url=uri)


def _tools(body: Mapping[str, Any]) -> tuple[tuple[Tool, ...], list[dict[str, Any]]]:
    """The client's functions, and the tools that Google itself runs."""
    functions: list[Tool] = []
    others: list[dict[str, Any]] = []
    for index, tool in enumerate(listed("tools", body.get("tools"))):
        named = camel_names(tool)
        declared = listed(f"tools[{index}]", named.pop("functionDeclarations", None))
        functions += [_tool(function) for function in declared]
        if named:
            others.append(named)
    return tuple(functions), others


def _tool(function: Mapping[str, Any]) -> Tool:
    schema = get(function, "parametersJsonSchema")
    if schema is not None:
        object_of("parametersJsonSchema", schema)
    elif function.get("parameters") is not None:
        schema = from_google(function["parameters"])
    told = text(function, "description") or None
    return Tool(name=function["name"], description=told, parameters=schema)


def _choice(body: Mapping[str, Any]) -> ToolChoice | None:
    config = object_of("toolConfig", body.get("toolConfig"))
    name = "toolConfig.functionCallingConfig"
    calling = object_of(name, get(config, "functionCallingConfig"))
    mode = calling.get("mode")
    if mode is None or mode == "MODE_UNSPECIFIED":
        return None
    among = texts(camel_names(calling), "allowedFunctionNames") or None
    match str(mode).upper():
        case "NONE":
            return ToolChoice(mode="none")
        case "ANY" if among is not None and len(among) == 1:
            return ToolChoice(mode="named", name=among[0])
        case "ANY":
            return ToolChoice(mode="required", among=among)
        case "AUTO" | "VALIDATED":
            return ToolChoice(mode="auto", among=among)
    raise wrong(f"{name}.mode", "AUTO, ANY, NONE or VALIDATED")


def _format(config: Mapping[str, Any]) -> Format | None:
    schema = config.get("responseJsonSchema")
    if schema is None and config.get("responseSchema"):
        schema = from_google(config["responseSchema"])
    mime = config.get("responseMimeType")
    if mime not in (None, "", "text/plain", _JSON):
        raise CannotCarry(
            f"The model that answers cannot be asked for '{mime}'.",
            param="generationConfig.responseMimeType",
        )
    return Format(schema=schema) if schema is not None or mime == _JSON else None
