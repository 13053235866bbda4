"""Answers for clients that speak chat completions."""

import json

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque
from larouter.core.errors import LARouterError, UpstreamError
from larouter.core.events import (
    Event,
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
from larouter.wire import sse
from larouter.wire.chat.writer import DONE, Writer, error_fields, write_error
from tests.fakes import a_request
from tests.wire.chat.examples import deltas

STARTED = Started("r1", "vendor-model")
FINISHED = Finished("stop", Usage(input=3, output=4))
SH = {"type": "custom", "custom": {"name": "sh"}}
GEMINI = Opaque("gemini", "c2ln")
ANTHROPIC = Opaque("anthropic", "sig")


def _stream(*events, finished=FINISHED, **fields):
    writer = Writer(a_request(stream=True, **fields))
    return b"".join(writer.write([event]) for event in events) + writer.finish(finished)


def _said(*events, **fields):
    """The deltas after the role."""
    first, *rest = deltas(_stream(STARTED, *events, **fields))
    assert first == {"role": "assistant", "content": ""}
    return rest


def _whole(*events, finished=FINISHED, **fields):
    body = Writer(a_request(**fields)).whole(Folded(events), finished)
    ChatCompletion.model_validate_json(body)
    return json.loads(body)


def _message(*events, **fields):
    return _whole(STARTED, *events, **fields)["choices"][0]["message"]


def _chunks(stream):
    *data, done = [sse.data_of(event) for event in sse.split(stream)]
    assert done == b"[DONE]"
    for one in data:
        ChatCompletionChunk.model_validate_json(one)
    return [json.loads(one) for one in data]


def test_a_stream_of_words():
    chunks = _chunks(_stream(STARTED, TextDelta('"Hi"'), TextDelta("\n✓")))

    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        ("chatcmpl-r1", "chat.completion.chunk", "vendor-model")
    }
    assert [chunk["choices"] for chunk in chunks] == [
        [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]
        for delta, reason in [
            ({"role": "assistant", "content": ""}, None),
            ({"content": '"Hi"'}, None),
            ({"content": "\n✓"}, None),
            ({}, "stop"),
        ]
    ]
    assert not [chunk for chunk in chunks if "usage" in chunk]


def test_several_events_at_once_are_the_same_stream():
    writer = Writer(a_request(stream=True))
    events: list[Event] = [
        STARTED, TextDelta("a"), ThinkingDelta("b"), ToolStart(0, "t", "f"), ToolDelta(0, "{}"),
    ]  # fmt: skip

    assert deltas(writer.write(events)) == deltas(_stream(*events))


def test_usage_comes_last_and_only_if_it_is_wanted():
    *_, last = _chunks(_stream(STARTED, stream_options={"include_usage": True}))

    assert last["choices"] == []
    assert last["id"] == "chatcmpl-r1"
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (3, 4)


def test_an_answer_without_a_name_is_named():
    first, second = (_chunks(_stream(Started(None, None), model="mine"))[0] for _ in range(2))

    assert first["model"] == "mine"
    assert first["id"].startswith("chatcmpl-")
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("events", "reason", "finish"),
    [
        ((), "stop", "stop"),
        ((), "stop_sequence", "stop"),
        ((), "length", "length"),
        ((), "tool_calls", "tool_calls"),
        ((), "refusal", "content_filter"),
        ((), "pause", "stop"),
        # A model that says no in words has answered, as OpenAI sees it.
        ((RefusalDelta("No."),), "refusal", "stop"),
    ],
)
def test_why_it_ended(events, reason, finish):
    finished = Finished(reason, Usage())

    streamed = _chunks(_stream(STARTED, *events, finished=finished))[-1]["choices"][0]
    whole = _whole(STARTED, *events, finished=finished)["choices"][0]

    assert streamed["finish_reason"] == whole["finish_reason"] == finish


def test_a_refusal():
    assert _said(RefusalDelta("No"), RefusalDelta(".")) == [{"refusal": "No"}, {"refusal": "."}]
    assert _message(RefusalDelta("No"), RefusalDelta(".")) == {
        "role": "assistant", "content": None, "refusal": "No.",
    }  # fmt: skip


def test_calls_of_tools():
    events = [
        ToolStart(0, "a", "f", GEMINI), ToolDelta(0, '{"x":'), ToolStart(1, "b", "g"),
        ToolDelta(0, "1}"),
    ]  # fmt: skip
    signed = {"extra_content": {"google": {"thought_signature": "c2ln"}}}

    assert [delta["tool_calls"] for delta in _said(*events)] == [
        [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""},
          **signed}],
        [{"index": 0, "function": {"arguments": '{"x":'}}],
        [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": "1}"}}],
        # Clients parse what they are given, and Anthropic streams nothing for a call without any.
        [{"index": 1, "function": {"arguments": "{}"}}],
    ]  # fmt: skip
    assert _message(*events)["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'},
         **signed},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]  # fmt: skip


