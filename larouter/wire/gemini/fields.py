"""Reads the API's JSON as Google does: names in camelCase or snake_case, one object for a list.

Source: protobuf's JSON mapping, and Google's own examples, which use every one of these forms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from larouter.wire.fields import wrong

_UPPER = re.compile(r"(?<!^)([A-Z])")


@lru_cache(maxsize=512)
def snake(name: str) -> str:
    return _UPPER.sub(r"_\1", name).lower()


@lru_cache(maxsize=512)
def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest) if first else name


def get(value: Mapping[str, Any], name: str) -> Any:
    """The field `name` (in camelCase), however the client spelled it; None if it is not there."""
    found = value.get(name)
    return value.get(snake(name)) if found is None else found


def camel_names(value: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its own names in camelCase; what is inside keeps its names."""
    return {camel(name): inner for name, inner in value.items()}


def without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The object without these fields, in either spelling."""
    dropped = {*names, *map(snake, names)}
    return {name: inner for name, inner in value.items() if name not in dropped}


def listed(name: str, value: Any) -> list[dict[str, Any]]:
    """A list of objects; a single object stands for a list of one."""
    if value is None:
        return []
    if type(value) is dict:
        return [value]
    if type(value) is not list or any(type(item) is not dict for item in value):
        raise wrong(name, "a list of objects")
    return value


def object_of(name: str, value: Any) -> dict[str, Any]:
    """An object, or an empty one for a field that is not there."""
    if value is None:
        return {}
    if type(value) is not dict:
        raise wrong(name, "an object")
    return value
