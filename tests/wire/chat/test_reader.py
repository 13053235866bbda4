"""A provider's chat completion as events, whatever its server's habits."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Text, Thinking, ToolCall
from larouter.core.errors import UpstreamError
from larouter.core.events import (
    Finished,
    Folded,
    Reason,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire import sse
from larouter.wire.chat.reader import Reader
from tests.wire.chat.examples import STREAMS, USAGE, chunk, folded, frames

STARTED = Started("c1", "m1")
CALL = {"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
SIGNATURE = {"google": {"thought_signature": "c2ln"}}


def _events(*chunks):
    """Everything that comes before the end."""
    return Reader().feed(frames(*chunks))


def _said(delta):
    started, *events = _events(chunk(delta))
    assert started == STARTED
    return events


def _call(**fields):
    return {**CALL, **fields}


def _ended(*chunks):
    reader = Reader()
    reader.feed(frames(*chunks))
    return reader.end()


def _whole(message, finish="stop", **fields):
    answer = {"id": "c1", "model": "m1", "choices": [{"message": message, "finish_reason": finish}]}
    return Reader().whole(json.dumps({**answer, **fields}).encode())


SAID = {
    "openai": (Text(text='Grüße aus 你好! 🌍 "usage": null, [DONE] "error": \n\n fertig'),),
    "openai_tools": (
        ToolCall(id="call_A1", name="get_weather", arguments='{"city": "Zürich"}'),
        ToolCall(id="call_B2", name="get_time", arguments="{}"),
    ),
    "deepseek": (Thinking(text="Okay, the user überlegt"), Text(text="Ja, 中")),
    "llamacpp": (Text(text="Hello, wörld."),),
    "vllm": (Text(text="Eins, zwei — drei"),),
    "comments": (Text(text="Aber ja!"),),
    "no_usage": (Text(text="Eins zwei drei vier"),),
    "no_done": (Text(text="Eins zwei drei vier"),),
}
REASONS: dict[str, Reason] = {"openai_tools": "tool_calls", "vllm": "length"}


@pytest.mark.parametrize("name", STREAMS)
def test_a_recorded_stream_is_read(name):
    answer, finished = folded(Reader(), STREAMS[name])

    assert answer.parts == SAID[name]
    assert answer.id
    assert finished == Finished(REASONS.get(name, "stop"), USAGE[name])


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_cut_at_any_byte_changes_nothing(name, line_end):
    data = STREAMS[name].replace(b"\n", line_end)
    expected, finished = folded(Reader(), data)

    for at in range(1, len(data)):
        answer, found = folded(Reader(), data[:at], data[at:])
        assert (answer.parts, answer.id, found) == (expected.parts, expected.id, finished)


@pytest.mark.parametrize("name", STREAMS)
def test_byte_by_byte_the_events_are_the_same(name):
    whole, pieces = Reader(), Reader()
    cut = sse.EventSplitter()

    said = [
        event
        for at in range(len(STREAMS[name]))
        for event in pieces.feed(cut.feed(STREAMS[name][at : at + 1]))
    ]

    assert said == whole.feed(STREAMS[name])
    assert pieces.done == whole.done


@pytest.mark.parametrize(
    ("delta", "events"),
    [
        ({"content": "Hi"}, [TextDelta("Hi")]),
        ({"content": ""}, []),
        ({"role": "assistant", "content": None}, []),
        ({"refusal": "No."}, [RefusalDelta("No.")]),
        ({"reasoning_content": "Hm"}, [ThinkingDelta("Hm")]),
        ({"reasoning": "Hm"}, [ThinkingDelta("Hm")]),
        ({"reasoning": {"text": "Hm"}}, []),
        ({"reasoning_content": "Hm", "content": "Hi"}, [ThinkingDelta("Hm"), TextDelta("Hi")]),
        ({"reasoning": "Hm", "content": "Hi"}, [ThinkingDelta("Hm"), TextDelta("Hi")]),
        ({"content": "Hi", "tool_calls": [CALL]},
         [TextDelta("Hi"), ToolStart(0, "t1", "f"), ToolDelta(0, "{}")]),
        ({"content": [{"type": "text", "text": "Hi"}, "?", {"type": "image"},
                      {"type": "thinking", "thinking": [{"text": "Hm"}, {"text": 1}, "?"]}]},
         [TextDelta("Hi"), ThinkingDelta("Hm")]),
    ],
)  # fmt: skip
def test_what_a_delta_says(delta, events):
    assert _said(delta) == events


@pytest.mark.parametrize(
    ("said", "events"),
    [
        # As OpenRouter streams: the text twice, the signature with the last piece or alone.
        ({"reasoning": "Hm", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]},
         [ThinkingDelta("Hm")]),
        ({"reasoning_details": [{"type": "reasoning.text", "signature": "s", "id": "r1"}]},
         [Sealed(Opaque("chat", "s"), hidden=False, id="r1")]),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "d"}]},
         [Sealed(Opaque("chat", "d"), hidden=True)]),
        # As we write it: the whole thought once more beside its signature.
        ({"reasoning_details": [{"type": "reasoning.text", "text": "Hm", "signature": "s"}]},
         [Sealed(Opaque("chat", "s"))]),
        ({"reasoning_content": "A", "reasoning_details": ["?", {"type": "x", "signature": 1}]},
         [ThinkingDelta("A")]),
        ({"content": "Hi", "reasoning_details": [{"type": "reasoning.encrypted", "data": "d"}]},
         [Sealed(Opaque("chat", "d"), hidden=True), TextDelta("Hi")]),
    ],
)  # fmt: skip
def test_signatures_of_thoughts(said, events):
    assert _said(said) == events


def test_each_thought_of_a_whole_answer_has_its_own_signature():
    details = [
        {"type": "reasoning.text", "text": "A", "signature": "s1"},
        {"type": "reasoning.encrypted", "data": "d"},
        {"type": "reasoning.text", "text": "B", "signature": "s2", "id": "r2"},
    ]

    *events, _ = _whole({"content": "Hi", "reasoning": "AB", "reasoning_details": details})

    assert Folded(events).parts == (
        Thinking(text="A", opaque=Opaque("chat", "s1")),
        Thinking(text="", opaque=Opaque("chat", "d")),
        Thinking(text="B", opaque=Opaque("chat", "s2"), id="r2"),
        Text(text="Hi"),
    )


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (CALL, [ToolStart(0, "t1", "f"), ToolDelta(0, "{}")]),
        (_call(function={"name": "f"}), [ToolStart(0, "t1", "f")]),
        (_call(function={"name": "f", "arguments": {"a": 1}}),
         [ToolStart(0, "t1", "f"), ToolDelta(0, '{"a":1}')]),
        (_call(extra_content=SIGNATURE),
         [ToolStart(0, "t1", "f", Opaque("gemini", "c2ln")), ToolDelta(0, "{}")]),
        (_call(extra_content={"google": None}), [ToolStart(0, "t1", "f"), ToolDelta(0, "{}")]),
        ({"id": "t1", "function": {"name": "f"}}, [ToolStart(0, "t1", "f")]),
        ({"id": "t1", "type": "custom", "custom": {"name": "f", "input": "ls"}},
         [ToolStart(0, "t1", "f", custom=True), ToolDelta(0, "ls")]),
    ],
)  # fmt: skip
def test_a_call_of_a_tool(call, parts):
    assert _said({"tool_calls": [call]}) == parts


@pytest.mark.parametrize("id", [None, ""])
def test_a_call_without_an_id_gets_one(id):
    start, _ = _said({"tool_calls": [_call(id=id)]})

    assert start.id.startswith("call_")
    assert len(start.id) > 20


def test_calls_interleave_by_their_index():
    answer = Folded(
        _events(
            chunk({"tool_calls": [_call(index=1, id="b", function={"name": "g"})]}),
            chunk({"tool_calls": [_call(index=0, id="a", function={"name": "f"})]}),
            chunk({"tool_calls": [{"index": 1, "function": {"arguments": '{"b":'}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
            chunk({"tool_calls": [{"index": 1, "function": {"arguments": "1}"}}]}),
        )
    )

    assert answer.parts == (
        ToolCall(id="b", name="g", arguments='{"b":1}'),
        ToolCall(id="a", name="f", arguments="{}"),
    )


def test_two_calls_of_one_index_are_two():
    """Google's OpenAI endpoint, and Ollama for long, call every call number 0."""
    answer = Folded(
        _events(
            chunk({"tool_calls": [_call(id="a", function={"name": "f", "arguments": "{}"})]}),
            chunk({"tool_calls": [_call(id="b", function={"name": "f", "arguments": "{}"})]}),
        )
    )

    assert [part.id for part in answer.parts if isinstance(part, ToolCall)] == ["a", "b"]


