"""A client's chat completion, read whole: every field that another wire has words for."""

from __future__ import annotations

from collections.abc import Mapping
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
from larouter.wire.fields import wrong
from larouter.wire.losses import Loss
from larouter.wire.opaque import unseal
from larouter.wire.turns import merged

LOSSES = (
    Loss("n", "refused", "other formats give one answer a request", (1,)),
    Loss("logprobs", "refused", "other formats do not tell how likely a word was", (False,)),
    Loss("modalities", "refused", "only text can be answered", (["text"],)),
    Loss("audio", "refused", "only text can be answered"),
    Loss("web_search_options", "refused", "searching the web is OpenAI's own"),
    Loss("functions", "refused", "it is the older name of tools; write tools", ([],)),
    Loss("function_call", "refused", "it is the older name of tool_choice", ("auto", "none")),
    Loss("messages.audio", "refused", "only OpenAI knows what its model said aloud"),
    Loss("messages.name", "left out", "other formats have no names of participants"),
    Loss("top_logprobs", "left out", "nothing is told of how likely a word was"),
    Loss("logit_bias", "left out", "token numbers mean something to one model only"),
    Loss("prediction", "left out", "it makes an answer faster, not different"),
    Loss("service_tier", "left out", "it is a contract with OpenAI"),
    Loss("store", "left out", "it concerns OpenAI's own records"),
    Loss("metadata", "left out", "it concerns OpenAI's own records"),
    Loss("prompt_cache_key", "left out", "it steers OpenAI's own cache"),
    Loss("prompt_cache_retention", "left out", "it steers OpenAI's own cache"),
    Loss("verbosity", "left out", "no other model knows it"),
    Loss("min_p", "left out", "only local engines know it"),
    Loss("repeat_penalty", "left out", "only local engines know it"),
    Loss("chat_template_kwargs", "left out", "it steers a local engine's template"),
)

# What `Conversation` has fields for; the rest is `extra`.
_READ = frozenset(
    {"model", "messages", "stream", "stream_options", "tools", "tool_choice", "response_format"}
    | {"parallel_tool_calls", "max_tokens", "max_completion_tokens", "temperature", "top_p"}
    | {"top_k", "stop", "seed", "presence_penalty", "frequency_penalty", "reasoning_effort"}
    | {"thinking", "user", "safety_identifier"}
)
_AUDIO_MIME = {"wav": "audio/wav", "mp3": "audio/mpeg"}


def conversation(request: ChatRequest) -> Conversation:
    """Read the whole request. Raises `BadRequest` with the field's name."""
    body = request.body
    given = body.get("thinking")
    thinking: dict[str, Any] = given if isinstance(given, dict) else {}
    effort = body.get("reasoning_effort")
    if effort is None and thinking.get("type") == "disabled":
        effort = "none"
    stop = body.get("stop")
    return Conversation(
        turns=merged(_turns(body["messages"])),
        tools=tuple(_tools(body.get("tools") or [])),
        tool_choice=_tool_choice(body.get("tool_choice")),
        parallel_tools=body.get("parallel_tool_calls"),
        format=_format(body.get("response_format")),
        max_output=request.max_output,
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        top_k=_optional("top_k", body, int, "a whole number"),
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        seed=body.get("seed"),
        presence_penalty=body.get("presence_penalty"),
        frequency_penalty=body.get("frequency_penalty"),
        effort=effort if isinstance(effort, str) else None,
        thinking_tokens=_whole(thinking.get("budget_tokens")),
        shows_thinking=(effort or "none") != "none" or thinking.get("type") == "enabled",
        user=_optional("safety_identifier", body, str, "a string")
        or _optional("user", body, str, "a string"),
        extra={
            **{name: value for name, value in body.items() if name not in _READ},
            **_left(body["messages"]),
        },
    )


