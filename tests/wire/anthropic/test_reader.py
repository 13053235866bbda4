"""Anthropic's answers as events, whatever the pieces they come in."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Text, Thinking, ToolCall
from larouter.core.errors import UpstreamError
from larouter.core.events import Finished, Folded, Started
from larouter.wire.anthropic.reader import Reader, read_frame, read_message
from tests.wire.anthropic.examples import STREAMS, folded, message_of

ANSWERS = {
    "text": (
        (Text(text='Grüße aus Zürich 🏔️: "event: message_stop"\n\ndata: {}'),),
        Finished(
            "stop",
            Usage(
                input=12,
                cache_read=2048,
                cache_write_5m=100,
                cache_write_1h=200,
                output=21,
                service="standard",
            ),
        ),
    ),
    "tools": (
        (
            Text(text="I look. One moment…"),
            ToolCall(id="toolu_01A", name="get_weather", arguments='{"city": "Zürich"}'),
            ToolCall(id="toolu_01B", name="get_time", arguments="{}"),
        ),
        Finished("tool_calls", Usage(input=12, output=88, service="standard")),
    ),
    "thinking": (
        (
            Thinking(
                text="Let me count: 1, 2 – 3.",
                opaque=Opaque("anthropic", "EqQBCkgIBxABGAIiQL+signature/one=="),
            ),
            Thinking(
                text="", opaque=Opaque("anthropic", "redacted:EmwKAhgBEgy3va3pzix/LafPsn4a==")
            ),
            Thinking(text="", opaque=Opaque("anthropic", "EqQBOmitted==")),
            Text(text="Three."),
        ),
        Finished(
            "stop_sequence", Usage(input=12, output=140, reasoning=120, service="standard"), "END"
        ),
    ),
    "server_tool": (
        (Text(text="Found."),),
        Finished("pause", Usage(input=900, output=60, service="standard")),
    ),
    "refusal": (
        (Text(text="I cannot"),),
        Finished("refusal", Usage(input=12, output=4, service="standard")),
    ),
    "truncated": (
        (Text(text="And so"),),
        Finished("length", Usage(input=12, output=2, service="standard")),
    ),
}


def _event(frame):
    return b"event: x\ndata: " + json.dumps(frame).encode() + b"\n\n"


START = {"type": "message_start", "message": {"id": "msg_1", "model": "claude"}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": None}


def _read(*frames):
    return folded(Reader(), *map(_event, frames))


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_read(name):
    answer, finished = folded(Reader(), STREAMS[name])

    assert (answer.parts, finished) == ANSWERS[name]
    assert answer.model == "claude-haiku-5-5"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_cut_at_any_byte_changes_nothing(name, line_end):
    data = STREAMS[name].replace(b"\n", line_end)

    for cut in range(1, len(data)):
        answer, finished = folded(Reader(), data[:cut], data[cut:])
        assert (answer.parts, finished) == ANSWERS[name]


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("name", STREAMS)
def test_small_pieces_change_nothing(name, size):
    data = STREAMS[name]

    answer, finished = folded(Reader(), *(data[at : at + size] for at in range(0, len(data), size)))

    assert (answer.parts, finished) == ANSWERS[name]


@pytest.mark.parametrize("name", STREAMS)
def test_a_whole_answer_is_the_same(name):
    body = json.dumps(message_of(STREAMS[name]), ensure_ascii=False).encode()

    *events, finished = Reader().whole(body)

    assert (Folded(events).parts, finished) == ANSWERS[name]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_says_that_it_is_over(name):
    reader = Reader()

    folded(reader, STREAMS[name])

    assert reader.done


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}, 12),
        ({"input_tokens": 5}, 5),
        ({"input_tokens": -5}, None),
        (None, None),
    ],
)
def test_the_prompts_tokens_are_told_at_once(usage, tokens):
    start = {"type": "message_start", "message": {"id": "m", "model": "c", "usage": usage}}

    assert Reader().feed(_event(start)) == [Started("m", "c", tokens)]


def test_arguments_that_come_at_once_are_read():
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}

    answer, _ = _read(
        START,
        {"type": "content_block_start", "index": 0, "content_block": use},
        {"type": "content_block_stop", "index": 0},
        END,
    )

    assert answer.parts == (ToolCall(id="t", name="f", arguments='{"a": 1}'),)


def test_what_a_start_holds_and_deltas_repeat_is_read_once():
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    delta = {"type": "input_json_delta", "partial_json": '{"a": 1}'}

    answer, _ = _read(
        START,
        {"type": "content_block_start", "index": 0, "content_block": use},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        END,
    )

    assert answer.parts == (ToolCall(id="t", name="f", arguments='{"a": 1}'),)


def test_a_reason_that_nobody_knows_is_an_end():
    _, finished = _read(START, {**END, "delta": {"stop_reason": "strange"}})

    assert finished == Finished("stop")


def test_counts_may_come_before_the_reason():
    early = {**END, "delta": {"stop_reason": None}, "usage": {"input_tokens": 3}}
    last = {**END, "usage": {"output_tokens": 4}}

    assert _read(START, early, last)[1] == Finished("stop", Usage(input=3, output=4))


def test_deltas_that_say_nothing_are_nothing():
    delta = {"type": "content_block_delta", "index": 0}
    answer, _ = _read(
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
        {**delta, "delta": {"type": "text_delta", "text": ""}},
        {**delta, "delta": {"type": "citations_delta", "citation": {}}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "thinking"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "redacted_thinking"}},
        {"type": "strange"},
        END,
    )

    assert answer.parts == ()


@pytest.mark.parametrize(
    "event",
    [
        b"event: x\ndata: {\n\n",
        b"event: x\ndata: []\n\n",
        b'event: x\ndata: {"type": "text_delta", "text": "\xff"}\n\n',
        b"event: x\ndata: <html>\n\n",
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n',
        b'data: {"type":"message_stop"}\n\n',
        b'data: {"type":"message_start"}\n\n',
    ],
)
def test_a_strange_event_is_an_error(event):
    with pytest.raises(UpstreamError):
        Reader().feed(event)


def test_a_call_without_a_name_is_an_error():
    use = {"type": "tool_use", "id": "t"}

    with pytest.raises(UpstreamError, match="without an id or a name"):
        _read(START, {"type": "content_block_start", "index": 0, "content_block": use})


@pytest.mark.parametrize("event", [b": comment\n\n", b"event: ping\n\n"])
def test_an_event_without_data_is_none(event):
    assert read_frame(event) is None
    assert Reader().feed(event) == []


def test_a_ping_says_nothing():
    assert Reader().feed(b'event: ping\ndata: {"type": "ping"}\n\n') == []


def test_a_stream_that_breaks_off_is_an_error():
    data = STREAMS["text"]

    with pytest.raises(UpstreamError, match="broke off"):
        folded(Reader(), data[: data.index(b"event: message_delta")])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"\xff",
        b'{"type":"message"}',
        b'{"type":"message","content":[]}',
        b'{"type":"error","error":{"type":"api_error","message":"no"}}',
        b'{"type":"message","stop_reason":"end_turn","content":[{}]}',
    ],
)
def test_a_200_that_is_no_answer_is_an_error(body):
    with pytest.raises(UpstreamError):
        read_message(body)
