"""A JSON Schema as Anthropic's structured outputs take it.

Objects must be closed, and of the other keywords only some are known; those that are not become
words of the description, which the model may follow. Source: Claude API docs, "Structured outputs",
"JSON Schema limitations", and what its own SDK sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.wire.strict_json import encode

_STRING_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_SAID = frozenset({"description", "additionalProperties", "$schema", "$id"})
_NAMED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "oneOf", "allOf")
_NAMES = {"oneOf": "anyOf"}
_READ = frozenset(
    {"type", "title", "required", "enum", "const", "$ref", "default", "items", *_NAMED, *_LISTED}
)
_VALUES: Mapping[str, Any] = {"format": _STRING_FORMATS, "minItems": (0, 1)}


def can_close(schema: Any) -> bool:
    """False where an object may have any fields at all: closed, it could only be empty."""
    if isinstance(schema, list):
        return all(map(can_close, schema))
    if not isinstance(schema, Mapping):
        return True
    if _is_object(schema) and not schema.get("properties"):
        return False
    named = [inner for name in _NAMED for inner in _mapping(schema.get(name)).values()]
    return can_close([*named, schema.get("items"), *(schema.get(name) for name in _LISTED)])


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same shape in the keywords that are known. What it allows, `schema` allows too."""
    found = {
        _NAMES.get(name, name): _kept(name, value)
        for name, value in schema.items()
        if name in _READ
    }
    found |= {name: schema[name] for name, known in _VALUES.items() if schema.get(name) in known}
    if _is_object(schema):
        found["additionalProperties"] = False
    if text := _description(schema, found):
        found["description"] = text
    return found


def _kept(name: str, value: Any) -> Any:
    if name in _NAMED and isinstance(value, Mapping):
        return {key: _kept("items", inner) for key, inner in value.items()}
    if name in _LISTED and isinstance(value, list):
        return [_kept("items", inner) for inner in value]
    return closed(value) if name == "items" and isinstance(value, Mapping) else value


def _is_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _description(schema: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    lost = {
        name: value
        for name, value in schema.items()
        if name not in found and name not in _SAID and name not in _NAMES
    }
    said = schema.get("description")
    words = [said] if isinstance(said, str) and said else []
    return "\n\n".join([*words, *([encode(lost).decode()] if lost else [])])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
