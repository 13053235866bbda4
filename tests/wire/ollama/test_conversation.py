"""Ollama's requests, read whole."""

import json

import pytest

from larouter.core.conversation import (
    Conversation,
    Format,
    Media,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from larouter.core.errors import BadRequest, CannotCarry
from larouter.wire.chat import WIRE
from larouter.wire.losses import refuse_what_is_lost
from larouter.wire.ollama import DIALECT
from larouter.wire.ollama.request import read_chat, read_generate
from larouter.wire.road import Call

_USER = {"role": "user", "content": "Hi"}
_HI = Turn("user", (Text(text="Hi"),))


def _chat(**fields):
    body = {"model": "auto", "messages": [_USER], **fields}
    return DIALECT.conversation(read_chat(json.dumps(body).encode()))


def _generate(**fields):
    body = {"model": "auto", "prompt": "Hi", **fields}
    return DIALECT.conversation(read_generate(json.dumps(body).encode()))


def test_a_plain_chat_is_its_turns():
    assert _chat() == Conversation(turns=(_HI,))


def test_a_prompt_is_a_turn():
    assert _generate(system="Be kind.") == Conversation(
        turns=(Turn("system", (Text(text="Be kind."),)), _HI)
    )


def test_a_whole_conversation_with_tools_is_read():
    read = _chat(
        messages=[
            {"role": "system", "content": "Be kind."},
            _USER,
            {
                "role": "assistant",
                "content": "Let me look.",
                "thinking": "Which city?",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            {"role": "tool", "content": "sunny", "tool_name": "f"},
            _USER,
        ],
        tools=[
            {"type": "function", "function": {"name": "f", "description": "d",
             "parameters": {"type": "object"}}},
            {"type": "function", "function": {"name": "g"}},
        ],
    )  # fmt: skip

    assert read.turns == (
        Turn("system", (Text(text="Be kind."),)),
        _HI,
        Turn(
            "assistant",
            (
                Thinking(text="Which city?"),
                Text(text="Let me look."),
                ToolCall(id="c", name="f", arguments='{"a":1}'),
            ),
        ),
        Turn("user", (ToolResult(call_id="c", parts=(Text(text="sunny"),)), Text(text="Hi"))),
    )
    assert read.tools == (
        Tool(name="f", description="d", parameters={"type": "object"}),
        Tool(name="g"),
    )


@pytest.mark.parametrize(
    ("start", "mime"),
    [
        ("/9j/", "image/jpeg"),
        ("iVBORw0KGgo", "image/png"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(start, mime):
    picture = Media(kind="images", mime=mime, data=start + "AAAA")

    chat = _chat(messages=[{**_USER, "images": [start + "AAAA"]}])

    assert chat.turns == (Turn("user", (picture, Text(text="Hi"))),)
    assert _generate(images=[start + "AAAA"]).turns == chat.turns


def test_a_tool_may_show_a_picture():
    call = {"id": "c", "function": {"name": "f", "arguments": {}}}
    shown = {"role": "tool", "content": "", "images": ["R0lGOD"]}

    read = _chat(messages=[{"role": "assistant", "tool_calls": [call]}, shown])

    picture = Media(kind="images", mime="image/gif", data="R0lGOD")
    assert read.turns[1].parts == (ToolResult(call_id="c", parts=(picture,)),)


@pytest.mark.parametrize(
    ("option", "field", "value", "found"),
    [
        ("num_predict", "max_output", 9, 9),
        ("temperature", "temperature", 0.5, 0.5),
        ("top_p", "top_p", 0.9, 0.9),
        ("top_k", "top_k", 40, 40),
        ("top_k", "top_k", 0, None),
        ("top_k", "top_k", -1, None),
        ("stop", "stop", ["a"], ("a",)),
        ("stop", "stop", "a", ("a",)),
        ("seed", "seed", 7, 7),
        ("presence_penalty", "presence_penalty", 1, 1),
        ("frequency_penalty", "frequency_penalty", 1, 1),
    ],
)
def test_options_are_read(option, field, value, found):
    read = _chat(options={option: value})

    assert getattr(read, field) == found
    assert read.extra == {}


@pytest.mark.parametrize(
    ("think", "effort", "shows"),
    [
        (None, None, False),
        (True, "medium", True),
        (False, "none", False),
        ("low", "low", True),
        ("high", "high", True),
    ],
)
def test_think_says_how_hard(think, effort, shows):
    read = _chat(think=think)

    assert (read.effort, read.shows_thinking) == (effort, shows)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, None),
        ("", None),
        ("json", Format()),
        ({"type": "object"}, Format(schema={"type": "object"})),
    ],
)
def test_the_format_is_read(given, found):
    assert _chat(format=given).format == found


def test_other_fields_are_kept_apart():
    read = _chat(keep_alive="5m", options={"num_ctx": 4096}, new_field=1)

    assert read.extra == {"keep_alive": "5m", "options.num_ctx": 4096, "new_field": 1}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{**_USER, "images": ["Qk0="]}]}, "messages[0].images[0]"),
        ({"messages": [{"role": "assistant", "thinking": 1}]}, "thinking"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"function": {"name": "f", "parameters": 1}}]}, "tools[0].function.parameters"),
        ({"tools": [{"function": {}}]}, "name"),
        ({"options": {"temperature": 3}}, "temperature"),
    ],
)
def test_a_wrong_field_is_named(fields, param):
    with pytest.raises(BadRequest) as caught:
        _chat(**fields)

    assert caught.value.param == param


@pytest.mark.parametrize("loss", [row for row in DIALECT.losses if row.becomes == "refused"])
def test_what_cannot_be_carried_is_refused_unless_it_asks_for_nothing(loss):
    with pytest.raises(CannotCarry) as caught:
        refuse_what_is_lost(_generate(**{loss.field: True}), DIALECT, WIRE)

    assert caught.value.param == loss.field
    for value in loss.harmless:
        refuse_what_is_lost(_generate(**{loss.field: value}), DIALECT, WIRE)


@pytest.mark.parametrize("loss", [row for row in DIALECT.losses if row.becomes == "left out"])
def test_what_is_left_out_changes_nothing(loss):
    holder, _, option = loss.field.partition(".")
    read = _chat(**({holder: {option: 1}} if option else {holder: 1}))

    refuse_what_is_lost(read, DIALECT, WIRE)

    assert loss.field in read.extra
    assert WIRE.write(read, Call(name="m")) == WIRE.write(_chat(), Call(name="m"))