def test_a_call_of_a_tool_of_plain_text():
    events = [ToolStart(0, "a", "sh", custom=True), ToolDelta(0, "l"), ToolDelta(0, "s")]
    started = {"id": "a", "type": "custom", "custom": {"name": "sh", "input": ""}}

    assert [delta["tool_calls"] for delta in _said(*events, tools=[SH])] == [
        [{"index": 0, **started}],
        [{"index": 0, "custom": {"input": "l"}}],
        [{"index": 0, "custom": {"input": "s"}}],
    ]
    assert _message(*events)["tool_calls"] == [
        {"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
    ]


@pytest.mark.parametrize(
    ("written", "read"), [('{"input":"ls"}', "ls"), ("ls", "ls"), ('{"x":1}', '{"x":1}')]
)
def test_a_tool_of_plain_text_that_was_asked_for_as_a_function(written, read):
    """Where a provider has functions alone, the client still gets what it declared."""
    events = [ToolStart(0, "a", "sh"), ToolDelta(0, written[:2]), ToolDelta(0, written[2:]),
              ToolStart(1, "b", "f"), ToolDelta(1, "{}")]  # fmt: skip
    tools = [SH, {"type": "function", "function": {"name": "f"}}]

    streamed = [delta["tool_calls"][0] for delta in _said(*events, tools=tools)]
    whole = _message(*events, tools=tools)["tool_calls"]

    assert streamed == [
        {"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": ""}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 0, "custom": {"input": read}},
    ]
    assert whole[0] == {"id": "a", "type": "custom", "custom": {"name": "sh", "input": read}}
    assert whole[1]["type"] == "function"


def test_thoughts_and_what_makes_them_valid():
    events = [
        ThinkingDelta("H"), ThinkingDelta("m"), Sealed(ANTHROPIC), ThinkingDelta("So"),
        Sealed(ANTHROPIC, id="r2"), Sealed(Opaque("responses", "enc"), hidden=True, id="rs"),
        TextDelta("Hi"),
    ]  # fmt: skip
    details = [
        {"type": "reasoning.text", "text": "Hm", "signature": "lar1.anthropic.sig", "id": None,
         "index": 0},
        {"type": "reasoning.text", "text": "So", "signature": "lar1.anthropic.sig", "id": "r2",
         "index": 1},
        {"type": "reasoning.encrypted", "data": "lar1.responses.enc", "id": "rs", "index": 2},
    ]  # fmt: skip

    assert _said(*events) == [
        {"reasoning_content": "H"},
        {"reasoning_content": "m"},
        {"reasoning_details": details[:1]},
        {"reasoning_content": "So"},
        {"reasoning_details": details[1:2]},
        {"reasoning_details": details[2:]},
        {"content": "Hi"},
    ]
    assert _message(*events) == {
        "role": "assistant", "content": "Hi", "refusal": None, "reasoning_content": "HmSo",
        "reasoning_details": details,
    }  # fmt: skip


@pytest.mark.parametrize(
    "between", [[TextDelta("Hi")], [ToolStart(0, "a", "f")], [TextDelta("Hi"), ToolDelta(0, "{}")]]
)
def test_a_signature_of_words_is_not_the_thought_s(between):
    """Gemini signs the words that follow a thought; they have no place for it here."""
    started = [ToolStart(0, "a", "f")] if ToolDelta(0, "{}") in between else []

    said = _said(*started, ThinkingDelta("Hm"), *between, Sealed(GEMINI))

    assert not [delta for delta in said if "reasoning_details" in delta]


def test_a_hidden_thought_has_no_words_of_another():
    said = _said(ThinkingDelta("Hm"), Sealed(ANTHROPIC, hidden=True))

    assert said[-1]["reasoning_details"] == [
        {"type": "reasoning.encrypted", "data": "lar1.anthropic.sig", "id": None, "index": 0}
    ]


def test_a_whole_answer():
    assert {**_whole(STARTED, TextDelta("H"), TextDelta("i")), "created": 0} == {
        "id": "chatcmpl-r1",
        "object": "chat.completion",
        "created": 0,
        "model": "vendor-model",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "total_tokens": 7,
            "prompt_tokens_details": {
                "cached_tokens": 0,
                "cache_write_tokens": 0,
                "audio_tokens": 0,
            },
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def test_a_broken_stream_ends_with_an_error():
    broken = Writer(a_request(stream=True)).broken(UpstreamError("It broke off."))

    assert json.loads(sse.data_of(broken))["error"]["message"] == "It broke off."
    assert DONE not in broken


def test_an_error_as_openai_says_it():
    error = UpstreamError("busy", code="overloaded")

    assert json.loads(write_error(error)) == {"error": error_fields(error)}
    assert error_fields(error) == {
        "message": "busy", "type": error.type, "param": None, "code": "overloaded",
    }  # fmt: skip
    assert error_fields(LARouterError())["message"] == "Something went wrong inside LARouter."


def test_a_heartbeat_says_nothing():
    assert sse.data_of(Writer.heartbeat) == b""
    assert Writer.heartbeat.endswith(b"\n\n")
