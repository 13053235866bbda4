"""Single fields: what passes, and how the refusal names the field."""

import pytest

from larouter.core.errors import BadRequest
from larouter.wire import fields


@pytest.mark.parametrize(
    ("read", "value", "found"),
    [
        (fields.identifier, "auto", "auto"),
        (fields.text, None, ""),
        (fields.text, "a", "a"),
        (fields.boolean, None, False),
        (fields.boolean, True, True),
        (fields.whole, None, None),
        (fields.whole, 7, 7),
        (fields.whole, 100.0, 100),
        (lambda given, name: fields.number(given, name, 0, 2), None, None),
        (lambda given, name: fields.number(given, name, 0, 2), 1.5, 1.5),
        (fields.texts, None, ()),
        (fields.texts, "a", ("a",)),
        (fields.texts, ["a", "b"], ("a", "b")),
        (fields.objects, None, []),
        (fields.objects, [{}], [{}]),
    ],
)
def test_what_is_right_is_read(read, value, found):
    assert read({"x": value}, "x") == found


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (fields.identifier, None),
        (fields.identifier, ""),
        (fields.identifier, 3),
        (fields.identifier, "a\nb"),
        (fields.identifier, "m" * 257),
        (fields.text, 3),
        (fields.boolean, "true"),
        (fields.whole, True),
        (fields.whole, 1.5),
        (fields.whole, 2**53 + 1),
        (lambda given, name: fields.number(given, name, 0, 2), 2.1),
        (lambda given, name: fields.number(given, name, 0, 2), True),
        (fields.texts, [1]),
        (fields.texts, {"a": 1}),
        (fields.objects, {}),
        (fields.objects, [1]),
    ],
)
def test_what_is_wrong_is_named(read, value):
    with pytest.raises(BadRequest) as caught:
        read({"x": value}, "x")

    assert caught.value.param == "x"


def test_what_would_steer_us_is_dropped():
    given = {"model": "m", "api_base": "http://x", "mock_response": "y", "input_cost_per_token": 0}

    assert fields.kept(given) == {"model": "m"}
