"""Anthropic's answer to a client of its own dialect: the same bytes, and what we learn of them."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.wire.anthropic.relay import Relay
from tests.wire.anthropic.examples import STREAMS, frames, message_of, request
from tests.wire.anthropic.test_reader import ANSWERS

START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1"}}\n\n'
DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"Hi there"}}\n\n'
)
END = b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
PING = b'event: ping\ndata: {"type": "ping"}\n\n'


def _relayed(*pieces):
    relay = Relay(request())
    out = b"".join([relay.feed(piece) for piece in pieces])
    return out + relay.finish(prompt_tokens=11), relay


@pytest.mark.parametrize("name", STREAMS)
def test_the_bytes_are_the_same(name):
    out, relay = _relayed(STREAMS[name])

    assert out == STREAMS[name]
    assert relay.usage == ANSWERS[name][1].usage
    assert relay.provider_id.startswith("msg_01")
    assert relay.started
    assert relay.done
    assert relay.parts() == ()


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_cut_at_any_byte_changes_nothing(name, line_end):
    data = STREAMS[name].replace(b"\n", line_end)

    for cut in range(1, len(data)):
        out, relay = _relayed(data[:cut], data[cut:])
        assert out == data
        assert relay.usage == ANSWERS[name][1].usage


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("name", STREAMS)
def test_small_pieces_change_nothing(name, size):
    data = STREAMS[name]

    out, relay = _relayed(*(data[at : at + size] for at in range(0, len(data), size)))

    assert out == data
    assert relay.usage == ANSWERS[name][1].usage


@pytest.mark.parametrize(
    ("name", "ids"), [("tools", ["toolu_01A", "toolu_01B"]), ("server_tool", []), ("text", [])]
)
def test_calls_of_the_clients_tools_are_known(name, ids):
    body = json.dumps(message_of(STREAMS[name])).encode()
    whole = Relay(request())

    assert _relayed(STREAMS[name])[1].call_ids == ids
    assert whole.whole(body, prompt_tokens=1) == body
    assert whole.call_ids == ids


def test_the_last_event_waits_for_the_settlement():
    relay = Relay(request())

    assert relay.feed(START + DELTA + END + STOP + DELTA) == START + DELTA + END
    assert relay.done
    assert relay.feed(DELTA) == b""
    assert relay.finish(prompt_tokens=1) == STOP


def test_a_last_event_that_did_not_come_is_made_up():
    out, relay = _relayed(START, DELTA, END)

    assert out == START + DELTA + END + STOP
    assert relay.usage is None


def test_a_ping_is_passed_on_once_it_has_begun():
    relay = Relay(request())

    assert relay.feed(PING) == b""
    assert relay.feed(START) == START
    assert relay.feed(PING) == PING
    assert relay.feed(b": comment\n\n" + END) == b": comment\n\n" + END


def test_the_first_delta_leaves_at_once():
    relay = Relay(request())
    relay.feed(START)

    assert relay.feed(DELTA) == DELTA


@pytest.mark.parametrize(
    "event",
    [
        b"event: message_start\ndata: {\n\n",
        b"data: <html></html>\n\n",
        DELTA,
        STOP,
        b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"no"}}\n\n',
    ],
)
def test_a_stream_that_does_not_begin_is_an_error(event):
    with pytest.raises(UpstreamError):
        Relay(request()).feed(event)


def test_an_error_in_the_middle_is_one():
    relay = Relay(request())
    relay.feed(START + DELTA)

    with pytest.raises(UpstreamError, match="Overloaded") as caught:
        relay.feed(
            b'event: error\ndata: {"type": "error", "error": '
            b'{"type": "overloaded_error", "message": "Overloaded"}}\n\n'
        )

    assert caught.value.status == 529
    (event,) = frames(relay.broken(caught.value))
    assert event["error"]["type"] == "overloaded_error"


def test_a_stream_that_breaks_off_is_an_error():
    relay = Relay(request())
    relay.feed(START + DELTA)

    with pytest.raises(UpstreamError, match="broke off"):
        relay.finish(prompt_tokens=1)


def test_what_was_delivered_is_estimated():
    relay = Relay(request())
    relay.feed(START + DELTA * 3)

    assert relay.delivered() == 6


def test_an_estimate_never_fails():
    relay = Relay(request())
    relay.feed(START + DELTA)
    relay.feed(b"event: content_block_delta\ndata: {html}\n\n")

    assert relay.delivered() == 2


def test_of_a_very_long_answer_the_rest_is_taken_to_be_like_its_start():
    relay = Relay(request())
    relay.feed(START)
    for _ in range(200):
        relay.feed(DELTA * 100)

    assert relay.delivered() == pytest.approx(40_000, rel=0.01)


def test_nothing_was_delivered_before_the_first_event():
    assert Relay(request()).delivered() == 0


def test_a_whole_answer():
    body = json.dumps(message_of(STREAMS["thinking"])).encode()
    relay = Relay(request())

    assert relay.whole(body, prompt_tokens=1) == body
    assert relay.provider_id == "msg_01Think"
    assert relay.usage == Usage(input=12, output=140, reasoning=120, service="standard")
    assert relay.delivered() == 8


def test_the_arguments_of_a_whole_answer_were_delivered_too():
    relay = Relay(request())
    relay.whole(
        b'{"type":"message","stop_reason":"tool_use","content":'
        b'[{"type":"tool_use","id":"t","name":"f","input":{"city":"Bern"}}]}',
        prompt_tokens=1,
    )

    assert relay.delivered() == 4
    assert relay.usage is None


def test_a_200_that_is_no_answer_is_an_error():
    with pytest.raises(UpstreamError):
        Relay(request()).whole(b"<html>", prompt_tokens=1)
