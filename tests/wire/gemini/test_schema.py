"""Schemas in the form that Gemini takes."""

import pytest

from larouter.core.errors import CannotCarry
from larouter.wire.gemini.schema import for_gemini, from_google

TEXT = {"type": "string"}
NOTHING = {"type": "null"}


def an_object(**properties):
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"type": "string", "description": "d"}, {"type": "string", "description": "d"}),
        ({"$schema": "x", "$id": "y", "type": "object", "strict": True}, {"type": "object"}),
        (
            {**an_object(a=TEXT), "additionalProperties": False, "required": ["a", "b"]},
            {**an_object(a=TEXT), "required": ["a"]},
        ),
        ({"type": "object", "required": ["a"]}, {"type": "object"}),
        (
            {"type": "object", "additionalProperties": {"type": ["integer"]}},
            {"type": "object", "additionalProperties": {"type": "integer"}},
        ),
        ({"type": "object", "additionalProperties": {}}, {"type": "object"}),
        ({"type": "array", "items": {}}, {"type": "array", "items": {}}),
        ({"type": "array", "items": True}, {"type": "array"}),
        (
            {"type": "array", "items": [TEXT, {"const": 1}]},
            {"type": "array", "prefixItems": [TEXT, {"type": "integer", "enum": [1]}]},
        ),
        ({"properties": {"a": True}}, {"properties": {"a": {}}}),
        ({"type": ["string", "null"]}, {"anyOf": [TEXT, NOTHING]}),
        (
            {"type": ["string", "null"], "description": "d", "enum": ["a", None]},
            {"description": "d", "anyOf": [{**TEXT, "enum": ["a"]}, NOTHING]},
        ),
        ({"type": ["null"]}, NOTHING),
        (
            {"type": ["string", "integer", "null"], "minimum": 1, "pattern": "a"},
            {
                "anyOf": [
                    {**TEXT, "description": '{"pattern":"a"}'},
                    {"type": "integer", "minimum": 1},
                    NOTHING,
                ]
            },
        ),
        ({"type": ["string", "boolean"]}, {"anyOf": [TEXT, {"type": "boolean"}]}),
        ({"type": "integer", "nullable": True}, {"anyOf": [{"type": "integer"}, NOTHING]}),
        ({"anyOf": [TEXT], "nullable": True}, {"anyOf": [TEXT, NOTHING]}),
        ({"oneOf": [TEXT, {"type": "integer"}]}, {"anyOf": [TEXT, {"type": "integer"}]}),
        ({"anyOf": [TEXT], "oneOf": [NOTHING]}, {"anyOf": [TEXT, NOTHING]}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"const": 2.5}, {"type": "number", "enum": [2.5]}),
        ({"enum": [1, 2.5]}, {"type": "number", "enum": [1, 2.5]}),
        ({"enum": ["a", 1]}, {"enum": ["a", 1]}),
        ({"enum": ["a", None]}, {"anyOf": [{"type": "string", "enum": ["a"]}, NOTHING]}),
        ({"const": None}, {"type": "null", "description": '{"enum":[null]}'}),
        ({"const": True}, {"type": "boolean", "description": '{"enum":[true]}'}),
        ({"const": {"a": 1}}, {"type": "object", "description": '{"enum":[{"a":1}]}'}),
        (
            {"type": "boolean", "const": True, "description": "d"},
            {"type": "boolean", "description": 'd {"enum":[true]}'},
        ),
        ({"type": "string", "enum": []}, {"type": "string", "description": '{"enum":[]}'}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        (
            {"type": "string", "format": "uri", "minLength": 1},
            {"type": "string", "description": '{"format":"uri","minLength":1}'},
        ),
        (
            {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10},
            {
                "type": "integer", "minimum": 1, "maximum": 9,
                "description": '{"exclusiveMinimum":0,"exclusiveMaximum":10}',
            },
        ),
        (
            {"type": "number", "exclusiveMinimum": 0, "minimum": -1},
            {"type": "number", "minimum": -1, "description": '{"exclusiveMinimum":0}'},
        ),
        (
            {"type": "number", "exclusiveMinimum": 0.5},
            {"type": "number", "minimum": 0.5, "description": '{"exclusiveMinimum":0.5}'},
        ),
        (
            {"type": "integer", "minimum": 0, "maximum": 2**64 - 1},
            {"type": "integer", "minimum": 0, "maximum": 18446744073709551615},
        ),
    ],
)  # fmt: skip
def test_a_schema_is_put_in_geminis_words(given, written):
    assert for_gemini(given) == written