@pytest.mark.parametrize(
    "again",
    [
        {"index": 0, "id": "t1", "function": {"name": "f", "arguments": " "}},
        {"index": 0, "id": None, "function": {"name": "f", "arguments": " "}},
        {"index": 0, "id": "other", "function": {"name": None, "arguments": " "}},
    ],
)
def test_a_call_that_names_itself_again_goes_on(again):
    answer = Folded(_events(chunk({"tool_calls": [CALL]}), chunk({"tool_calls": [again]})))

    assert answer.parts == (ToolCall(id="t1", name="f", arguments="{} "),)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "refusal"),
        ("whatever", "stop"),
    ],
)
def test_why_it_ended(finish, reason):
    assert _ended(chunk({}, finish)) == Finished(reason, None)


@pytest.mark.parametrize(("finish", "reason"), [("stop", "tool_calls"), ("length", "length")])
def test_a_call_of_a_tool_is_why_it_stopped(finish, reason):
    assert _ended(chunk({"tool_calls": [CALL]}, finish)).reason == reason


def test_an_end_mark_is_an_end_too():
    reader = Reader()
    reader.feed(frames(chunk({"content": "Hi"}), "[DONE]", chunk({"content": "late"})))

    assert reader.done
    assert reader.end() == Finished("stop", None)


