"""Checks of fields: what passes, and that a refusal names the field."""

import pytest

from larouter.core.errors import BadRequest
from larouter.wire import checks
from larouter.wire.strict_json import MAX_INTEGER

PERCENT = checks.is_integer(0, 100)
SHARE = checks.is_number(0, 1)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.is_name, "a"),
        (checks.is_name, "ü" * 256),
        (checks.is_text, ""),
        (checks.is_texts, []),
        (checks.is_texts, ["a"]),
        (checks.is_bool, False),
        (checks.is_object, {}),
        (checks.is_messages, [1]),
        (PERCENT, 0),
        (PERCENT, 100),
        (SHARE, 1),
        (SHARE, 0.5),
    ],
)
def test_what_is_right_passes(check, value):
    check("x", value)


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.is_name, ""),
        (checks.is_name, "a" * 257),
        (checks.is_name, "a\n"),
        (checks.is_name, 1),
        (checks.is_text, 1),
        (checks.is_texts, "a"),
        (checks.is_texts, [1]),
        (checks.is_bool, 0),
        (checks.is_object, []),
        (checks.is_messages, []),
        (checks.is_messages, {}),
        (PERCENT, 101),
        (PERCENT, 1.0),
        (PERCENT, True),
        (PERCENT, MAX_INTEGER),
        (SHARE, 1.1),
        (SHARE, True),
        (SHARE, "1"),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(check, value):
    with pytest.raises(BadRequest) as refused:
        check("a.b", value)

    assert refused.value.param == "a.b"
    assert "'a.b' must be" in refused.value.message
