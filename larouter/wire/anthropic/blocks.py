"""The content blocks of Anthropic's messages as parts of a turn."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Literal

from larouter.core.conversation import (
    Media,
    Opaque,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from larouter.core.errors import CannotCarry
from larouter.wire.anthropic.thinking import NO_MAKER, redacted
from larouter.wire.fields import wrong
from larouter.wire.opaque import seal, unseal
from larouter.wire.strict_json import encode

# What Anthropic's own tools left behind: other models cannot read it, the answer's words stay.
_SERVERS_OWN = frozenset(
    {"server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "mcp_tool_use"}
    | {"mcp_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result"}
    | {"text_editor_code_execution_tool_result", "tool_search_tool_result"}
)


def read_blocks(name: str, content: Any) -> list[Part]:
    """The parts of a message's content, a string or a list. Raises `BadRequest`, or `CannotCarry`
    for a block that no other model understands."""
    if isinstance(content, str):
        return [Text(text=content)] if content else []
    parts: list[Part] = []
    for place, block in enumerate(_blocks(name, content)):
        kind = block["type"]
        if kind not in _SERVERS_OWN:
            read = _READERS.get(kind)
            if read is None:
                raise _cannot(f"{name}[{place}]", f"a block of type {kind!r}")
            parts += read(f"{name}[{place}]", block)
    return parts


def _blocks(name: str, content: Any) -> list[dict[str, Any]]:
    """Only a message's own blocks were looked at when the request was read; some hold others."""
    blocks = [] if content is None else content
    if not isinstance(blocks, list):
        raise wrong(name, "a string or a list of blocks")
    for place, block in enumerate(blocks):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise wrong(f"{name}[{place}]", "an object with a 'type'")
    return blocks


def sealed(opaque: Opaque | None, id: str | None) -> str:
    """A signature or a redacted thought for a client of ours. A thought without a signature gets
    one too: clients refuse to keep it else."""
    if opaque is None:
        return seal(Opaque(NO_MAKER, ""), "anthropic")
    maker = f"{opaque.maker}~{id}" if id and "." not in id else opaque.maker
    return seal(Opaque(maker, opaque.data), "anthropic")


def unsealed(text: str) -> tuple[Opaque | None, str | None]:
    """What `sealed` wrote, or Anthropic's own signature; and the thought's id."""
    opaque = unseal(text, "anthropic")
    maker, _, id = opaque.maker.partition("~")
    return (None if maker == NO_MAKER else Opaque(maker, opaque.data)), id or None


def is_foreign(block: Any) -> bool:
    """Is this a thought of another maker, sealed by us? Anthropic must not see it."""
    text = block.get("signature") or block.get("data") if isinstance(block, Mapping) else None
    if not isinstance(text, str) or block.get("type") not in ("thinking", "redacted_thinking"):
        return False
    return unseal(text, "anthropic").maker != "anthropic"


def _text(name: str, block: Mapping[str, Any]) -> list[Part]:
    text = _string(f"{name}.text", block.get("text"))
    return [Text(text=text)] if text else []


def _thinking(name: str, block: Mapping[str, Any]) -> list[Part]:
    text, signature = block.get("thinking"), block.get("signature")
    if not isinstance(text, str) or not isinstance(signature, str):
        raise wrong(name, "a thought with its signature")
    opaque, id = unsealed(signature)
    return [Thinking(text=text, opaque=opaque, id=id)]


def _redacted(name: str, block: Mapping[str, Any]) -> list[Part]:
    opaque, id = unsealed(_string(f"{name}.data", block.get("data")))
    if opaque is not None and opaque.maker == "anthropic":
        opaque = redacted(opaque.data)
    return [Thinking(text="", opaque=opaque, id=id)]


def _tool_use(name: str, block: Mapping[str, Any]) -> list[Part]:
    id, called = block.get("id"), block.get("name")
    if not isinstance(id, str) or not isinstance(called, str):
        raise wrong(name, "a call with an id and a name")
    given = block.get("input")
    if not isinstance(given, Mapping):
        raise wrong(f"{name}.input", "an object")
    return [ToolCall(id=id, name=called, arguments=encode(given).decode())]


def _tool_result(name: str, block: Mapping[str, Any]) -> list[Part]:
    parts = read_blocks(f"{name}.content", block.get("content"))
    return [
        ToolResult(
            call_id=_string(f"{name}.tool_use_id", block.get("tool_use_id")),
            parts=tuple(part for part in parts if isinstance(part, Text | Media)),
            is_error=block.get("is_error") is True,
        )
    ]


def _image(name: str, block: Mapping[str, Any]) -> list[Part]:
    return [_medium(name, "images", _source(name, block), "image/*")]


def _document(name: str, block: Mapping[str, Any]) -> list[Part]:
    source = _source(name, block)
    context = block.get("context")
    said: list[Part] = [Text(text=context)] if isinstance(context, str) and context else []
    if source["type"] == "content":
        return [*said, *read_blocks(f"{name}.source.content", source.get("content"))]
    title = block.get("title")
    medium = _medium(name, "files", source, "application/pdf", title)
    return [*said, medium]


def _source(name: str, block: Mapping[str, Any]) -> Mapping[str, Any]:
    source = block.get("source")
    if not isinstance(source, Mapping) or not isinstance(source.get("type"), str):
        raise wrong(f"{name}.source", "an object with a 'type'")
    return source


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(name, "a string")
    return value


def _medium(
    name: str,
    kind: Literal["images", "files"],
    source: Mapping[str, Any],
    mime: str,
    title: Any = None,
) -> Media:
    field = {"base64": "data", "text": "data", "url": "url", "file": "file_id"}.get(source["type"])
    if field is None:
        raise _cannot(f"{name}.source", f"a source of type {source['type']!r}")
    value = source.get(field)
    if not isinstance(value, str) or not value:
        raise wrong(f"{name}.source.{field}", "a string")
    if source["type"] == "text":
        value, mime = base64.b64encode(value.encode()).decode(), "text/plain"
    given = source.get("media_type")
    return Media(
        kind=kind,
        mime=given if isinstance(given, str) else mime,
        data=value if field == "data" else None,
        url=value if field == "url" else None,
        file_id=value if field == "file_id" else None,
        maker="anthropic" if field == "file_id" else None,
        name=title if isinstance(title, str) else None,
    )


def _search_result(name: str, block: Mapping[str, Any]) -> list[Part]:
    head = " – ".join(str(block[key]) for key in ("title", "source") if block.get(key))
    said: list[Part] = [Text(text=head)] if head else []
    return [*said, *read_blocks(f"{name}.content", block.get("content"))]


def _tool_reference(name: str, block: Mapping[str, Any]) -> list[Part]:
    return [Text(text=f"The tool {block.get('tool_name')} can be called now.")]


def _compaction(name: str, block: Mapping[str, Any]) -> list[Part]:
    return read_blocks(f"{name}.content", block.get("content"))


_READERS: dict[str, Callable[[str, Mapping[str, Any]], list[Part]]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "tool_reference": _tool_reference,
    "compaction": _compaction,
}


def _cannot(name: str, what: str) -> CannotCarry:
    return CannotCarry(
        f"The model that answers cannot be given {what}: only Anthropic understands it.",
        param=name,
    )
