"""A conversation of another dialect as a request for Anthropic."""

import json

import pytest
from msgspec.structs import replace

from larouter.core.conversation import (
    Format,
    Opaque,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.wire.anthropic import WIRE
from larouter.wire.anthropic.outbound import write
from larouter.wire.road import Call
from tests.wire.anthropic.examples import CURRENT, NEWER, OLDER, WEATHER, talk, written

TOOL = Tool(name="f", description="Does it", parameters=WEATHER)
WRITTEN = {"name": "f", "description": "Does it", "input_schema": WEATHER}
TOOLS = {"tools": (TOOL,)}


def test_the_shortest_request():
    sending = write(talk(), NEWER)

    assert sending.path == "v1/messages"
    assert sending.headers == (("anthropic-version", "2023-06-01"),)
    assert json.loads(sending.body) == {
        "model": "claude-opus-5-5",
        "max_tokens": 128_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }


@pytest.mark.parametrize(
    ("asked", "most", "expected"),
    [
        (None, None, 8192),
        (None, 64_000, 64_000),
        (500, None, 500),
        (500, 64_000, 500),
        (100_000, 64_000, 64_000),
    ],
)
def test_a_limit_is_always_given(asked, most, expected):
    call = Call(name="claude-x", max_output=most)

    assert written(talk(max_output=asked), call)["max_tokens"] == expected


def test_early_and_late_systems_are_blocks_of_one():
    said = (Text(text="Be brief."),)
    late = (Text(text="Hurry."),)

    body = written(talk(Turn("system", said), Turn("user", said), Turn("system", late)))

    assert body["system"] == [
        {"type": "text", "text": "Be brief."},
        {"type": "text", "text": "Hurry."},
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"temperature": 0.5}, {"temperature": 0.5}),
        ({"temperature": 2}, {"temperature": 1}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5}),
        ({"top_k": 5}, {"top_k": 5}),
        ({"temperature": 0.5, "top_p": 0.9, "top_k": 5, "effort": "low"}, {}),
        ({"top_p": 0.95, "effort": "low"}, {"top_p": 0.95}),
    ],
)
def test_older_models_are_told_how_to_throw_dice(asked, expected):
    body = written(talk(**asked), OLDER)

    assert {name: body[name] for name in body.keys() & {"temperature", "top_p", "top_k"}} == (
        expected
    )


def test_newer_models_are_not():
    body = written(talk(temperature=0.5, top_p=0.5, top_k=5), NEWER)

    assert body.keys() == {"model", "max_tokens", "messages"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, None),
        ({"tool_choice": ToolChoice(mode="auto")}, {"type": "auto"}),
        ({"tool_choice": ToolChoice(mode="none")}, {"type": "none"}),
        ({"tool_choice": ToolChoice(mode="required")}, {"type": "any"}),
        ({"tool_choice": ToolChoice(mode="named", name="f")}, {"type": "tool", "name": "f"}),
        ({"parallel_tools": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"parallel_tools": True}, {"type": "auto", "disable_parallel_tool_use": False}),
        ({"parallel_tools": False, "tool_choice": ToolChoice(mode="none")}, {"type": "none"}),
    ],
)
def test_the_choice_of_tool(asked, expected):
    body = written(talk(**TOOLS, **asked), OLDER)

    assert body["tools"] == [WRITTEN]
    assert body.get("tool_choice") == expected


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (ToolChoice(mode="required"), "Your next answer must call one of your tools."),
        (ToolChoice(mode="named", name="f"), "Your next answer must call the tool f."),
    ],
)
def test_a_model_that_refuses_to_be_forced_is_asked_in_words(choice, words):
    body = written(talk(**TOOLS, tool_choice=choice, parallel_tools=False), NEWER)

    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body["system"] == [{"type": "text", "text": words}]


def test_an_older_model_does_not_think_when_it_is_forced():
    choice = ToolChoice(mode="required")

    assert "thinking" not in written(talk(**TOOLS, tool_choice=choice, effort="high"), OLDER)
    assert "thinking" in written(talk(**TOOLS, effort="high"), OLDER)


def test_only_the_tools_that_may_be_called_are_told():
    other = Tool(name="g")
    choice = ToolChoice(mode="required", among=("g",))

    body = written(talk(tools=(TOOL, other), tool_choice=choice), OLDER)

    assert body["tools"] == [{"name": "g", "input_schema": {"type": "object", "properties": {}}}]
    assert "tools" not in written(talk(tools=(TOOL,), tool_choice=choice), OLDER)


