"""A client's Responses request, read whole: every field that another wire has words for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

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
from larouter.wire.chat.conversation import media
from larouter.wire.fields import wrong
from larouter.wire.losses import Loss
from larouter.wire.opaque import unseal
from larouter.wire.responses import compaction
from larouter.wire.responses.names import CALLABLE, every_tool, flat
from larouter.wire.responses.request import kind, listed
from larouter.wire.turns import merged

LOSSES = (
    Loss("input.compaction", "refused", "only OpenAI can read a compaction that it made"),
    Loss("input.compaction_trigger", "refused", "compacting while answering is OpenAI's own; "
         "POST /v1/responses/compact works with every model"),
    Loss("input.items", "left out", "steps of tools that OpenAI runs itself (web search, shell, "
         "MCP …) are unknown elsewhere"),
    Loss("tools", "left out", "tools that OpenAI runs itself (web search, shell, MCP …) are "
         "unknown elsewhere; functions, custom tools and namespaces are carried"),
    Loss("tool_choice", "refused", "it demands a tool that OpenAI runs itself"),
    Loss("top_logprobs", "refused", "other formats do not tell how likely a word was", (0,)),
    Loss("prompt", "refused", "stored prompts are OpenAI's own"),
    Loss("moderation", "refused", "it is a service of OpenAI"),
    Loss("include", "left out", "it names details that only OpenAI's answers have"),
    Loss("reasoning", "left out", "but for effort and summary, which are carried"),
    Loss("text.verbosity", "left out", "no other model knows it"),
    Loss("truncation", "left out", "nothing is cut: a request goes to a model that it fits"),
    Loss("max_tool_calls", "left out", "it counts tools that OpenAI runs itself"),
    Loss("context_management", "left out", "it steers OpenAI's own compaction"),
    Loss("service_tier", "left out", "it is a contract with OpenAI"),
    Loss("metadata", "left out", "it is kept here and comes back, no model sees it"),
    Loss("client_metadata", "left out", "it concerns OpenAI's own records"),
    Loss("prompt_cache_key", "left out", "it steers OpenAI's own cache"),
    Loss("prompt_cache_retention", "left out", "it steers OpenAI's own cache"),
    Loss("prompt_cache_options", "left out", "it steers OpenAI's own cache"),
    Loss("stream_options", "left out", "it pads OpenAI's own stream"),
    Loss("image", "left out", "it steers how OpenAI packs pictures"),
    Loss("access_programs", "left out", "it is a contract with OpenAI"),
)  # fmt: skip

# What `Conversation` has fields for, or what we do ourselves; the rest is `extra`.
_READ = frozenset(
    {"model", "input", "instructions", "stream", "store", "previous_response_id", "background"}
    | {"conversation", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning"}
    | {"max_output_tokens", "temperature", "top_p", "user", "safety_identifier"}
)
_CARRIED = frozenset(
    {"message", "reasoning", "function_call", "custom_tool_call", "function_call_output"}
    | {"custom_tool_call_output", "additional_tools", "tool_search_output"}
)
_AUDIO_MIME = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_SYSTEM = frozenset({"system", "developer"})


def conversation(request: ChatRequest) -> Conversation:
    """Read the whole request. Raises `BadRequest` with the field's name."""
    body = request.body
    items = listed(body.get("input"))
    reasoning, text = body.get("reasoning") or {}, body.get("text") or {}
    effort = reasoning.get("effort")
    return Conversation(
        turns=_turns(body.get("instructions"), items),
        tools=tuple(
            _tool(namespace, tool)
            for namespace, tool in every_tool(body)
            if tool["type"] in CALLABLE
        ),
        tool_choice=_tool_choice(body.get("tool_choice")),
        parallel_tools=body.get("parallel_tool_calls"),
        format=_format(text.get("format")),
        max_output=request.max_output,
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        effort=effort if isinstance(effort, str) else None,
        shows_thinking=bool(reasoning.get("summary") or reasoning.get("generate_summary")),
        user=body.get("safety_identifier") or body.get("user"),
        extra={
            **{name: value for name, value in body.items() if name not in _READ},
            **dict(_left(body, items)),
        },
    )


