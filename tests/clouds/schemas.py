"""JSON schemas as the fakes need them: the smallest value that fits, and what strict mode wants."""

from __future__ import annotations

from typing import Any

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00",
    "email": "a@example.com",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_NO_NAME = "In context=(), "


def example(schema: Any, root: Any = None) -> Any:
    """The smallest value that fits a schema."""
    root = schema if root is None else root
    if not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        return example(_resolve(schema["$ref"], root), root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for union in ("anyOf", "oneOf", "allOf"):
        if schema.get(union):
            return example(schema[union][0], root)
    return _typed(schema, root)


def _typed(schema: dict[str, Any], root: Any) -> Any:
    kind = schema.get("type", "object")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        properties = schema.get("properties") or {}
        names = schema.get("required") or ()
        return {name: example(properties.get(name, {}), root) for name in names}
    if kind == "array":
        least = int(schema.get("minItems", 0))
        return [example(schema.get("items", {}), root) for _ in range(least)]
    if kind in {"integer", "number"}:
        return _number(schema)
    return {"string": _string(schema), "boolean": False, "null": None}.get(kind)


def _number(schema: dict[str, Any]) -> Any:
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1
    return schema.get("minimum", min(0, schema.get("maximum", 0)))


def _string(schema: dict[str, Any]) -> str:
    plain = _FORMATS.get(schema.get("format", ""), "")
    return plain + "x" * max(0, int(schema.get("minLength", 0)) - len(plain))


def _resolve(pointer: str, root: Any) -> Any:
    node = root
    for name in pointer.removeprefix("#").strip("/").split("/"):
        node = node[name] if name else node
    return node


def strict_problem(schema: Any) -> str | None:
    """What OpenAI's strict mode has against a schema, in its words."""
    for node in _objects(schema):
        if node.get("additionalProperties") is not False:
            return f"{_NO_NAME}'additionalProperties' is required to be supplied and to be false."
        missing = set(node.get("properties") or {}) - set(node.get("required") or ())
        if missing:
            return (
                f"{_NO_NAME}'required' is required to be supplied and to be an array including "
                f"every key in properties. Missing '{min(missing)}'."
            )
    return None


def is_closed(schema: Any) -> bool:
    """Does every object say `additionalProperties: false`, as Anthropic's strict mode wants?"""
    return all(node.get("additionalProperties") is False for node in _objects(schema))


def _objects(schema: Any) -> list[dict[str, Any]]:
    if not isinstance(schema, dict):
        return []
    found = [schema] if schema.get("type") == "object" or "properties" in schema else []
    for child in _children(schema):
        found += _objects(child)
    return found


def _children(schema: dict[str, Any]) -> list[Any]:
    children: list[Any] = []
    for several in ("properties", "$defs", "definitions"):
        children += list((schema.get(several) or {}).values())
    for several in ("anyOf", "oneOf", "allOf"):
        children += schema.get(several) or []
    return [*children, schema.get("items")]