@pytest.mark.parametrize(
    ("tool", "schema", "strict"),
    [
        (Tool(name="f", parameters={}), {"type": "object", "properties": {}}, None),
        (
            Tool(name="f", parameters={"properties": {}}),
            {"type": "object", "properties": {}},
            None,
        ),
        (
            Tool(name="f", parameters=WEATHER, strict=True),
            {**WEATHER, "additionalProperties": False},
            True,
        ),
        (
            Tool(name="f", strict=True),
            {"type": "object", "properties": {}, "additionalProperties": False},
            True,
        ),
        (
            Tool(
                name="f",
                strict=True,
                parameters={"type": "object", "properties": {"type": {"type": "object"}}},
            ),
            {"type": "object", "properties": {"type": {"type": "object"}}},
            None,
        ),
        (
            Tool(name="f", custom={}),
            {
                "type": "object",
                "properties": {"input": {"type": "string"}},
                "required": ["input"],
                "additionalProperties": False,
            },
            None,
        ),
    ],
)
def test_a_tool_takes_an_object(tool, schema, strict):
    (found,) = written(talk(tools=(tool,)))["tools"]

    assert found["input_schema"] == schema
    assert found.get("strict") is strict


def test_a_schema_for_the_answer_is_told_natively():
    wanted = Format(schema=WEATHER, strict=True, description="The weather")

    body = written(talk(format=wanted, effort="low"))

    assert body["output_config"] == {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {**WEATHER, "additionalProperties": False, "description": "The weather"},
        },
    }


def test_a_schema_needs_no_description():
    config = written(talk(format=Format(schema={"type": "string"})))["output_config"]

    assert config == {"format": {"type": "json_schema", "schema": {"type": "string"}}}


def test_a_schema_that_cannot_be_closed_is_told_in_words():
    body = written(talk(format=Format(schema={"type": "object"}, description="Anything")))

    assert "output_config" not in body
    (block,) = body["system"]
    assert block["text"].endswith(
        'It follows this JSON Schema:\n{"type":"object","description":"Anything"}'
    )


def test_any_json_object_is_asked_for_in_words():
    (block,) = written(talk(format=Format()))["system"]

    assert block["text"].startswith("Answer with one JSON object and nothing else")


def test_stop_texts_and_the_user_are_told():
    body = written(talk(stop=("END", "\n\nUser:"), user="me"))

    assert body["stop_sequences"] == ["END", "\n\nUser:"]
    assert body["metadata"] == {"user_id": "me"}


def test_white_space_cannot_stop_claude():
    with pytest.raises(CannotCarry) as caught:
        written(talk(stop=("END", "\n")))

    assert caught.value.param == "stop"


def test_a_stream_is_asked_for():
    assert written(talk(), replace(NEWER, stream=True))["stream"] is True


def test_thoughts_of_claudes_go_back_and_may_be_dropped():
    thought = Thinking(text="Hm", opaque=Opaque("anthropic", "EqQ"))
    turns = (
        Turn("user", (Text(text="Hi"),)),
        Turn("assistant", (thought, ToolCall(id="t", name="f", arguments="{}"))),
        Turn("user", (ToolResult(call_id="t", parts=()),)),
    )

    sending = write(talk(*turns), NEWER)

    assert sending.headers[1:] == (("anthropic-beta", "thinking-binding-controls-2026-08-01"),)
    body = json.loads(sending.body)
    assert body["thinking"]["block_binding"] == {"prefix_mismatch_behavior": "drop_block"}
    assert body["messages"][1]["content"][0]["signature"] == "EqQ"


@pytest.mark.parametrize("call", [OLDER, NEWER])
@pytest.mark.parametrize(
    "loss", [loss for loss in WIRE.losses if loss.becomes == "left out"], ids=lambda loss: loss[0]
)
def test_what_is_left_out_changes_nothing(loss, call):
    assert written(talk(**{loss.field: 1}), call) == written(talk(), call)


def test_a_model_that_nobody_knows_gets_what_was_asked():
    call = Call(name="claude-next", refuses=CURRENT - {"thinking_budget"})

    assert written(talk(thinking_tokens=2000), call)["thinking"] == {
        "type": "enabled",
        "budget_tokens": 2000,
    }
