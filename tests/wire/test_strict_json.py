"""What strict JSON refuses, and that it takes the rest as it is (TRUST S3)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.errors import BadRequest
from larouter.wire.strict_json import MAX_DEPTH, decode_object, encode


def _nested(depth, opening='{"a":', closing="}", inner="1"):
    return (opening * depth + inner + closing * depth).encode()


def _refused(body):
    with pytest.raises(BadRequest) as caught:
        decode_object(body)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[]",
        b'"a"',
        b"1",
        b"null",
        b"{",
        b'{"a":1}}',
        b'{"a":1} {"b":2}',
        b'{"a":1}\x00',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":01}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\x00"}',
        b'{"a":"\n"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\xaf"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":%s}' % (b"9" * 5000),
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_strict_json_object_is_refused(body):
    error = _refused(body)

    assert (error.status, error.code) == (400, "invalid_json")


@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ('{"a":[', "]}")])
def test_depth_ends_at_the_limit(opening, closing):
    levels = opening.count("{") + opening.count("[")
    deepest = _nested(MAX_DEPTH // levels, opening, closing)

    assert decode_object(deepest)
    assert "64 levels" in _refused(b'{"a":%s}' % deepest).message


@pytest.mark.parametrize("name", ["model", "max_tokens", "max_completion_tokens", "n", "stream"])
def test_a_billing_field_given_twice_is_refused(name):
    error = _refused(b'{"%b":1,"messages":[],"%b":2}' % (name.encode(), name.encode()))

    assert error.code == "duplicate_field"
    assert name in error.message


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","\\u006dodel":"b"}',
        b'{"model":"a","mod\\u0065l":"b"}',
        b'{"\\u006e":1,"\\u006E":2}',
    ],
)
def test_a_billing_field_written_in_escapes_is_still_the_same(body):
    assert _refused(body).code == "duplicate_field"


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","messages":[{"model":"b"},{"n":1,"n":2}]}',
        b'{"tools":[{"n":1}],"n":1,"metadata":{"model":"x","stream":1}}',
        b'{"a":"\\u0041 \\"model\\" and \\"model\\"","model":"b"}',
        b'{"user":1,"user":2}',
    ],
)
def test_a_name_further_in_or_without_a_price_is_no_duplicate(body):
    assert decode_object(body) == json.loads(body)


def test_large_integers_and_the_order_of_keys_are_kept():
    body = b'{"z":18446744073709551615,"a":-9223372036854775809,"m":{"y":1e2,"x":0.1}}'

    value = decode_object(body)

    assert list(value) == ["z", "a", "m"]
    assert encode(value) == body.replace(b"1e2", b"100.0")


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0model1\ud800', max_size=30).map(
    lambda text: text.encode("utf-8", "surrogatepass")
))  # fmt: skip
def test_any_bytes_give_an_object_or_a_bad_request(body):
    try:
        value = decode_object(body)
    except BadRequest:
        return

    assert value == json.loads(body)
