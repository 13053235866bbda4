"""JSON Schema in the form that Gemini takes, and Google's own `Schema` as JSON Schema.

We send `parametersJsonSchema` and `responseJsonSchema`. Of the two ways that Google has, they keep
more: `parameters` and `responseSchema` are an OpenAPI subset whose parser answers 400 to any name
that it does not know, and whose enums are strings only. Both new fields take JSON Schema, but only
the names in `_KEPT` (reference of GenerationConfig.responseJsonSchema). The rest is put in other
words here; what has none is told to the model in the description, as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.errors import CannotCarry
from larouter.wire.gemini.fields import camel
from larouter.wire.strict_json import encode

_KEPT = (
    "type", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems",
    "minimum", "maximum", "anyOf", "properties", "additionalProperties", "required",
)  # fmt: skip
_TOLD = (
    "format", "pattern", "minLength", "maxLength", "multipleOf", "uniqueItems", "default",
    "examples", "exclusiveMinimum", "exclusiveMaximum", "minProperties", "maxProperties",
)  # fmt: skip
_FORMATS = frozenset(
    {"date-time", "date", "time", "int32", "int64", "float", "double"},
)
_TYPES: dict[type, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null",
}  # fmt: skip
_MOST_PIECES = 20_000
"""References that fan out can make a small schema grow without end."""
_DEEPEST = 64


def for_gemini(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without references, and with nothing that Gemini has no name for."""
    return _Writer(schema).write(schema, ())


