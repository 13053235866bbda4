"""A client's Messages request at the door: what is checked, and what routing learns of it."""

import json

import pytest

from larouter.core.chat import Message
from larouter.core.errors import BadRequest
from larouter.wire.anthropic.request import read_request
from tests.wire.anthropic.examples import HI, request

USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42"}


def _user(*blocks):
    return {"role": "user", "content": list(blocks)}


def _text(text, **more):
    return {"type": "text", "text": text, **more}


def _picture(size):
    source = {"type": "base64", "media_type": "image/png", "data": "A" * size}
    return {"type": "image", "source": source}


def test_a_request_is_read():
    asked = request(model="anthropic/claude-haiku-5-5", stream=True)

    assert asked.model == "anthropic/claude-haiku-5-5"
    assert asked.messages == (Message("user", "Hi"),)
    assert asked.max_output == 1000
    assert asked.stream
    assert asked.dialect == "anthropic"
    assert asked.needs == frozenset()
    assert asked.answers == ()
    assert asked.body["messages"] == HI


def test_what_the_door_adds_is_kept():
    body = b'{"max_tokens": 0, "messages": [{"role": "user", "content": "Hi"}]}'

    asked = read_request(body, tier="SIMPLE", rid="r", model="auto")

    assert (asked.tier, asked.rid, asked.model, asked.max_output) == ("SIMPLE", "r", "auto", 0)


def test_counting_needs_no_limit_and_no_stream():
    body = b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'

    asked = read_request(body, counts=True)

    assert asked.max_output is None
    assert not asked.stream


@pytest.mark.parametrize("name", ["model", "messages", "max_tokens"])
def test_a_missing_field_is_named(name):
    with pytest.raises(BadRequest, match=f"{name}: Field required") as caught:
        request(**{name: None})

    assert caught.value.param == name
    assert caught.value.code == "missing_field"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 1}, "model"),
        ({"model": "x\n"}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [_user("Hi")]}, "messages[0].content[0]"),
        ({"messages": [_user({"type": 1})]}, "messages[0].content[0]"),
        ({"messages": [_user({"type": "text"})]}, "messages[0].content[0].text"),
        ({"messages": [_user({"type": "image"})]}, "messages[0].content[0].source"),
        ({"messages": [_user({"type": "tool_result"})]}, "messages[0].content[0].tool_use_id"),
        ({"messages": [_user({**RESULT, "content": 1})]}, "messages[0].content[0].content"),
        ({"messages": [_user({**RESULT, "content": [1]})]}, "messages[0].content[0].content[0]"),
        ({"system": 1}, "system"),
        ({"system": [1]}, "system[0].text"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 2**60}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": 1.5}, "temperature"),
        ({"top_p": "1"}, "top_p"),
        ({"top_k": 0.5}, "top_k"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"stop_sequences": [1]}, "stop_sequences"),
        ({"tools": {}}, "tools"),
        ({"tools": [1]}, "tools[0]"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tools": [{"type": 1}]}, "tools[0].type"),
        ({"tools": [{"type": ""}]}, "tools[0].type"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"thinking": {}}, "thinking"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"output_config": []}, "output_config"),
        ({"output_config": {"effort": 1}}, "output_config.effort"),
        ({"output_config": {"format": {}}}, "output_config.format"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"output_format": {"type": "json_schema"}}, "output_format.schema"),
        ({"metadata": "me"}, "metadata"),
        ({"betas": "x"}, "betas"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(BadRequest) as caught:
        request(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"messages": NaN}'])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(BadRequest):
        read_request(body)


def test_null_is_as_good_as_missing():
    nothing = dict.fromkeys(
        ["system", "stream", "temperature", "tools", "tool_choice", "thinking", "output_config"]
    )

    assert request(**nothing).messages == (Message("user", "Hi"),)


@pytest.mark.parametrize("name", ["api_base", "api_key", "mock_response", "input_cost_per_token"])
def test_what_steers_other_proxies_is_dropped(name):
    assert name not in request(**{name: "x"}).body


def test_a_field_that_nobody_knows_stays():
    assert request(strange={"x": 1}).body["strange"] == {"x": 1}


def test_words_are_joined_and_results_come_apart():
    asked = request(
        system=[_text("Be brief."), _text("Be kind.", cache_control={"type": "ephemeral"})],
        messages=[
            _user(_text("What is"), _text("it?")),
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "…"}, USE]},
            _user({**RESULT, "content": [_text("4"), _text("2")]}, _text("Well?")),
            {"role": "system", "content": "Answer now."},
        ],
    )

    assert asked.messages == (
        Message("system", "Be brief.\nBe kind."),
        Message("user", "What is\nit?"),
        Message("assistant", ""),
        Message("tool", "4\n2"),
        Message("user", "Well?"),
        Message("system", "Answer now."),
    )


def test_a_system_of_one_string_comes_first():
    assert request(system="Be brief.").messages[0] == Message("system", "Be brief.")


@pytest.mark.parametrize(
    ("messages", "answers"),
    [
        ([_user(RESULT)], ("toolu_1",)),
        ([_user(RESULT, _text("a reminder"))], ("toolu_1",)),
        ([_user(RESULT), {"role": "user", "content": "and more"}], ("toolu_1",)),
        ([_user(RESULT), {"role": "assistant", "content": "42"}, *HI], ()),
        ([_user({**RESULT, "content": None})], ("toolu_1",)),
    ],
)
def test_results_that_end_the_conversation_are_known(messages, answers):
    asked = request(messages=[*HI, {"role": "assistant", "content": [USE]}, *messages])

    assert asked.answers == answers


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({"tools": [{"name": "f", "input_schema": {}}]}, {"tools"}),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, {"tools"}),
        ({"messages": [_user(_picture(9))]}, {"images"}),
        ({"messages": [_user({**RESULT, "content": [_picture(9)]})]}, {"images"}),
        (
            {"messages": [_user({"type": "document", "source": {"type": "url", "url": "u"}})]},
            {"files"},
        ),
        (
            {"messages": [_user({"type": "document", "source": {"type": "text", "data": "t"}})]},
            set(),
        ),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, {"json_schema"}),
        ({"output_format": {"type": "json_schema", "schema": {}}}, {"json_schema"}),
        ({"output_config": {"effort": "low"}}, set()),
    ],
)
def test_needs_are_known(fields, needs):
    assert request(**fields).needs == needs


@pytest.mark.parametrize(("size", "counted"), [(100, 100), (5_000_000, 16_384)])
def test_a_picture_counts_flat(size, counted):
    fields = {"model": "auto", "max_tokens": 9, "messages": [_user(_picture(size))]}
    body = json.dumps(fields).encode()

    assert read_request(body).size == len(body) - size + counted
