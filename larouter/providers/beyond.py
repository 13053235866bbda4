"""What a call may take that is not in the text of its request: for the most that it can cost.

That is what LARouter puts back into a conversation (`core/turns.py`), and what a provider does on
its own: it runs tools such as a search of the web, as often as it likes, and bills each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.errors import BadRequest
from larouter.core.turns import Turns
from larouter.wire.ollama.calls import read_calls
from larouter.wire.responses.names import every_tool

# Run by the client. A kind that nobody here knows may be billed.
_CHAT = frozenset({"function", "custom"})
_RESPONSES = _CHAT | {
    "local_shell", "apply_patch", "computer", "computer_use_preview", "tool_search",
}  # fmt: skip
_ANTHROPIC = ("custom", "bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_")
_GEMINI = frozenset(
    {"functionDeclarations", "function_declarations", "computerUse", "computer_use"}
)


def restored(request: ChatRequest, turns: Turns) -> int:
    """Bytes that are put back."""
    if "tools" not in request.needs:
        return 0
    with suppress(BadRequest):  # what is odd is refused when it is read in full
        return turns.restored(request.project, _call_ids(request))
    return 0


def billed_tool(request: ChatRequest, wire: str) -> str | None:
    """The first tool that the provider runs and bills; None: there is none, or it is not sent, as
    the provider speaks another format."""
    find = _BILLED.get(request.dialect)
    return None if find is None or wire != request.dialect else next(find(request.body), None)


def _chat(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("web_search_options") is not None:
        yield "web_search_options"
    yield from (_name(tool) for tool in _objects(body, "tools") if tool.get("type") not in _CHAT)


def _responses(body: Mapping[str, Any]) -> Iterator[str]:
    for _, tool in every_tool(body):
        if tool.get("type") not in _RESPONSES and not _is_own_shell(tool):
            yield _name(tool)


def _anthropic(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("mcp_servers"):
        yield "mcp_servers"
    for tool in _objects(body, "tools"):
        if not str(tool.get("type") or "custom").startswith(_ANTHROPIC):
            yield _name(tool)


def _gemini(body: Mapping[str, Any]) -> Iterator[str]:
    for tool in _objects(body, "tools"):
        yield from (name for name in tool if name not in _GEMINI)


_BILLED: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}


def _is_own_shell(tool: Mapping[str, Any]) -> bool:
    """Does the client run the commands itself?"""
    where = tool.get("environment")
    return tool.get("type") == "shell" and (
        not isinstance(where, Mapping) or where.get("type") == "local"
    )


def _name(tool: Mapping[str, Any]) -> str:
    return str(tool.get("name") or tool.get("type"))[:100]


def _call_ids(request: ChatRequest) -> Iterator[str]:
    """The calls of tools that the conversation has."""
    body = request.body
    if request.dialect == "ollama":
        for said in read_calls(_objects(body, "messages")):
            yield from (call.id for call in said.calls)
        return
    for item in (*_objects(body, "messages"), *_objects(body, "input")):
        yield from _ids(item, "call_id")
        for call in (*_objects(item, "tool_calls"), *_objects(item, "content")):
            yield from _ids(call, "id")
    for content in _objects(body, "contents"):
        for part in _objects(content, "parts"):
            made = part.get("functionCall") or part.get("function_call")
            if isinstance(made, Mapping):
                yield from _ids(made, "id")


def _ids(holder: Mapping[str, Any], name: str) -> Iterator[str]:
    found = holder.get(name)
    if isinstance(found, str):
        yield found


def _objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    given = holder.get(name)
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
