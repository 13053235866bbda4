import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.wire import sse
from larouter.wire.responses.relay import Relay
from tests.wire.responses.answers import asked

STREAMS = Path(__file__).parent.parent / "streams" / "responses"
USAGE = Usage(input=16, cache_read=16, cache_write_5m=8, output=30, reasoning=12)
NAMES = ["text", "tools", "incomplete"]


def recorded(name):
    return (STREAMS / f"{name}.sse").read_bytes()


def told(stream):
    """The events' data: these recordings are shorter than the SDK allows."""
    return [json.loads(sse.data_of(frame)) for frame in sse.split(stream)]


def relayed(stream, *cuts, **fields):
    relay = Relay(asked(**fields))
    places = [0, *cuts, len(stream)]
    passed = b"".join(relay.feed(stream[start:end]) for start, end in pairwise(places))
    return passed, relay


def finished(name, **fields):
    passed, relay = relayed(recorded(name), **fields)
    return passed + relay.finish(prompt_tokens=1)


@pytest.mark.parametrize("name", NAMES)
def test_bytes_pass_as_they_came_where_nothing_is_ours(name):
    assert finished(name, store=False) == recorded(name)


@pytest.mark.parametrize("name", NAMES)
def test_only_store_and_the_previous_response_are_ours(name):
    passed, came = told(finished(name, previous_response_id=None)), told(recorded(name))

    assert passed != came
    for event in came:
        if "response" in event:
            event["response"]["store"] = True
    assert passed == came


def test_the_previous_response_is_told_as_it_was_asked():
    relay = Relay(replace(asked(), body={"previous_response_id": "resp_9", "store": False}))
    passed = told(relay.feed(recorded("text")) + relay.finish(prompt_tokens=1))

    assert [
        event["response"]["previous_response_id"] for event in passed if "response" in event
    ] == ["resp_9"] * 3


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_may_be_cut_at_every_byte(name):
    stream, expected = recorded(name), finished(name)
    for cut in range(len(stream)):
        passed, relay = relayed(stream, cut)
        assert passed + relay.finish(prompt_tokens=1) == expected, cut


@pytest.mark.parametrize("name", NAMES)
def test_the_last_event_waits_for_the_settlement(name):
    passed, relay = relayed(recorded(name))

    assert relay.done
    assert b"event: response.completed" not in passed
    assert b"event: response.incomplete" not in passed
    assert relay.usage == USAGE
    assert relay.provider_id == "resp_0c1f"


def test_calls_of_tools_are_noted_once():
    _, relay = relayed(recorded("tools"))

    assert relay.call_ids == ["call_a", "call_b"]
    assert relay.parts() == ()


def test_the_answer_is_kept_before_its_last_byte():
    kept: list[Any] = []
    relay = Relay(replace(asked(), keep=kept.append))
    relay.feed(recorded("text"))
    assert kept == []

    last = relay.finish(prompt_tokens=1)

    assert kept == [json.loads(sse.data_of(last))["response"]]
    assert kept[0]["store"] is True


def test_nothing_after_the_last_event_passes():
    passed, relay = relayed(recorded("text") + b"data: [DONE]\n\n: bye\n\n")

    assert b"[DONE]" not in passed
    assert relay.feed(b"data: {}\n\n") == b""


def test_comments_pass_once_the_answer_has_begun():
    stream = recorded("text")
    first = sse.split(stream)[0]
    relay = Relay(asked(store=False))

    assert relay.feed(b": waiting\n\n") == b""
    assert relay.feed(first + b": waiting\n\n") == first + b": waiting\n\n"
    assert relay.feed(b": waiting\n\n") == b": waiting\n\n"


def test_a_cut_stream_is_no_answer():
    _, relay = relayed(recorded("text")[:-500])

    with pytest.raises(UpstreamError, match="broke off"):
        relay.finish(prompt_tokens=1)


def test_a_failure_is_told_in_the_providers_words():
    with pytest.raises(UpstreamError, match="Too fast"):
        relayed(recorded("failed"))


