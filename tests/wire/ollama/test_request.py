"""Ollama's requests as far as routing needs them."""

import json

import pytest

from larouter.core.chat import Message
from larouter.core.errors import BadRequest
from larouter.wire.ollama.request import (
    asks_to_load,
    asks_to_unload,
    is_chat,
    model_name,
    options,
    read_chat,
    read_generate,
)

_USER = {"role": "user", "content": "Hi"}
_PICTURE = "iVBORw0KGgo" + "A" * 100_000


def _chat(**fields):
    return read_chat(json.dumps({"model": "auto", "messages": [_USER], **fields}).encode())


def _generate(**fields):
    return read_generate(json.dumps({"model": "auto", "prompt": "Hi", **fields}).encode())


def test_a_chat_streams_unless_it_says_no():
    assert _chat().stream
    assert _generate().stream
    assert not _chat(stream=False).stream


def test_a_chat_is_read_for_routing():
    request = _chat(
        messages=[{"role": "system", "content": "Be kind."}, _USER, {"role": "assistant"}],
        options={"num_predict": 50},
    )

    assert request.model == "auto"
    assert request.dialect == "ollama"
    assert request.messages == (
        Message("system", "Be kind."), Message("user", "Hi"), Message("assistant", ""),
    )  # fmt: skip
    assert request.max_output == 50
    assert request.needs == frozenset()
    assert is_chat(request)


def test_a_prompt_is_read_for_routing():
    request = _generate(system="Be kind.", messages="no list", images=[_PICTURE])

    assert request.messages == (Message("system", "Be kind."), Message("user", "Hi"))
    assert request.needs == {"images"}
    assert request.size < 20_000
    assert not is_chat(request)


@pytest.mark.parametrize("name", ["gemma-4-e4b:latest", "gemma-4-e4b"])
def test_the_tag_latest_says_nothing(name):
    assert _chat(model=name).model == "gemma-4-e4b"


def test_other_tags_are_kept():
    assert model_name("ollama/llama3:8b") == "ollama/llama3:8b"
    assert model_name(":latest") == ":latest"


@pytest.mark.parametrize("most", [-1, -2, 0, None])
def test_no_limit_is_no_limit(most):
    assert _chat(options={"num_predict": most}).max_output is None


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, {"tools"}),
        ({"format": {"type": "object"}}, {"json_schema"}),
        ({"format": "json"}, set()),
        ({"format": ""}, set()),
        ({"format": {}}, set()),
        ({"logprobs": True}, {"logprobs"}),
        ({"messages": [{**_USER, "images": [_PICTURE]}]}, {"images"}),
    ],
)
def test_needs_follow_from_the_fields(fields, needs):
    assert _chat(**fields).needs == needs


def test_a_picture_counts_flat():
    request = _chat(messages=[{**_USER, "images": [_PICTURE, "R0lGOD"]}])

    assert 16_384 < request.size < 17_000


def test_the_calls_that_the_last_results_answer_are_known():
    call = {"id": "a", "function": {"name": "f", "arguments": {}}}
    messages = [
        _USER,
        {"role": "assistant", "tool_calls": [call, {**call, "id": "b"}]},
        {"role": "tool", "content": "1", "tool_call_id": "a"},
        {"role": "tool", "content": "2"},
    ]

    assert set(_chat(messages=messages).answers) == {"a", "b"}
    assert _chat(messages=[*messages, _USER]).answers == ()
    assert _chat(messages=[*messages[1:]]).answers == ("b", "a")
    assert _chat(messages=[{"role": "tool", "tool_call_id": "a"}]).answers == ("a",)
    assert _chat().answers == ()


@pytest.mark.parametrize("fields", [{"messages": []}, {"messages": None}])
def test_a_chat_without_messages_asks_to_load(fields):
    assert asks_to_load(_chat(**fields))
    assert not asks_to_unload(_chat(**fields))


@pytest.mark.parametrize("keep", [0, "0", "0s", 0.0])
def test_nothing_to_be_kept_asks_to_unload(keep):
    assert asks_to_unload(_chat(messages=[], keep_alive=keep))
    assert asks_to_unload(_generate(prompt="", keep_alive=keep))


@pytest.mark.parametrize("keep", ["5m", -1, "10s", 300])
def test_a_model_to_be_kept_is_loaded(keep):
    assert asks_to_load(_generate(prompt="", keep_alive=keep))
    assert not asks_to_unload(_generate(prompt="", keep_alive=keep))


def test_who_asks_something_loads_nothing():
    assert not asks_to_load(_chat())
    assert not asks_to_unload(_generate(keep_alive=0))


def test_options_may_be_missing():
    assert options({}) == {}
    assert options({"options": None}) == {}


def test_what_would_steer_us_is_dropped():
    assert "api_base" not in _chat(api_base="http://x").body


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages"),
        ({"messages": [{"role": "bot"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"]}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": ["Hi"]}]}, "messages[0].content"),
        ({"messages": [{**_USER, "images": "abc"}]}, "messages[0].images"),
        ({"messages": [{**_USER, "images": [1]}]}, "messages[0].images"),
        ({"tools": {}}, "tools"),
        ({"stream": "no"}, "stream"),
        ({"format": "xml"}, "format"),
        ({"format": 1}, "format"),
        ({"options": []}, "options"),
        ({"options": {"num_predict": "many"}}, "num_predict"),
        ({"think": "hard"}, "think"),
        ({"think": 1}, "think"),
        ({"logprobs": 1}, "logprobs"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0]"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(BadRequest) as caught:
        _chat(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize("fields", [{"prompt": 1}, {"system": 1}, {"images": "x"}])
def test_a_wrong_field_of_a_prompt_is_named(fields):
    with pytest.raises(BadRequest) as caught:
        _generate(**fields)

    assert caught.value.param == next(iter(fields))
