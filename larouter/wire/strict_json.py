"""Strict JSON for bodies that come from outside (TRUST S3).

msgspec refuses what is not UTF-8, NaN, Infinity, lone surrogates and trailing bytes by itself.
What it lets through is refused here: more than 64 levels, a body that is no object, and a field
that money depends on given twice (two readers could bill two different things).
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from larouter.core.errors import BadRequest

MAX_DEPTH = 64
MAX_INTEGER = 2**53
"""The largest integer that every JSON reader understands; for fields that we interpret."""

_BILLING = (
    "model", "max_tokens", "max_completion_tokens", "max_output_tokens", "n", "stream", "messages",
)  # fmt: skip
_BILLING_KEYS = tuple(f'"{name}"'.encode() for name in _BILLING)
# An ASCII letter written as an escape could spell a billing key that a plain count cannot see.
_ESCAPED_LETTER = re.compile(rb"\\u00[2-7]")

_LONG = 8192

_decode = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
encode = msgspec.json.Encoder().encode


def decode_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`; raises `BadRequest` with what is wrong."""
    try:
        value = _decode(body)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not valid UTF-8 JSON.", code="invalid_json") from error
    except msgspec.MsgspecError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from error
    if type(value) is not dict:
        raise BadRequest("The body must be a JSON object.", code="invalid_json")
    _check_depth(value)
    _check_duplicates(body)
    return value


def _check_depth(value: dict[str, Any]) -> None:
    # Level by level: a handful of list comprehensions instead of a call for each node.
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise _too_deep()


def _check_duplicates(body: bytes) -> None:
    if len(body) > _LONG and _is_as_long_as_its_members(body):
        return
    if not any(_is_key_twice(body, key) for key in _BILLING_KEYS) and not _has_escaped_key(body):
        return
    # Slow but rare. The object that the reader makes last is the outermost one.
    last: list[tuple[str, Any]] = []

    def remember(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal last
        last = pairs
        return dict(pairs)

    json.loads(body, object_pairs_hook=remember)
    names = [name for name, _ in last]
    for name in _BILLING:
        if names.count(name) > 1:
            raise BadRequest(f"The field {name!r} is given twice.", code="duplicate_field")


def _is_as_long_as_its_members(body: bytes) -> bool:
    """Does the text of a long body hold each member once? Reading it again, values unread, costs a
    fraction of searching it for each key. Only the usual two ways of spacing are recognised."""
    members = _decode_members(body)
    compact = 1 + sum(len(name.encode()) + 4 + len(value) for name, value in members.items())
    return len(body) in {compact, compact + 2 * len(members) - 1}


def _has_escaped_key(body: bytes) -> bool:
    # The search for the pattern is the slower one, and most bodies have no backslash u at all.
    return b"\\u00" in body and _ESCAPED_LETTER.search(body) is not None


def _is_key_twice(body: bytes, key: bytes) -> bool:
    """As a key: Gemini says `"role":"model"` with each turn."""
    return body.count(key) > 1 and len(re.findall(key + rb"\s*:", body)) > 1


def _too_deep() -> BadRequest:
    return BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.", code="invalid_json")
