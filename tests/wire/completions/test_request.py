"""Legacy completions as far as routing needs them."""

import json

import pytest

from larouter.core.chat import Message
from larouter.core.errors import BadRequest
from larouter.wire.completions.request import read_request


def _read(**fields):
    return read_request(json.dumps({"model": "auto", "prompt": "Once", **fields}).encode())


def test_a_completion_is_read_for_routing():
    request = _read(max_tokens=20, stream=True, stream_options={"include_usage": True})

    assert (request.model, request.dialect) == ("auto", "completions")
    assert request.messages == (Message("user", "Once"),)
    assert (request.max_output, request.n) == (20, 1)
    assert request.stream
    assert request.wants_usage
    assert request.needs == frozenset()


@pytest.mark.parametrize(
    ("fields", "n", "texts"),
    [
        ({"prompt": ["a", "b"], "n": 3}, 6, ["a", "b"]),
        ({"prompt": "a", "n": 2, "best_of": 4}, 4, ["a"]),
        ({"prompt": ""}, 1, [""]),
        ({"prompt": [1, 2, 3]}, 1, []),
        ({"prompt": [[1, 2], [3]]}, 2, []),
    ],
)
def test_every_answer_counts(fields, n, texts):
    request = _read(**fields)

    assert request.n == n
    assert [message.text for message in request.messages] == texts


@pytest.mark.parametrize("options", [None, {}])
def test_usage_is_for_those_who_ask(options):
    assert not _read(stream_options=options).wants_usage


@pytest.mark.parametrize(
    ("logprobs", "needs"), [(0, {"logprobs"}), (5, {"logprobs"}), (None, set())]
)
def test_logprobs_are_a_need(logprobs, needs):
    assert _read(logprobs=logprobs).needs == needs


def test_what_would_steer_us_is_dropped():
    assert "api_key" not in _read(api_key="sk").body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", None),
        ("prompt", None),
        ("prompt", []),
        ("prompt", 3),
        ("prompt", ["a", 1]),
        ("prompt", [[1], "a"]),
        ("prompt", [[]]),
        ("prompt", [-1]),
        ("n", 0),
        ("n", 129),
        ("best_of", 0),
        ("max_tokens", -1),
        ("temperature", 3),
        ("top_p", 2),
        ("presence_penalty", 3),
        ("frequency_penalty", -3),
        ("seed", "x"),
        ("stop", 1),
        ("suffix", 1),
        ("echo", 1),
        ("stream", 1),
        ("stream_options", 1),
    ],
)
def test_a_wrong_field_is_named(field, value):
    with pytest.raises(BadRequest) as caught:
        _read(**{field: value})

    assert caught.value.param == field
