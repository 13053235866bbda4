"""Checks of single fields, for the formats that have few: each says which field is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.errors import BadRequest
from larouter.wire.strict_json import MAX_INTEGER

LONGEST_NAME = 256
MEDIUM_COUNTS = 16_384
"""Bytes that one picture, sound or file counts as, at least what its text would."""

# By these other proxies let a caller choose the upstream or the price (TRUST S8).
_STEERING = frozenset(
    {"api_base", "api_key", "api_version", "api_type", "base_url", "custom_llm_provider"}
)


def wrong(name: str, wanted: str) -> BadRequest:
    return BadRequest(f"The field '{name}' must be {wanted}.", param=name, code="invalid_value")


def missing(name: str) -> BadRequest:
    return BadRequest(f"The field '{name}' is missing.", param=name, code="missing_field")


def kept(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without the fields that never steer us (TRUST S8)."""
    return {name: value for name, value in given.items() if not steers(name)}


def steers(name: str) -> bool:
    return name in _STEERING or name.startswith("mock_") or "_cost" in name


def identifier(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        raise missing(name)
    if type(value) is not str or not 1 <= len(value) <= LONGEST_NAME or not value.isprintable():
        raise wrong(name, f"a name of 1 to {LONGEST_NAME} characters")
    return value


def text(given: Mapping[str, Any], name: str, default: str = "") -> str:
    value = given.get(name)
    if value is None:
        return default
    if type(value) is not str:
        raise wrong(name, "a string")
    return value


def boolean(given: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if type(value) is not bool:
        raise wrong(name, "true or false")
    return value


def whole(
    given: Mapping[str, Any], name: str, low: int = -MAX_INTEGER, high: int = MAX_INTEGER
) -> int | None:
    """A whole number; 100.0 is one too, as some languages write every number so."""
    value = given.get(name)
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise wrong(name, f"a whole number from {low} to {high}")
    return value


def number(given: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not low <= value <= high:
        raise wrong(name, f"a number from {low} to {high}")
    found: float = value
    return found


def texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """One string or a list of them."""
    value = given.get(name)
    if value is None:
        return ()
    if type(value) is str:
        return (value,)
    if type(value) is not list or any(type(item) is not str for item in value):
        raise wrong(name, "a string or a list of strings")
    return tuple(value)


def objects(given: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = given.get(name)
    if value is None:
        return []
    if type(value) is not list or any(type(item) is not dict for item in value):
        raise wrong(name, "a list of objects")
    return value
