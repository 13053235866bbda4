"""Answers for clients of Anthropic's dialect: blocks in order, whatever order they came in."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque
from larouter.core.errors import UpstreamError
from larouter.core.events import (
    Finished,
    Folded,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire.anthropic.writer import Writer
from tests.wire.anthropic.examples import frames, message_of, request

USAGE = Usage(input=12, cache_read=2048, cache_write_5m=100, cache_write_1h=200, output=21)
STARTED = Started("chatcmpl-1", "openai/gpt", 7)
STOP = Finished("stop", USAGE)
ADAPTIVE = {"thinking": {"type": "adaptive"}}
OMITTED = {"thinking": {"type": "adaptive", "display": "omitted"}}
GEMINI = Sealed(Opaque("gemini", "AbC"))
HIDDEN = Sealed(Opaque("responses", "gAAA"), hidden=True, id="rs_1")


def _stream(*events, finished=STOP, **fields):
    writer = Writer(request(**fields))
    return b"".join([writer.write([event]) for event in events]) + writer.finish(finished)


def _message(*events, **fields):
    return message_of(_stream(STARTED, *events, **fields))


def _whole(*events, finished=STOP, **fields):
    answer = Folded([STARTED, *events])
    return json.loads(Writer(request(**fields)).whole(answer, finished))


def _text(text):
    return {"type": "text", "text": text}


def _use(index, given):
    return {"type": "tool_use", "id": f"call_{index}", "name": f"f{index}", "input": given}


def _start(index):
    return ToolStart(index, f"call_{index}", f"f{index}")


def test_a_stream_of_text():
    assert _stream(STARTED, TextDelta("Grüße"), TextDelta(' "x"\n')).decode() == (
        "event: message_start\n"
        'data: {"type":"message_start","message":{"id":"msg_chatcmpl-1","type":"message",'
        '"role":"assistant","model":"openai/gpt","content":[],"stop_reason":null,'
        '"stop_sequence":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":0,'
        '"cache_read_input_tokens":0,"output_tokens":0,'
        '"output_tokens_details":{"thinking_tokens":0},'
        '"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},'
        '"service_tier":"standard"}}}\n\n'
        "event: content_block_start\n"
        'data: {"type":"content_block_start","index":0,'
        '"content_block":{"type":"text","text":""}}\n\n'
        "event: content_block_delta\n"
        'data: {"type":"content_block_delta","index":0,'
        '"delta":{"type":"text_delta","text":"Grüße"}}\n\n'
        "event: content_block_delta\n"
        'data: {"type":"content_block_delta","index":0,'
        '"delta":{"type":"text_delta","text":" \\"x\\"\\n"}}\n\n'
        "event: content_block_stop\n"
        'data: {"type":"content_block_stop","index":0}\n\n'
        "event: message_delta\n"
        'data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
        '"usage":{"input_tokens":12,"cache_creation_input_tokens":300,'
        '"cache_read_input_tokens":2048,"output_tokens":21,'
        '"output_tokens_details":{"thinking_tokens":0}}}\n\n'
        "event: message_stop\n"
        'data: {"type":"message_stop"}\n\n'
    )


def test_each_event_leaves_at_once():
    writer = Writer(request())

    assert frames(writer.write([STARTED]))[-1]["type"] == "message_start"
    assert frames(writer.write([TextDelta("Hi")]))[-1]["delta"]["text"] == "Hi"


def test_an_answer_without_a_name_gets_one():
    writer = Writer(request())

    (start,) = frames(writer.write([Started(None, None)]))

    assert start["message"]["id"].startswith("msg_")
    assert start["message"]["model"] == "auto"
    assert start["message"]["usage"]["input_tokens"] > 0


def test_an_id_of_anthropics_stays():
    assert message_of(_stream(Started("msg_1", None)))["id"] == "msg_1"


def test_an_answer_that_says_nothing_is_complete():
    message = message_of(_stream())

    assert message["content"] == []
    assert message["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("finished", "reason", "stop"),
    [
        (Finished("stop", USAGE), "end_turn", None),
        (Finished("stop_sequence", USAGE, "END"), "stop_sequence", "END"),
        (Finished("length", USAGE), "max_tokens", None),
        (Finished("tool_calls", USAGE), "tool_use", None),
        (Finished("refusal", USAGE), "refusal", None),
        (Finished("pause", USAGE), "pause_turn", None),
    ],
)
def test_why_it_ended(finished, reason, stop):
    for message in (_message(finished=finished), _whole(finished=finished)):
        assert (message["stop_reason"], message["stop_sequence"]) == (reason, stop)


def test_who_calls_a_tool_wants_it_run():
    events = [_start(0), ToolDelta(0, "{}")]

    assert _message(*events)["stop_reason"] == "tool_use"
    assert _whole(*events)["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    "events",
    [
        [_start(0), ToolDelta(0, '{"a'), ToolDelta(0, '":1}'), _start(1), ToolDelta(1, '{"b":2}')],
        [_start(0), _start(1), ToolDelta(0, '{"a'), ToolDelta(1, '{"b":2}'), ToolDelta(0, '":1}')],
        [_start(0), ToolDelta(0, '{"a'), _start(1), ToolDelta(1, '{"b":2}'), ToolDelta(0, '":1}')],
        [
            _start(0),
            ToolDelta(0, '{"a":1}'),
            _start(1),
            ToolDelta(0, " "),
            ToolDelta(1, '{"b":2}'),
        ],
    ],
)
def test_calls_that_interleave_are_put_in_order(events):
    message = _message(TextDelta("I look."), *events)

    assert message["content"] == [_text("I look."), _use(0, {"a": 1}), _use(1, {"b": 2})]


def test_calls_that_follow_each_other_leave_at_once():
    writer = Writer(request())
    writer.write([STARTED, _start(0), ToolDelta(0, "{}")])

    assert [frame["type"] for frame in frames(writer.write([_start(1)]))] == [
        "content_block_stop",
        "content_block_start",
    ]
    assert frames(writer.write([ToolDelta(1, "{")]))[0]["delta"]["partial_json"] == "{"


def test_calls_without_arguments_take_nothing():
    events = [_start(0), _start(1), _start(2), TextDelta("So.")]

    content = _message(*events)["content"]

    assert content == [_use(0, {}), _use(1, {}), _use(2, {}), _text("So.")]


def test_what_comes_after_a_call_is_complete_is_an_error():
    with pytest.raises(UpstreamError, match="was complete"):
        _stream(STARTED, _start(0), ToolDelta(0, "{}"), TextDelta("So."), ToolDelta(0, "{}"))


def test_a_tool_of_plain_text_takes_one_field():
    events = [ToolStart(0, "call_0", "f0", custom=True), ToolDelta(0, "SELECT"), ToolDelta(0, " 1")]

    for message in (_message(*events), _whole(*events)):
        assert message["content"] == [_use(0, {"input": "SELECT 1"})]


def test_thoughts_are_shown_to_who_asked():
    events = [ThinkingDelta("Let me"), ThinkingDelta(" see"), GEMINI, TextDelta("Hi")]
    content = [
        {"type": "thinking", "thinking": "Let me see", "signature": "lar1.gemini.AbC"},
        _text("Hi"),
    ]

    assert _message(*events, **ADAPTIVE)["content"] == content
    assert _whole(*events, **ADAPTIVE)["content"] == content


@pytest.mark.parametrize("fields", [{}, {"thinking": {"type": "disabled"}}])
def test_thoughts_are_not_shown_to_who_did_not_ask(fields):
    events = [ThinkingDelta("Let me see"), GEMINI, HIDDEN, TextDelta("Hi"), GEMINI]

    assert _message(*events, **fields)["content"] == [_text("Hi")]
    assert _whole(*events, **fields)["content"] == [_text("Hi")]


def test_only_the_seals_are_shown_to_who_wants_no_text():
    events = [ThinkingDelta("Let me see"), GEMINI, ThinkingDelta("Hm"), TextDelta("Hi"), GEMINI]
    content = [
        {"type": "thinking", "thinking": "", "signature": "lar1.gemini.AbC"},
        _text("Hi"),
    ]

    assert _message(*events, **OMITTED)["content"] == content
    assert _whole(*events, **OMITTED)["content"] == content


def test_a_thought_without_a_seal_gets_one_of_nobody():
    events = [ThinkingDelta("Let me see"), TextDelta("Hi")]
    content = [
        {"type": "thinking", "thinking": "Let me see", "signature": "lar1.none."},
        _text("Hi"),
    ]

    assert _message(*events, **ADAPTIVE)["content"] == content
    assert _whole(*events, **ADAPTIVE)["content"] == content


@pytest.mark.parametrize("fields", [ADAPTIVE, OMITTED])
def test_a_hidden_thought_is_a_redacted_one(fields):
    content = [{"type": "redacted_thinking", "data": "lar1.responses~rs_1.gAAA"}, _text("Hi")]

    assert _message(HIDDEN, TextDelta("Hi"), **fields)["content"] == content
    assert _whole(HIDDEN, TextDelta("Hi"), **fields)["content"] == content


def test_a_seal_of_words_that_were_said_has_no_place():
    events = [TextDelta("Hi"), GEMINI]

    assert _message(*events, **ADAPTIVE)["content"] == [_text("Hi")]
    assert _whole(*events, **ADAPTIVE)["content"] == [_text("Hi")]


def test_a_thought_is_signed_before_the_next_begins():
    events = [ThinkingDelta("One"), HIDDEN, ThinkingDelta("Two")]

    kinds = [block["type"] for block in _message(*events, **ADAPTIVE)["content"]]

    assert kinds == ["thinking", "redacted_thinking", "thinking"]


def test_words_that_say_nothing_are_no_block():
    assert _message(TextDelta(""))["content"] == []
    assert _whole(TextDelta(""))["content"] == []


def test_a_refusal_is_said_in_words():
    events = [RefusalDelta("I will"), RefusalDelta(" not.")]

    for message in (_message(*events), _whole(*events)):
        assert message["content"] == [_text("I will not.")]


def test_a_whole_message():
    message = _whole(TextDelta("Hi"), _start(0), ToolDelta(0, '{"a": 1.50}'))

    assert message["id"] == "msg_chatcmpl-1"
    assert message["model"] == "openai/gpt"
    assert message["content"] == [_text("Hi"), _use(0, {"a": 1.5})]
    assert message["usage"]["input_tokens"] == 12
    assert message["usage"]["cache_creation"]["ephemeral_1h_input_tokens"] == 200


@pytest.mark.parametrize("given", ["{", "[1]"])
def test_arguments_that_are_no_object_are_told_as_they_came(given):
    content = _whole(_start(0), ToolDelta(0, given))["content"]

    assert content == [_use(0, {"INVALID_JSON": given})]


def test_a_silence_is_a_ping():
    assert frames(Writer.heartbeat) == [{"type": "ping"}]


def test_a_stream_that_broke_ends_with_an_error():
    (event,) = frames(Writer(request()).broken(UpstreamError("cut")))

    assert event == {"type": "error", "error": {"type": "api_error", "message": "cut"}}
