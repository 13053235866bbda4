"""Ids of tool calls: given ones are kept, missing ones are made so that they stay the same."""

import pytest

from larouter.core.conversation import Part, Text, ToolCall
from larouter.core.errors import BadRequest
from larouter.wire.ollama.calls import Said, call_id, read_calls, returned

_ROME = {"function": {"name": "weather", "arguments": {"city": "Rome"}}}
_OSLO = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}
_TIME = {"function": {"name": "time", "arguments": {}}}


def _asks(*calls):
    return {"role": "assistant", "content": "", "tool_calls": list(calls)}


def _tells(**fields):
    return {"role": "tool", "content": "fine", **fields}


def test_given_ids_are_kept():
    said = read_calls([_asks({"id": "c1", **_ROME}), _tells(tool_call_id="c1")])

    assert said[0].calls == (ToolCall(id="c1", name="weather", arguments='{"city":"Rome"}'),)
    assert said[1] == Said(answers="c1")


def test_a_missing_id_is_made_of_what_is_asked():
    conversation = [{"role": "user", "content": "?"}, _asks(_ROME), _tells()]

    made = read_calls(conversation)[2].answers

    assert made == call_id("weather", '{"city":"Rome"}')
    assert made == read_calls(conversation[1:])[1].answers
    assert made == read_calls([*conversation, {"role": "user", "content": "!"}])[2].answers


def test_the_same_call_again_has_another_id():
    said = read_calls([_asks(_ROME, _ROME), _tells(), _tells(), _asks(_ROME), _tells()])
    ids = [one.id for message in said for one in message.calls]

    assert len(set(ids)) == 3
    assert [message.answers for message in said if message.answers] == ids


def test_the_ids_of_calls_to_come_back_are_known_before():
    parts: list[Part] = [
        Text(text="Let me look."),
        ToolCall(id="theirs-1", name="weather", arguments='{ "city": "Rome" }'),
        ToolCall(id="theirs-2", name="time", arguments=""),
        ToolCall(id="theirs-3", name="weather", arguments='{"city":"Rome"}'),
        ToolCall(id="theirs-4", name="broken", arguments="{"),
    ]

    calls = read_calls([_asks(_ROME, _TIME, _ROME)])[0].calls

    *back, broken = returned(tuple(parts))

    assert [part.id for part in back if isinstance(part, ToolCall)] == [call.id for call in calls]
    assert isinstance(broken, ToolCall)
    assert broken.id == "theirs-4"


def test_a_result_finds_its_call_by_the_tools_name():
    said = read_calls([_asks(_ROME, _TIME, _OSLO), _tells(tool_name="time"), _tells(), _tells()])
    rome, time, oslo = (call.id for call in said[0].calls)

    assert [message.answers for message in said[1:]] == [time, rome, oslo]


def test_an_id_takes_its_call_off_the_list():
    said = read_calls([_asks({"id": "a", **_ROME}, _OSLO), _tells(tool_call_id="a"), _tells()])

    assert said[2].answers == said[0].calls[1].id


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"a": 1.0, "b": [2**60]}, '{"a":1.0,"b":[1152921504606846976]}'),
        ('{"a": 1}', '{"a":1}'),
        ("", "{}"),
        (None, "{}"),
        ("{}", "{}"),
    ],
)
def test_arguments_become_json_text(given, text):
    call = {"function": {"name": "f", "arguments": given}}

    assert read_calls([_asks(call)])[0].calls[0].arguments == text


@pytest.mark.parametrize(
    ("call", "param"),
    [
        ({}, "messages[0].tool_calls[0].function"),
        ({"function": {"name": 1}}, "messages[0].tool_calls[0].function"),
        (
            {"function": {"name": "f", "arguments": [1]}},
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            {"function": {"name": "f", "arguments": "{"}},
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_a_malformed_call_is_named(call, param):
    with pytest.raises(BadRequest) as caught:
        read_calls([_asks(call)])

    assert caught.value.param == param


def test_a_result_without_a_call_is_refused():
    with pytest.raises(BadRequest, match="no call of a tool waits") as caught:
        read_calls([{"role": "user", "content": "?"}, _tells()])

    assert caught.value.param == "messages[1]"