@pytest.mark.parametrize(
    "bad",
    [
        b"data: <html>\n\n",
        b"data: []\n\n",
        b'data: {"type":"response.created","response":7}\n\n',
        b'data: {"type":"response.created","response":null}\n\n',
    ],
)
def test_a_malformed_event_is_an_error(bad):
    with pytest.raises(UpstreamError):
        Relay(asked()).feed(bad)


def test_a_broken_stream_ends_with_the_next_numbers():
    stream = b"".join(sse.split(recorded("text"))[:7])
    passed, relay = relayed(stream)
    *before, error, failed = told(passed + relay.broken(UpstreamError("Gone.")))

    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert failed["response"]["id"] == "resp_0c1f"
    numbers = [event["sequence_number"] for event in (*before, error, failed)]
    assert numbers == list(range(len(numbers)))


def test_a_stream_that_never_began_breaks_off_too():
    _, failed = told(Relay(asked()).broken(UpstreamError("Gone.")))

    assert failed["response"]["error"] == {"code": "server_error", "message": "Gone."}


def test_what_was_delivered_is_estimated_from_its_words():
    passed, relay = relayed(recorded("text").rpartition(b"event: response.comp")[0])
    words = "".join(event.get("delta", "") for event in told(passed))

    assert relay.delivered() == -(-len(words.encode()) // 4)
    assert Relay(asked()).delivered() == 0


def test_a_very_long_answer_is_estimated_from_its_start():
    frame = b'data: {"type":"response.output_text.delta","delta":"' + b"x" * 4000 + b'"}\n\n'
    _, relay = relayed(_begun(), store=False)
    for _ in range(600):
        relay.feed(frame)

    assert relay.delivered() == pytest.approx(600 * 1000, rel=0.02)


def test_an_estimate_never_fails():
    _, relay = relayed(_begun())
    relay.feed(b"data: {html}\n\n")
    relay.feed(b'data: {"type":"x","delta":7}\n\n')

    assert relay.delivered() == 0


def _begun():
    return sse.split(recorded("text"))[0]


def whole(**more):
    last = json.loads(sse.data_of(sse.split(recorded("tools"))[-1]))["response"]
    return json.dumps({**last, **more}).encode()


def test_a_whole_answer_passes_and_is_read():
    kept: list[Any] = []
    relay = Relay(replace(asked(), keep=kept.append))
    body = relay.whole(whole(), prompt_tokens=1)

    assert json.loads(body) == {**json.loads(whole()), "store": True}
    assert kept == [json.loads(body)]
    assert (relay.usage, relay.provider_id) == (USAGE, "resp_0c1f")
    assert relay.call_ids == ["call_a", "call_b"]
    assert relay.delivered() == -(-len(body) // 4)


def test_a_whole_answer_without_anything_of_ours_is_the_same_bytes():
    assert Relay(asked(store=False)).whole(whole(), prompt_tokens=1) == whole()


def test_a_strange_whole_answer_is_read_as_far_as_it_goes():
    relay = Relay(asked(store=False))
    output = [7, {"type": "function_call", "call_id": 7}]
    relay.whole(whole(id=7, usage=None, output=output), prompt_tokens=1)

    assert (relay.usage, relay.provider_id, relay.call_ids) == (None, None, [])


@pytest.mark.parametrize("body", [b"<html>", b'{"error": {"message": "No"}, "output": []}'])
def test_a_200_that_is_no_answer_is_an_error(body):
    with pytest.raises(UpstreamError):
        Relay(asked()).whole(body, prompt_tokens=1)


@pytest.mark.parametrize("fields", [{"id": 7}, {"output": [7]}])
def test_an_answer_that_cannot_be_kept_is_an_error(fields):
    relay = Relay(replace(asked(), keep=[].append))

    with pytest.raises(UpstreamError):
        relay.whole(whole(**fields), prompt_tokens=1)