def test_references_are_put_in_place():
    schema = {
        **an_object(
            a={"$ref": "#/$defs/A", "description": "the first"},
            b={"$ref": "#/definitions/x~1y~0z"},
            c={"$ref": "https://example.com/schema"},
            d={"$ref": "#/$defs/missing"},
        ),
        "$defs": {"A": {"type": "string", "description": "any"}},
        "definitions": {"x/y~z": {"type": "array", "items": {"$ref": "#/$defs/A"}}},
    }

    assert for_gemini(schema)["properties"] == {
        "a": {"type": "string", "description": "the first"},
        "b": {"type": "array", "items": {"type": "string", "description": "any"}},
        "c": {},
        "d": {},
    }


def test_a_reference_to_itself_ends_as_an_object():
    node = an_object(value=TEXT, next={"$ref": "#/$defs/Node"})

    written = for_gemini({"$ref": "#/$defs/Node", "$defs": {"Node": node}})

    assert written["properties"]["next"] == {"type": "object"}
    assert for_gemini(an_object(self={"$ref": "#"}))["properties"]["self"] == an_object(
        self={"type": "object"}
    )


def test_a_chain_of_references_ends_too():
    chain = {f"n{at}": an_object(next={"$ref": f"#/$defs/n{at + 1}"}) for at in range(100)}

    written = for_gemini({"$ref": "#/$defs/n0", "$defs": chain})

    depth = 0
    while "properties" in written:
        written, depth = written["properties"]["next"], depth + 1
    assert 60 < depth < 70


def test_references_that_fan_out_are_refused():
    defs = {
        f"n{at}": an_object(**{f"p{each}": {"$ref": f"#/$defs/n{at + 1}"} for each in range(9)})
        for at in range(9)
    }

    with pytest.raises(CannotCarry, match="too large"):
        for_gemini({"$ref": "#/$defs/n0", "$defs": defs})


def test_all_of_is_one():
    schema = {
        "description": "d",
        "properties": {"a": TEXT},
        "required": ["a"],
        "allOf": [
            {"$ref": "#/$defs/B"},
            {**an_object(a={"type": "integer"}), "required": ["a"], "description": "other"},
        ],
        "$defs": {"B": {**an_object(b=TEXT), "required": ["b"]}},
    }

    assert for_gemini(schema) == {
        **an_object(a=TEXT, b=TEXT),
        "required": ["a", "b"],
        "description": "d",
    }


def test_a_schema_is_not_changed_in_place():
    schema = {"type": ["string", "null"], "const": "a", "nullable": True}

    for_gemini(schema)

    assert schema == {"type": ["string", "null"], "const": "a", "nullable": True}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"type": "STRING", "format": "enum", "enum": ["a"]}, {**TEXT, "enum": ["a"]}),
        ({"type": "STRING", "format": "date"}, {**TEXT, "format": "date"}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "STRING", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"any_of": [{"type": "STRING"}], "nullable": True}, {"anyOf": [TEXT, NOTHING]}),
        (
            {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "2", "max_items": 3},
            {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3},
        ),
        (
            {
                "type": "OBJECT", "properties": {"My_Name": {"type": "STRING", "example": "x"}},
                "propertyOrdering": ["My_Name"],
            },
            an_object(My_Name={**TEXT, "examples": ["x"]}),
        ),
        ("nonsense", {}),
    ],
)  # fmt: skip
def test_googles_schema_is_read(given, read):
    assert from_google(given) == read
