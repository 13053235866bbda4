"""The tools of a Responses request, and their names where there are no namespaces.

A tool may stand alone, inside a namespace, or in an item of the input that adds tools. Elsewhere a
tool has one name of at most 64 characters: namespace and name are joined, and parted again when
the model calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

CALLABLE = frozenset({"function", "custom"})
_ADDS_TOOLS = frozenset({"additional_tools", "tool_search_output"})
_DEFAULT = "functions"
"""The namespace of tools that are in none: Codex, protocol/src/tool_name.rs."""
_LONGEST = 64
_DIGITS = 8


class Named(NamedTuple):
    """How a client knows a tool."""

    name: str
    namespace: str | None = None
    custom: bool = False


def flat(namespace: Any, name: str) -> str:
    """One name for a tool of a namespace. The same for the same, always."""
    if not isinstance(namespace, str) or namespace in {"", _DEFAULT, name}:
        return name
    joined = f"{namespace}{name}" if namespace.endswith("_") else f"{namespace}__{name}"
    if len(joined) <= _LONGEST:
        return joined
    digest = hashlib.sha256(joined.encode()).hexdigest()[:_DIGITS]
    return f"{joined[: _LONGEST - _DIGITS - 1]}_{digest}"


def every_tool(body: Mapping[str, Any]) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Each tool with its namespace, those of OpenAI's own too; one that is named twice once."""
    seen: set[str] = set()
    for namespace, tool in _all(body):
        if tool.get("type") in CALLABLE:
            name = flat(namespace, tool["name"])
            if name in seen:
                continue
            seen.add(name)
        yield namespace, tool


def names(body: Mapping[str, Any]) -> dict[str, Named]:
    """How the client knows each tool, by its flat name."""
    return {
        flat(namespace, tool["name"]): Named(
            tool["name"],
            namespace if namespace != _DEFAULT else None,
            tool["type"] == "custom",
        )
        for namespace, tool in every_tool(body)
        if tool.get("type") in CALLABLE
    }


def _all(body: Mapping[str, Any]) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    yield from _opened(body.get("tools"))
    given = body.get("input")
    for item in given if isinstance(given, list) else ():
        if item.get("type") in _ADDS_TOOLS:
            yield from _opened(item.get("tools"))


def _opened(tools: Any) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    for tool in tools or ():
        if tool.get("type") == "namespace":
            for inner in tool.get("tools") or ():
                yield tool["name"], inner
        else:
            yield None, tool