def test_usage_may_come_with_any_chunk():
    usage = {"prompt_tokens": 3, "completion_tokens": 4}

    finished = _ended(chunk({}, "stop"), {"id": "c1", "choices": [], "usage": usage})

    assert finished == Finished("stop", Usage(input=3, output=4))


def test_only_the_first_answer_is_read():
    both = chunk({"content": "A"})
    both["choices"].append({"index": 1, "delta": {"content": "B"}, "finish_reason": "length"})

    assert _events(both) == [STARTED, TextDelta("A")]


def test_what_names_nothing_is_no_name():
    assert _events({"id": 7, "model": "", "choices": [{}]}) == [Started(None, None)]


def test_comments_say_nothing():
    assert Reader().feed(b": keep-alive\n\n") == []


def test_a_whole_answer():
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    message = {"content": "Hi", "reasoning_content": "Hm", "tool_calls": [CALL]}

    *events, finished = _whole(message, "tool_calls", usage=usage)

    assert Folded(events).parts == (
        Thinking(text="Hm"),
        Text(text="Hi"),
        ToolCall(id="t1", name="f", arguments="{}"),
    )
    assert finished == Finished("tool_calls", Usage(input=3, output=4))


def test_a_whole_answer_is_an_end():
    assert _whole({"content": "Hi"}, None)[-1] == Finished("stop", None)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>", "no JSON completion"),
        (b"[]", "no JSON completion"),
        (b'{"choices": [{"message": {"content": 1}}]}', "no JSON completion"),
        (b'{"choices": []}', "no choices"),
        (b"{}", "no choices"),
        (b'{"error": {"message": "busy"}}', "busy"),
        (b'{"choices": [{}], "error": "busy"}', "busy"),
    ],
)
def test_what_is_no_answer_is_an_error(body, says):
    with pytest.raises(UpstreamError) as caught:
        Reader().whole(body)

    assert says in caught.value.message


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ("{", "no JSON completion"),
        ({"id": "c"}, "without choices"),
        ({"error": {"code": "overloaded"}}, "overloaded"),
        (chunk({"tool_calls": [{"index": 0, "id": "t"}]}), "without a function"),
        (chunk({"tool_calls": [_call(function={"arguments": "{}"})]}), "without a name"),
    ],
)
def test_a_broken_stream_is_an_error(frame, says):
    with pytest.raises(UpstreamError) as caught:
        Reader().feed(frames(frame))

    assert says in caught.value.message


def test_a_stream_that_was_cut_is_an_error():
    with pytest.raises(UpstreamError, match="broke off"):
        _ended(chunk({"content": "Hi"}))


def test_the_service_is_told_beside_the_usage():
    reader = Reader()
    reader.feed(frames({**chunk({"content": "Hi"}), "service_tier": "flex"}, chunk({}, "stop")))
    reader.feed(
        frames({**chunk({}), "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    )

    usage = reader.end().usage
    assert usage is not None
    assert usage.service == "flex"