def _left(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What is said inside the messages and has no place in a turn."""
    found = {
        f"messages.{name}": [message[name] for message in messages if message.get(name)]
        for name in ("audio", "name")
    }
    return {name: values for name, values in found.items() if values}


def _whole(value: Any) -> int | None:
    return value if type(value) is int else None


def _turns(messages: list[dict[str, Any]]) -> list[Turn]:
    return [_ROLES[message["role"]](index, message) for index, message in enumerate(messages)]


def _system(index: int, message: Mapping[str, Any]) -> Turn:
    return Turn("system", tuple(_parts(f"messages[{index}].content", message.get("content"))))


def _user(index: int, message: Mapping[str, Any]) -> Turn:
    return Turn("user", tuple(_parts(f"messages[{index}].content", message.get("content"))))


def _tool(index: int, message: Mapping[str, Any]) -> Turn:
    call_id = message.get("tool_call_id")
    if not isinstance(call_id, str) or not call_id:
        raise wrong(f"messages[{index}].tool_call_id", "the id of the tool call that it answers")
    parts = [
        part
        for part in _parts(f"messages[{index}].content", message.get("content"))
        if isinstance(part, Text | Media)
    ]
    return Turn("user", (ToolResult(call_id=call_id, parts=tuple(parts)),))


def _function(index: int, message: Mapping[str, Any]) -> Turn:
    raise _older(f"messages[{index}].role")


def _older(name: str) -> CannotCarry:
    return CannotCarry(
        "Messages of role function and the field function_call are the older form of tools, which "
        "the model that answers does not know; use tool_calls and messages of role tool.",
        param=name,
    )


def _assistant(index: int, message: Mapping[str, Any]) -> Turn:
    name = f"messages[{index}]"
    if message.get("function_call"):
        raise _older(f"{name}.function_call")
    parts: list[Part] = list(_thoughts(message))
    parts += _parts(f"{name}.content", message.get("content"))
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        parts.append(Text(text=message["refusal"]))
    calls = message.get("tool_calls") or ()
    if not isinstance(calls, list | tuple):
        raise wrong(f"{name}.tool_calls", "a list")
    parts += [_call(f"{name}.tool_calls[{place}]", call) for place, call in enumerate(calls)]
    return Turn("assistant", tuple(parts))


_ROLES = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
    "function": _function,
}


def _thoughts(message: Mapping[str, Any]) -> list[Thinking]:
    """`reasoning_details` if they came back, else the bare `reasoning_content`."""
    details = message.get("reasoning_details")
    thoughts = [
        thought
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict) and (thought := _thought(detail))
    ]
    if thoughts:
        return thoughts
    text = message.get("reasoning_content") or message.get("reasoning")
    return [Thinking(text=text)] if isinstance(text, str) and text else []


def _thought(detail: Mapping[str, Any]) -> Thinking | None:
    text, sealed, id = (detail.get(name) for name in ("text", "signature", "id"))
    if detail.get("type") == "reasoning.encrypted":
        text, sealed = "", detail.get("data")
    if not isinstance(text, str):
        return None
    opaque = unseal(sealed, "chat") if isinstance(sealed, str) else None
    return Thinking(text=text, opaque=opaque, id=id if isinstance(id, str) else None)


def _call(name: str, call: Any) -> ToolCall:
    kind = call.get("type", "function") if isinstance(call, dict) else None
    said = call.get(kind) if kind in ("function", "custom") else None
    if not isinstance(said, dict) or not isinstance(call.get("id"), str):
        raise wrong(name, "an object with an id and a function")
    arguments = said.get("input" if kind == "custom" else "arguments") or ""
    if not isinstance(said.get("name"), str) or not isinstance(arguments, str):
        raise wrong(f"{name}.{kind}", "an object with a name, its arguments as a JSON string")
    return ToolCall(
        id=call["id"],
        name=said["name"],
        arguments=arguments,
        opaque=_signature(call),
        custom=kind == "custom",
    )


def _signature(call: Mapping[str, Any]) -> Opaque | None:
    """Gemini's, where Google's own OpenAI-compatible endpoint puts it."""
    content = call.get("extra_content")
    google = content.get("google") if isinstance(content, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return Opaque("gemini", signature) if isinstance(signature, str) else None


def _parts(name: str, content: Any) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(text=content)] if content else []
    return [_part(f"{name}[{place}]", part) for place, part in enumerate(content)]


def _part(name: str, part: Mapping[str, Any]) -> Part:
    kind = part["type"]
    if kind == "text":
        return Text(text=part["text"])
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return Text(text=part["refusal"])
    if kind == "image_url":
        return _image(f"{name}.image_url", part["image_url"])
    if kind == "input_audio":
        return _sound(f"{name}.input_audio", part["input_audio"])
    if kind == "file":
        return _file(name, part["file"])
    raise wrong(f"{name}.type", "text, image_url, input_audio or file")


def _sound(name: str, sound: Mapping[str, Any]) -> Media:
    given = _text(f"{name}.format", sound.get("format"))
    mime = _AUDIO_MIME.get(given, f"audio/{given}")
    return Media(kind="audio", mime=mime, data=_text(f"{name}.data", sound.get("data")))


def _image(name: str, image: Mapping[str, Any]) -> Media:
    url, detail = _text(f"{name}.url", image.get("url")), image.get("detail")
    return media("images", url, detail=detail if isinstance(detail, str) else None)


def _file(name: str, file: Mapping[str, Any]) -> Media:
    filename = file.get("filename")
    called = filename if isinstance(filename, str) else None
    if isinstance(file.get("file_id"), str):
        return Media(
            kind="files", mime="application/pdf", file_id=file["file_id"], maker="chat", name=called
        )
    return media("files", _text(f"{name}.file.file_data", file.get("file_data")), name=called)


def media(kind: Any, url: str, *, name: str | None = None, detail: str | None = None) -> Media:
    """A data URL's bytes, or an address. Bare base64 is what some clients send for a file."""
    if not url.startswith("data:"):
        if "://" in url[:12]:
            mime = "image/*" if kind == "images" else "application/pdf"
            return Media(kind=kind, mime=mime, url=url, name=name, detail=detail)
        if kind == "images":
            raise BadRequest(
                "A picture must be an address, or a data URL: data:image/png;base64,… .",
                code="invalid_value",
            )
        return Media(kind=kind, mime="application/pdf", data=url, name=name, detail=detail)
    head, comma, data = url[5:].partition(",")
    mime, *rest = head.split(";")
    if not comma or "base64" not in rest or not mime:
        raise BadRequest("A data URL must be data:TYPE;base64,… .", code="invalid_value")
    return Media(kind=kind, mime=mime.lower(), data=data, name=name, detail=detail)


def _tools(tools: list[dict[str, Any]]) -> list[Tool]:
    return [_one_tool(f"tools[{place}]", tool) for place, tool in enumerate(tools)]


def _one_tool(name: str, tool: Mapping[str, Any]) -> Tool:
    said = tool.get(tool["type"])
    if tool["type"] not in ("function", "custom") or not isinstance(said, dict):
        raise wrong(f"{name}.type", "function or custom")
    name = f"{name}.{tool['type']}"
    called = _text(f"{name}.name", said.get("name"))
    description = _optional(f"{name}.description", said, str, "a string")
    if tool["type"] == "custom":
        return Tool(name=called, description=description, custom=_custom(name, said))
    return Tool(
        name=called,
        description=description,
        parameters=_optional(f"{name}.parameters", said, dict, "a JSON Schema"),
        strict=_optional(f"{name}.strict", said, bool, "true or false"),
    )


def _custom(name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """A format as Responses says it: a grammar beside its type, not in an object of its own."""
    given = _optional(f"{name}.format", said, dict, "an object") or {}
    grammar = given.get("grammar")
    return {"type": "grammar", **grammar} if isinstance(grammar, dict) else given


def _optional(name: str, holder: Mapping[str, Any], kind: type, wanted: str) -> Any:
    value = holder.get(name.rpartition(".")[2])
    if value is not None and not isinstance(value, kind):
        raise wrong(name, wanted)
    return value


def _tool_choice(choice: Any) -> ToolChoice | None:
    if choice is None or isinstance(choice, str):
        return None if choice is None else ToolChoice(mode=choice)  # type: ignore[arg-type]
    kind = choice.get("type")
    said = choice.get(kind) if kind in ("function", "custom", "allowed_tools") else None
    if isinstance(said, dict) and kind == "allowed_tools":
        return ToolChoice(
            mode="required" if said.get("mode") == "required" else "auto",
            among=_allowed("tool_choice.allowed_tools.tools", said.get("tools")),
        )
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        raise wrong("tool_choice", "'auto', 'none', 'required' or a function by its name")
    return ToolChoice(mode="named", name=said["name"])


def _allowed(name: str, tools: Any) -> tuple[str, ...]:
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise wrong(name, "a list of tools")
    named = [tool.get("function") or tool.get("custom") or tool for tool in tools]
    return tuple(
        _text(f"{name}[{place}].name", tool.get("name") if isinstance(tool, dict) else None)
        for place, tool in enumerate(named)
    )


def _format(given: Any) -> Format | None:
    kind = (given or {}).get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return Format()
    said = given["json_schema"]
    schema = said.get("schema")
    if not isinstance(schema, dict):
        raise wrong("response_format.json_schema.schema", "a JSON Schema")
    name = "response_format.json_schema"
    return Format(
        schema=schema,
        name=str(said.get("name") or "answer"),
        strict=_optional(f"{name}.strict", said, bool, "true or false"),
        description=_optional(f"{name}.description", said, str, "a string"),
    )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise wrong(name, "a string")
    return value