def _left(body: Mapping[str, Any], items: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """What is in fields that are read, and has no place elsewhere."""
    kinds = {kind(item) for item in items} - _CARRIED
    if kinds & compaction.KINDS:
        yield "input.compaction", True
    if "compaction_trigger" in kinds:
        yield "input.compaction_trigger", True
    if rest := sorted(kinds - compaction.KINDS - {"compaction_trigger"}):
        yield "input.items", rest
    if hosted := [tool for _, tool in every_tool(body) if tool["type"] not in CALLABLE]:
        yield "tools", hosted
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice["type"] not in {*CALLABLE, "allowed_tools"}:
        yield "tool_choice", choice
    reasoning = set(body.get("reasoning") or ()) - {"effort", "summary", "generate_summary"}
    if reasoning:
        yield "reasoning", {name: body["reasoning"][name] for name in sorted(reasoning)}
    if (body.get("text") or {}).get("verbosity") is not None:
        yield "text.verbosity", body["text"]["verbosity"]


def _turns(instructions: str | None, items: list[dict[str, Any]]) -> tuple[Turn, ...]:
    turns = [Turn("system", (Text(text=instructions),))] if instructions else []
    seals: dict[str, Opaque] = {}
    for index, item in enumerate(items):
        turn = _turn(f"input[{index}]", item)
        if turn is None:
            continue
        sealed = turn.parts[0] if turn.parts else None
        if isinstance(sealed, Thinking) and sealed.opaque and "@" in sealed.opaque.maker:
            maker, _, place = sealed.opaque.maker.partition("@")
            seals[place] = Opaque(maker, sealed.opaque.data)
            turns = _with_text_seal(turns, seals.pop("", None))
        else:
            turns.append(turn)
    return merged(Turn(turn.role, tuple(_resealed(turn.parts, seals))) for turn in turns)


def _with_text_seal(turns: list[Turn], opaque: Opaque | None) -> list[Turn]:
    """Give what was said last the signature that came after it."""
    last = turns[-1] if turns else None
    if opaque is None or last is None or last.role != "assistant" or not last.parts:
        return turns
    *before, part = last.parts
    if not isinstance(part, Text):
        return turns
    return [*turns[:-1], Turn("assistant", (*before, replace(part, opaque=opaque)))]


def _resealed(parts: tuple[Part, ...], seals: Mapping[str, Opaque]) -> Iterator[Part]:
    """Give each call of a tool the signature that came in an item before it."""
    for part in parts:
        if isinstance(part, ToolCall) and part.id in seals:
            yield replace(part, opaque=seals[part.id])
        else:
            yield part


def _turn(name: str, item: Mapping[str, Any]) -> Turn | None:
    match kind(item):
        case "message" if item["role"] in _SYSTEM:
            return Turn("system", tuple(_parts(f"{name}.content", item["content"])))
        case "message":
            parts = tuple(_parts(f"{name}.content", item["content"]))
            return Turn("assistant" if item["role"] == "assistant" else "user", parts)
        case "reasoning":
            return Turn("assistant", (_thought(item),))
        case "function_call" | "custom_tool_call":
            return Turn("assistant", (_call(item),))
        case "function_call_output" | "custom_tool_call_output":
            shown = [
                part
                for part in _parts(f"{name}.output", item["output"])
                if isinstance(part, Text | Media)
            ]
            return Turn("user", (ToolResult(call_id=item["call_id"], parts=tuple(shown)),))
    return None


def _thought(item: Mapping[str, Any]) -> Thinking:
    texts = [
        part["text"]
        for part in [*(item.get("summary") or ()), *(item.get("content") or ())]
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]
    sealed, id = item.get("encrypted_content"), item.get("id")
    return Thinking(
        text="\n\n".join(texts),
        opaque=unseal(sealed, "responses") if isinstance(sealed, str) and sealed else None,
        id=id if isinstance(id, str) else None,
    )


def _call(item: Mapping[str, Any]) -> ToolCall:
    custom = item["type"] == "custom_tool_call"
    return ToolCall(
        id=item["call_id"],
        name=flat(item.get("namespace"), item["name"]),
        arguments=item["input" if custom else "arguments"],
        custom=custom,
    )


def _parts(name: str, content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Text(text=content)] if content else []
    parts = [_part(f"{name}[{place}]", part) for place, part in enumerate(content)]
    return [part for part in parts if not isinstance(part, Text) or part.text]


def _part(name: str, part: Mapping[str, Any]) -> Part:
    match part["type"]:
        case "input_text" | "output_text":
            return Text(text=part["text"])
        case "refusal":
            return Text(text=part["refusal"])
        case "input_image":
            return _image(name, part)
        case "input_file":
            return _file(name, part)
        case "input_audio":
            sound = part["input_audio"]
            mime = _AUDIO_MIME.get(str(sound.get("format")), f"audio/{sound.get('format')}")
            return Media(kind="audio", mime=mime, data=_text(f"{name}.data", sound.get("data")))
    raise wrong(f"{name}.type", "input_text, input_image, input_file, output_text or refusal")


def _image(name: str, part: Mapping[str, Any]) -> Media:
    detail, file_id = part.get("detail"), part.get("file_id")
    detail = detail if isinstance(detail, str) else None
    if isinstance(file_id, str):
        return Media(
            kind="images", mime="image/*", file_id=file_id, maker="responses", detail=detail
        )
    return media("images", _text(f"{name}.image_url", part.get("image_url")), detail=detail)


def _file(name: str, part: Mapping[str, Any]) -> Media:
    filename, file_id = part.get("filename"), part.get("file_id")
    called = filename if isinstance(filename, str) else None
    if isinstance(file_id, str):
        return Media(
            kind="files", mime="application/pdf", file_id=file_id, maker="responses", name=called
        )
    address = part.get("file_data") or part.get("file_url")
    return media("files", _text(f"{name}.file_data", address), name=called)


def _tool(namespace: str | None, tool: Mapping[str, Any]) -> Tool:
    name = flat(namespace, tool["name"])
    description = tool.get("description")
    description = description if isinstance(description, str) else None
    if tool["type"] == "custom":
        given = tool.get("format")
        return Tool(
            name=name, description=description, custom=given if isinstance(given, dict) else {}
        )
    strict = tool.get("strict")
    return Tool(
        name=name,
        description=description,
        parameters=tool.get("parameters"),
        strict=strict if isinstance(strict, bool) else None,
    )


def _tool_choice(choice: Any) -> ToolChoice | None:
    if isinstance(choice, str):
        return ToolChoice(mode=choice)  # type: ignore[arg-type]
    if choice is None:
        return None
    if choice["type"] in CALLABLE:
        return ToolChoice(mode="named", name=flat(choice.get("namespace"), choice["name"]))
    if choice["type"] == "allowed_tools":
        return ToolChoice(
            mode="required" if choice.get("mode") == "required" else "auto",
            among=tuple(
                flat(tool.get("namespace"), tool["name"])
                for tool in choice["tools"]
                if tool["type"] in CALLABLE
            ),
        )
    return None


def _format(given: Mapping[str, Any] | None) -> Format | None:
    sort = (given or {}).get("type")
    if given is None or sort == "text":
        return None
    if sort == "json_object":
        return Format()
    strict, description = given.get("strict"), given.get("description")
    return Format(
        schema=given["schema"],
        name=given["name"],
        strict=strict if isinstance(strict, bool) else None,
        description=description if isinstance(description, str) else None,
    )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise wrong(name, "a string")
    return value
