"""Whether JSON fits a schema; and that no schema, however bad, keeps the server waiting."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from larouter.classify.schemas import MOST_BYTES, WITHIN_S, fits

ROOT = Path(__file__).resolve().parents[2]
CITY = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "size": {"$ref": "#/$defs/size"},
        "tags": {"type": "array", "items": {"enum": ["old", "big"]}, "uniqueItems": True},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"size": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"city": "Rome"}, True),
        ({"city": "Rome", "size": None, "tags": ["old", "big"]}, True),
        ({}, False),
        ([], False),
        ({"city": "R"}, False),
        ({"city": "Rome", "size": -1}, False),
        ({"city": "Rome", "tags": ["new"]}, False),
        ({"city": "Rome", "tags": ["old", "old"]}, False),
        ({"city": "Rome", "mayor": "?"}, False),
    ],
)
def test_a_schema_as_they_are_written(value, expected):
    assert fits(CITY, value) is expected


def test_places_in_a_schema():
    schema = {
        "prefixItems": [{"type": "integer"}, {"$ref": "#/prefixItems/0"}, {"$ref": "#/$defs/a~1b"}],
        "items": {"$ref": "#"},
        "$defs": {"a/b": {"type": "string"}},
    }

    assert fits(schema, [1, 2, "x", [3]])
    assert not fits(schema, [1, "2"])
    assert not fits(schema, [1, 2, 3])
    assert not fits(schema, [1, 2, "x", ["3"]])


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "pattern": "^(a+)+$"}, "a" * 60 + "!"),
        ({"patternProperties": {"^(a+)+$": False}}, {"a" * 60 + "!": 1}),
        (
            {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
            {"a" * 60 + "!": 1},
        ),
        ({"uniqueItems": True}, [{"a": number} for number in range(3_000)] * 2),
        ({"$ref": "#"}, 1),
        ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, 1),
        (
            {
                "$defs": {
                    **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)},
                    "d60": {"type": "integer"},
                },
                "$ref": "#/$defs/d0",
            },
            1,
        ),
        ({"enum": [0] * MOST_BYTES}, 1),
        ({"type": "integer"}, "x" * MOST_BYTES),
        ({"items": {"oneOf": [{"const": [n]} for n in range(2_000)]}}, [[0]] * 9_000),
    ],
)
def test_what_would_take_for_ever_fits(schema, value):
    fits({"type": "integer"}, 1)  # the library is loaded
    before = time.perf_counter()

    assert fits(schema, value)
    assert time.perf_counter() - before < WITHIN_S + 1.0


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "other.json#/a"},
        {"$ref": "#/nowhere"},
        {"$ref": "#/$defs/0/x", "$defs": ["a"]},
        {"$ref": 7},
        {"type": "strong"},
        {"minimum": "2"},
        {"items": [{"type": "string"}], "type": "array"},
        {"properties": 3},
        {"multipleOf": 0},
    ],
)
def test_a_schema_that_is_none_fits(schema):
    for value in (1, [1], {"a": 1}):
        fits(schema, value)  # whatever it says, it says it
    assert fits(schema, 1) or schema.get("type") == "array"


def test_a_remote_schema_is_never_fetched(network_off):
    assert fits({"$schema": "https://example.com/s", "$ref": "https://example.com/s"}, 1)
    assert fits({"$id": "https://example.com/s", "$ref": "#/$defs/a", "$defs": {"a": {}}}, 1)


def test_the_first_question_has_its_time_too():
    """Loading the library takes longer than a question may."""
    asked = "from larouter.classify.schemas import fits; print(fits({'type': 'integer'}, 'x'))"

    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