class _Writer:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MOST_PIECES

    def write(self, schema: Any, inside: tuple[str, ...]) -> dict[str, Any]:
        """`inside` names the references that led here."""
        self._left -= 1
        if self._left < 0:
            raise CannotCarry("A JSON schema is too large once its '$ref' are resolved.")
        if type(schema) is not dict and not isinstance(schema, Mapping):
            return {}  # `true`: anything
        pointer = schema.get("$ref")
        if type(pointer) is str:
            if pointer in inside or len(inside) > _DEEPEST:
                return {"type": "object", **_words(schema)}
            target = self._resolve(pointer)
            return self.write({**target, **_words(schema)}, (*inside, pointer))
        return self._plain(_one_of_each(schema), inside)

    def _resolve(self, pointer: str) -> Mapping[str, Any]:
        found: Any = self._root
        for step in pointer.removeprefix("#").strip("/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if step:
                found = found.get(step) if isinstance(found, Mapping) else None
        return found if pointer.startswith("#") and isinstance(found, Mapping) else {}

    def _plain(self, schema: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        schema = self._merged(schema, inside)
        written: dict[str, Any] = {name: schema[name] for name in _KEPT if name in schema}
        written.update(self._named(written.pop("properties", None), inside))
        for name in ("items", "additionalProperties"):
            self._write_or_drop(written, name, inside)
        for name in ("anyOf", "prefixItems"):
            if name in written:
                written[name] = [self.write(inner, inside) for inner in _list(schema[name])]
        _finish(written, schema)
        return written

    def _named(self, properties: Any, inside: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(properties, Mapping):
            return {}
        written = {name: self.write(inner, inside) for name, inner in properties.items()}
        return {"properties": written}

    def _write_or_drop(self, written: dict[str, Any], name: str, inside: tuple[str, ...]) -> None:
        """`additionalProperties: false` is how Gemini reads an object anyway."""
        value = written.pop(name, None)
        if isinstance(value, Mapping) and (value or name == "items"):
            written[name] = self.write(value, inside)

    def _merged(self, schema: Mapping[str, Any], inside: tuple[str, ...]) -> Mapping[str, Any]:
        """`allOf` put into one: properties and required names added up, else the first wins."""
        branches = _list(schema.get("allOf"))
        if not branches:
            return schema
        merged = {name: value for name, value in schema.items() if name != "allOf"}
        for branch in branches:
            for name, value in self.write(branch, inside).items():
                if name == "properties":
                    merged[name] = {**value, **(merged.get(name) or {})}
                elif name == "required":
                    merged[name] = list(dict.fromkeys([*_names(merged.get(name)), *value]))
                else:
                    merged.setdefault(name, value)
        return merged


def _words(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: schema[name] for name in ("title", "description") if name in schema}


def _list(value: Any) -> list[Any]:
    return value if type(value) is list else []


def _names(value: Any) -> list[str]:
    return [name for name in _list(value) if type(name) is str]


def _one_of_each(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Several spellings of one thing become one: `const`, `oneOf`, a list of items, the ways to
    say null, lists of types."""
    plain = dict(schema)
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    if "oneOf" in plain:
        plain["anyOf"] = [*_list(plain.get("anyOf")), *_list(plain.pop("oneOf"))]
    if type(plain.get("items")) is list:
        plain["prefixItems"] = plain.pop("items")
    nullable = _take_null(plain)
    if type(plain.get("enum")) is list:
        plain = _plain_enum(plain, plain["enum"])
    kinds = plain.get("type")
    if type(kinds) is list:
        branches: list[Any] = [{"type": kind, **_of_type(plain, kind)} for kind in kinds]
        plain = {**_words(plain), "anyOf": branches}
    return _or_null(plain) if nullable else plain


def _take_null(plain: dict[str, Any]) -> bool:
    """May it be null beside something else? Afterwards it says so no more."""
    nullable = plain.pop("nullable", None) is True
    kinds = plain.get("type")
    if type(kinds) is list:
        others = [kind for kind in kinds if kind != "null"]
        nullable = nullable or len(others) < len(kinds)
        plain["type"] = others if len(others) > 1 else (others or ["null"])[0]
    if plain.get("type") == "null":
        return False
    values = _list(plain.get("enum"))
    if None in values and len(values) > 1:
        plain["enum"] = [value for value in values if value is not None]
        return True
    return nullable


_BELONGS = {
    "string": ("enum", "format", "pattern", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "object": ("properties", "required", "additionalProperties"),
}


def _of_type(schema: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    names = _BELONGS.get(kind, ()) if type(kind) is str else ()
    return {name: schema[name] for name in names if name in schema}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    words = _words(schema)
    inner = {name: value for name, value in schema.items() if name not in words}
    branches = _list(inner.get("anyOf")) if set(inner) == {"anyOf"} else [inner]
    return {**words, "anyOf": [*branches, {"type": "null"}]}


def _plain_enum(schema: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    """Gemini knows strings and numbers; the rest is a type, and told in words."""
    without = {name: value for name, value in schema.items() if name != "enum"}
    plain = [value for value in values if type(value) in (str, int, float)]
    kinds = {_TYPES.get(type(value), "object") for value in values}
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    if len(kinds) == 1:
        without.setdefault("type", kinds.pop())
    return {**without, "enum": plain} if plain else _told(without, {"enum": values})


def _told(schema: dict[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    words = encode(facts).decode()
    description = schema.get("description")
    return {**schema, "description": f"{description} {words}" if description else words}


def _finish(written: dict[str, Any], schema: Mapping[str, Any]) -> None:
    """What depends on the whole: formats, required names, bounds, and the rest in words."""
    if schema.get("format") in _FORMATS:
        written["format"] = schema["format"]
    _set_bound(written, schema, "exclusiveMinimum", "minimum", 1)
    _set_bound(written, schema, "exclusiveMaximum", "maximum", -1)
    properties = written.get("properties") or {}
    required = [name for name in _names(written.pop("required", None)) if name in properties]
    if required:
        written["required"] = required
    told = {
        name: schema[name]
        for name in _TOLD
        if name in schema and not (name == "format" and "format" in written)
    }
    if told:
        written.update(_told(written, told))


def _set_bound(
    written: dict[str, Any], schema: Mapping[str, Any], exclusive: str, name: str, step: int
) -> None:
    bound: Any = schema.get(exclusive)
    if type(bound) in (int, float) and name not in written:
        whole = schema.get("type") == "integer" and type(bound) is int
        written[name] = bound + (step if whole else 0)


_NUMBERS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def from_google(schema: Any) -> dict[str, Any]:
    """Google's `Schema` (an OpenAPI subset with types in capitals) as JSON Schema."""
    if type(schema) is not dict:
        return {}
    given = {camel(name): value for name, value in schema.items()}
    written = {
        name: value for name, value in given.items() if name not in ("nullable", "propertyOrdering")
    }
    kind = given.get("type")
    if type(kind) is str:
        written["type"] = kind.lower()
    if given.get("format") == "enum":
        del written["format"]
    for name in _NUMBERS:  # int64 is text in protobuf's JSON
        if type(given.get(name)) is str and given[name].isdecimal():
            written[name] = int(given[name])
    if "example" in written:
        written["examples"] = [written.pop("example")]
    _read_inner(written)
    return _nullable(written) if given.get("nullable") is True else written


def _read_inner(written: dict[str, Any]) -> None:
    if type(written.get("properties")) is dict:
        written["properties"] = {
            name: from_google(inner) for name, inner in written["properties"].items()
        }
    for name in ("items", "additionalProperties"):
        if type(written.get(name)) is dict:
            written[name] = from_google(written[name])
    for name in ("anyOf", "prefixItems"):
        if name in written:
            written[name] = [from_google(inner) for inner in _list(written[name])]


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" not in schema:
        return {**schema, "anyOf": [*_list(schema.get("anyOf")), {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*_list(schema["enum"]), None]
    return nullable
