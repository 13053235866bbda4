"""Google's bytes as they came, and what is read beside them."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.wire import sse
from larouter.wire.gemini import read_request
from larouter.wire.gemini.relay import Relay
from tests.wire.gemini.test_reader import ID, RECORDED, answer, frame, stream


def relay(sse=True):
    body = b'{"contents": {"parts": {"text": "Hi"}}}'
    return Relay(read_request(body, model="auto", stream=True, sse=sse))


def passed(road, *pieces):
    """What the client has before the settlement, and after it."""
    before = b"".join(road.feed(piece) for piece in pieces)
    return before, road.finish(prompt_tokens=0)


@pytest.mark.parametrize("name", [name for name, _ in RECORDED])
def test_the_bytes_pass_as_they_came_wherever_they_are_cut(name):
    data = stream(name)

    for cut in range(1, len(data)):
        assert b"".join(passed(relay(), data[:cut], data[cut:])) == data
    assert b"".join(passed(relay(), *(data[at : at + 1] for at in range(len(data))))) == data


@pytest.mark.parametrize(("name", "events"), RECORDED)
def test_what_is_read_is_what_the_reader_reads(name, events):
    road = relay()

    passed(road, stream(name))

    assert road.started
    assert road.provider_id == ID
    assert road.usage == events[-1].usage
    assert road.usage == events[-1].usage  # it is parsed once


def test_the_calls_that_have_ids_are_noted():
    road = relay()

    passed(road, stream("tools"))

    assert road.call_ids == ["fc-1"]
    assert road.parts() == ()


@pytest.mark.parametrize(("name", "held"), [("plain", 1), ("late", 2), ("blocked", 1)])
def test_the_end_waits_for_the_settlement(name, held):
    before, after = passed(relay(), stream(name))

    assert len(sse.split(after)) == held
    assert b"finishReason" not in before


def test_a_first_token_leaves_at_once():
    first = frame({"text": "a"})

    assert relay().feed(first) == first


def test_comments_pass_once_the_answer_began():
    road = relay()

    assert road.feed(b": wait\n\n") == b""
    road.feed(frame({"text": "a"}))
    assert road.feed(b": wait\n\n") == b": wait\n\n"


def test_an_array_is_made_of_the_events():
    data = stream("plain").replace(b"data: ", b": wait\r\n\r\ndata: ", 1)

    before, after = passed(relay(sse=False), data)

    chunks = [json.loads(sse.data_of(event)) for event in sse.split(stream("plain"))]
    assert json.loads(before + after) == chunks
    assert json.loads(before + b"]") == chunks[:-1]


def test_usage_that_cannot_be_true_leaves_what_was_there():
    road = relay()
    first = {"candidates": [], "usageMetadata": {"promptTokenCount": 3}}

    road.feed(sse.write(json.dumps(first).encode()))
    assert road.usage == Usage(input=3)
    road.feed(b'data: {"usageMetadata": {"promptTokenCount": -1}}\n\n')

    assert road.usage == Usage(input=3)


def test_a_name_in_a_text_is_no_mark():
    road = relay()
    road.feed(frame({"text": 'the "finishReason"'}, note="finishReason"))

    with pytest.raises(UpstreamError, match="broke off"):
        road.finish(prompt_tokens=0)


@pytest.mark.parametrize(
    "data",
    [
        b"data: <html>\n\n",
        b"data: {}\n\n",
        frame({"text": "a"}) + b"data: nonsense\n\n",
        b'data: {"error": {"message": "x"}}\n\n',
        frame({"text": "a"}) + b'data: {"error": {"message": "x"}}\n\n',
    ],
)
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(UpstreamError):
        relay().feed(data)


def test_a_whole_answer_passes_and_is_read():
    body = answer(
        {"text": "a"}, {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
        responseId="r", usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 2},
    )  # fmt: skip
    road = relay()

    assert road.whole(body, prompt_tokens=0) == body
    assert (road.provider_id, road.call_ids) == ("r", ["1"])
    assert road.usage == Usage(input=3, output=2)
    assert road.delivered() == 3


def test_a_whole_answer_that_is_none_is_refused():
    with pytest.raises(UpstreamError):
        relay().whole(b"<html>", prompt_tokens=0)


def test_what_was_delivered_is_estimated():
    road = relay()
    assert road.delivered() == 0
    road.feed(frame({"text": "a" * 10}, {"inlineData": {}}))
    assert road.delivered() == 3

    for _ in range(9):
        road.feed(frame({"text": "a"}))
    assert road.delivered() == 10


@pytest.mark.parametrize("array", [False, True])
def test_a_broken_stream_ends_with_an_error(array):
    road = relay(sse=not array)
    data = road.feed(frame({"text": "a"})) + road.broken(UpstreamError("It broke."))

    chunks = json.loads(data) if array else [json.loads(sse.data_of(e)) for e in sse.split(data)]
    assert chunks[-1]["error"]["message"] == "It broke."
