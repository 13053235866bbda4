"""What a relay notes of the tools that an answer calls, and of the thought before."""

import json

import pytest

from larouter.core.conversation import Thinking
from larouter.core.errors import UpstreamError
from larouter.wire import sse
from larouter.wire.chat.relay import Relay
from tests.fakes import a_request
from tests.wire.chat.examples import STREAMS, chunk, frames

CALL = {"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _streamed(*chunks):
    relay = Relay(a_request(stream=True))
    relay.feed(frames(*chunks))
    return relay


def _whole(message):
    relay = Relay(a_request())
    body = {"id": "c", "choices": [{"message": message, "finish_reason": "tool_calls"}]}
    relay.whole(json.dumps(body).encode(), prompt_tokens=1)
    return relay


def test_the_calls_of_a_recorded_stream():
    relay = Relay(a_request(stream=True))
    relay.feed(STREAMS["openai_tools"])

    assert relay.call_ids == ["call_A1", "call_B2"]
    assert relay.parts() == ()


@pytest.mark.parametrize(
    ("calls", "ids"),
    [
        ([CALL, {**CALL, "id": "t2"}, CALL], ["t1", "t2"]),
        ([{**CALL, "id": ""}, {**CALL, "id": 7}, "odd"], []),
        ("odd", []),
    ],
)
def test_a_call_is_noted_once_by_its_id(calls, ids):
    assert _streamed(chunk({"tool_calls": calls})).call_ids == ids
    assert _whole({"tool_calls": calls}).call_ids == ids


def test_the_thought_before_a_call_of_a_stream():
    relay = _streamed(
        chunk({"reasoning_content": "I "}),
        chunk({"reasoning_content": None}),
        chunk({"reasoning_content": "look."}),
        chunk({"tool_calls": [CALL]}, "tool_calls"),
        "[DONE]",
    )

    assert relay.parts() == (Thinking(text="I look."),)


def test_the_thought_before_a_call_of_a_whole_answer():
    relay = _whole({"reasoning_content": "I look.", "tool_calls": [CALL]})

    assert relay.parts() == (Thinking(text="I look."),)


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": "I look."},
        {"reasoning_content": "", "tool_calls": [CALL]},
        {"tool_calls": [CALL]},
    ],
)
def test_without_both_nothing_must_come_back(message):
    assert _whole(message).parts() == ()


def test_a_broken_stream_ends_with_an_error():
    broken = _streamed(chunk({"content": "Hi"})).broken(UpstreamError("It broke off."))

    assert json.loads(sse.data_of(broken))["error"]["message"] == "It broke off."
