"""Does JSON fit the schema that was asked for? A library's answer, within bounds.

Schemas come from clients: they may be huge, refer to themselves in ever more ways, or hold regular
expressions that take for ever. So a question is given up after a moment, no expression is tried,
and nothing is fetched. What cannot be told fits: it is only asked in order to find fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

import msgspec

WITHIN_S = 0.1
"""The whole server waits meanwhile."""
MOST_BYTES = 64 * 1024
"""Of a schema, and of a value; one step of the checking reads each of them once at most."""
_MOST_COMPARED = 200
"""Items that are compared with one another."""
_SKIPPED = (
    # Regular expressions, for values or names; an expression can try a text in 2^n ways.
    "pattern", "patternProperties",
    # These depend on what all the others said, and hardly anybody writes them.
    "unevaluatedItems", "unevaluatedProperties", "$dynamicRef",
)  # fmt: skip


class _GivenUp(Exception):
    """Nobody can say."""


class _Question(NamedTuple):
    root: Mapping[str, Any]
    until: float


_question: ContextVar[_Question] = ContextVar("question")

_encode = msgspec.json.Encoder().encode


def fits(schema: Mapping[str, Any], value: Any) -> bool:
    """Does `value` fit `schema` (JSON Schema, draft 2020-12)? True where that cannot be told."""
    from jsonschema.exceptions import UnknownType  # noqa: PLC0415 - see `_checker`

    checker = _checker()
    before = _question.set(_Question(schema, time.monotonic() + WITHIN_S))
    try:
        if len(_encode(schema)) > MOST_BYTES or len(_encode(value)) > MOST_BYTES:
            return True
        return bool(checker(schema).is_valid(value))
    except (_GivenUp, UnknownType, RecursionError):
        return True
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # The schema is none: a number where an object belongs, or the like.
        return True
    finally:
        _question.reset(before)


@cache
def _checker() -> Any:
    # It takes a tenth of a second to import, and few requests ask for a schema.
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415

    known = Draft202012Validator.VALIDATORS
    ours = {
        **known,
        **dict.fromkeys(_SKIPPED, _anything),
        "$ref": _referred,
        "additionalProperties": _no_patterns(known["additionalProperties"]),
        "uniqueItems": _few(known["uniqueItems"]),
    }
    return extend(Draft202012Validator, {name: _in_time(check) for name, check in ours.items()})


_Check = Callable[[Any, Any, Any, Any], Any]
"""A keyword's: takes the validator, the keyword's value, the value looked at, the schema."""


def _in_time(check: _Check) -> _Check:
    def step(validator: Any, given: Any, value: Any, schema: Any) -> Iterator[Any]:
        if time.monotonic() > _question.get().until:
            raise _GivenUp
        yield from check(validator, given, value, schema) or ()

    return step


def _anything(validator: Any, given: Any, value: Any, schema: Any) -> None:
    """Whatever it is, it fits."""


def _referred(validator: Any, given: Any, value: Any, schema: Any) -> Iterator[Any]:
    """A place in the schema itself (`#/$defs/name`); any other one is not looked up."""
    if not given.startswith("#"):
        raise _GivenUp
    place: Any = _question.get().root
    for step in given[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        place = place[int(name)] if type(place) is list else place[name]
    yield from validator.descend(value, place)


def _no_patterns(check: _Check) -> _Check:
    """What is additional depends on the expressions that name the others."""

    def unless(validator: Any, given: Any, value: Any, schema: Any) -> Any:
        return () if "patternProperties" in schema else check(validator, given, value, schema)

    return unless


def _few(check: _Check) -> _Check:
    def unless(validator: Any, given: Any, value: Any, schema: Any) -> Any:
        is_long = type(value) is list and len(value) > _MOST_COMPARED
        return () if is_long else check(validator, given, value, schema)

    return unless
