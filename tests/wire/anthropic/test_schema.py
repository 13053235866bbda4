"""Schemas as Anthropic takes them: closed, in the keywords that it knows."""

import pytest

from larouter.wire.anthropic.schema import can_close, closed

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "description": "Who"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "mail": {"type": "string", "format": "email"},
        "code": {"type": "string", "format": "secret"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Thing"}, "minItems": 3},
        "either": {"oneOf": [{"type": "string"}, {"type": "null"}]},
        "fixed": {"const": "yes"},
        "odd": {"type": "array", "items": True},
    },
    "required": ["name"],
    "additionalProperties": True,
    "$defs": {"Thing": {"type": ["object", "null"], "properties": {"x": {"enum": [1, 2]}}}},
    "$schema": "https://json-schema.org/draft/2020-12/schema",
}


def test_objects_are_closed():
    found = closed(PERSON)

    assert found["additionalProperties"] is False
    assert found["$defs"]["Thing"]["additionalProperties"] is False
    assert found["required"] == ["name"]
    assert "$schema" not in found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name", {"type": "string", "description": 'Who\n\n{"minLength":1}'}),
        ("age", {"type": "integer", "description": '{"minimum":0,"maximum":150}'}),
        ("mail", {"type": "string", "format": "email"}),
        ("code", {"type": "string", "description": '{"format":"secret"}'}),
        ("tags", {"type": "array", "items": {"type": "string"}, "minItems": 1}),
        (
            "many",
            {
                "type": "array",
                "items": {"$ref": "#/$defs/Thing"},
                "description": '{"minItems":3}',
            },
        ),
        ("either", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("fixed", {"const": "yes"}),
        ("odd", {"type": "array", "items": True}),
    ],
)
def test_what_is_not_known_becomes_words(name, expected):
    assert closed(PERSON)["properties"][name] == expected


def test_the_schema_that_was_given_is_not_changed():
    before = repr(PERSON)

    closed(PERSON)

    assert repr(PERSON) == before


@pytest.mark.parametrize(
    ("schema", "can"),
    [
        (PERSON, True),
        ({"type": "object"}, False),
        ({"type": "object", "additionalProperties": {"type": "string"}}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [{"type": "string"}, {"type": "object", "properties": {}}]}, False),
        ({"type": "string"}, True),
        (True, True),
    ],
)
def test_an_object_of_any_fields_cannot_be_closed(schema, can):
    assert can_close(schema) is can
