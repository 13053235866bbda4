"""A client's Messages request, read whole: every field that another wire has words for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import (
    Conversation,
    Format,
    Part,
    Text,
    Tool,
    ToolChoice,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.wire.anthropic.blocks import read_blocks
from larouter.wire.anthropic.thinking import effort_of
from larouter.wire.fields import text, wrong
from larouter.wire.losses import Loss
from larouter.wire.turns import merged

LOSSES = (
    Loss("mcp_servers", "refused", "Anthropic itself would call these servers", ([],)),
    Loss("container", "refused", "it is a machine at Anthropic"),
    Loss("thread", "refused", "the conversation is kept at Anthropic"),
    Loss("inference_geo", "refused", "only Anthropic can promise where it computes", ("global",)),
    Loss("prefill", "refused", "other models do not go on with words that they did not say"),
    Loss("server_tools", "left out", "tools that Anthropic itself would run"),
    Loss("context_management", "left out", "Anthropic would shorten the conversation with it"),
    Loss("compaction", "left out", "Anthropic would shorten the conversation with it"),
    Loss("cache_control", "left out", "other providers cache by themselves"),
    Loss("diagnostics", "left out", "it asks about Anthropic's cache"),
    Loss("service_tier", "left out", "it is a contract with Anthropic"),
    Loss("speed", "left out", "it is a way of serving at Anthropic"),
    Loss("fallbacks", "left out", "LARouter falls back by its own rules"),
    Loss("fallback_credit_token", "left out", "it is a credit at Anthropic"),
    Loss("billing_policy", "left out", "it is a contract with Anthropic"),
    Loss("user_profile_id", "left out", "it names a customer of Anthropic's"),
    Loss("betas", "left out", "they are Anthropic's own"),
    Loss("anthropic_beta", "left out", "they are Anthropic's own"),
)

# What `Conversation` has fields for; the rest is `extra`.
_READ = frozenset(
    {"model", "messages", "system", "max_tokens", "stream", "temperature", "top_p", "top_k"}
    | {"stop_sequences", "tools", "tool_choice", "thinking", "output_config", "output_format"}
    | {"metadata"}
)
_MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
# Run by Anthropic: without them a model answers from what it knows. The other typed tools (bash,
# text_editor, computer …) are run by the client, whose work fails without them.
_RUN_BY_ANTHROPIC = (
    "web_search_", "web_fetch_", "code_execution_", "tool_search_tool_", "advisor_", "mcp_toolset",
)  # fmt: skip
# Claude Code's first block of `system` changes with every request and says nothing to a model:
# without it the caches of other providers hit.
_CHANGING = "x-anthropic-billing-header:"


def conversation(request: ChatRequest) -> Conversation:
    """Read the whole request. Raises `BadRequest` with the field's name."""
    body = request.body
    if request.max_output == 0:
        raise CannotCarry(
            "With max_tokens 0 Anthropic fills its cache; no other model can do that.",
            param="max_tokens",
        )
    tools, servers = _tools(body.get("tools") or ())
    choice = body.get("tool_choice") or {}
    extra = {name: value for name, value in body.items() if name not in _READ}
    if servers:
        extra["server_tools"] = servers
    if body["messages"][-1]["role"] == "assistant":
        extra["prefill"] = True
    return Conversation(
        turns=merged([*_system(body.get("system")), *_turns(body["messages"])]),
        tools=tools,
        tool_choice=_tool_choice(choice, servers) if choice else None,
        parallel_tools=_parallel(choice),
        format=_format(body),
        max_output=request.max_output,
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        top_k=body.get("top_k"),
        stop=tuple(body.get("stop_sequences") or ()),
        user=_user(body.get("metadata")),
        extra=extra,
        **_thinking(body),
    )


def shows_thinking(body: Mapping[str, Any]) -> str:
    """What the client gets of thoughts: their `text`, only their `seals`, or `nothing`."""
    thinking = body.get("thinking") or {}
    if thinking.get("type") not in ("enabled", "adaptive"):
        return "nothing"
    return "seals" if thinking.get("display") == "omitted" else "text"


def _thinking(body: Mapping[str, Any]) -> dict[str, Any]:
    thinking = body.get("thinking") or {}
    effort = (body.get("output_config") or {}).get("effort")
    budget = thinking.get("budget_tokens") if thinking.get("type") == "enabled" else None
    if thinking.get("type") in ("disabled", "between_tools"):
        effort = "none"
    elif effort is None and budget is not None:
        effort = effort_of(budget)
    return {
        "effort": effort,
        "thinking_tokens": budget,
        "shows_thinking": shows_thinking(body) == "text",
    }


def _system(system: Any) -> list[Turn]:
    blocks = [{"text": system}] if isinstance(system, str) else system or ()
    parts: list[Part] = [
        Text(text=block["text"])
        for block in blocks
        if block["text"] and not block["text"].startswith(_CHANGING)
    ]
    return [Turn("system", tuple(parts))]


def _turns(messages: list[dict[str, Any]]) -> list[Turn]:
    return [
        Turn(message["role"], tuple(read_blocks(f"messages[{index}].content", message["content"])))
        for index, message in enumerate(messages)
    ]


def _tools(given: Any) -> tuple[tuple[Tool, ...], list[str]]:
    """The client's tools, and the names of those that Anthropic would run."""
    tools: list[Tool] = []
    servers: list[str] = []
    for index, tool in enumerate(given):
        kind = tool.get("type") or "custom"
        if kind == "custom":
            strict = tool.get("strict")
            tools.append(
                Tool(
                    name=tool["name"],
                    description=text(tool, "description") or None,
                    parameters=tool["input_schema"],
                    strict=strict if isinstance(strict, bool) else None,
                )
            )
        elif isinstance(kind, str) and kind.startswith(_RUN_BY_ANTHROPIC):
            servers.append(str(tool.get("name") or kind))
        else:
            raise CannotCarry(
                f"The model that answers cannot be given the tool {kind!r}: only Claude knows what "
                "it takes. Describe it as a tool with an input_schema.",
                param=f"tools[{index}]",
            )
    return tuple(tools), servers


def _tool_choice(choice: Mapping[str, Any], servers: list[str]) -> ToolChoice:
    mode, name = _MODES.get(choice["type"]), choice.get("name")
    if mode is None or (mode == "named" and not isinstance(name, str)):
        raise wrong("tool_choice", "of type auto, any, none, or tool with a name")
    if mode == "named" and name in servers:
        raise CannotCarry(
            f"Only Anthropic runs the tool {name!r}, and another model answers.",
            param="tool_choice",
        )
    return ToolChoice(mode=mode, name=name if mode == "named" else None)  # type: ignore[arg-type]


def _parallel(choice: Mapping[str, Any]) -> bool | None:
    disabled = choice.get("disable_parallel_tool_use")
    return not disabled if isinstance(disabled, bool) else None


def _format(body: Mapping[str, Any]) -> Format | None:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format")
    return Format(schema=wanted["schema"], strict=True) if wanted else None


def _user(metadata: Any) -> str | None:
    user = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    return user if isinstance(user, str) and user else None
