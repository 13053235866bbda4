"""The two roads: a relay where both speak the same, else a translation."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Text, Thinking, ToolCall
from larouter.core.errors import CannotCarry, UpstreamError
from larouter.core.turns import Turns
from larouter.wire import sse
from larouter.wire.chat.writer import DONE
from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.road import Call, Quirks, Translation, open_road
from tests.fakes import a_request

CHAT, RESPONSES, ANTHROPIC = DIALECTS["chat"], WIRES["responses"], WIRES["anthropic"]
CLAUDE = Call(name="claude", max_output=1000)
START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "claude", "content": [], "usage": {"input_tokens": 7}},
}
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
WORD = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi ho"}}
STOP = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}
COUNTED = {**STOP, "usage": {"output_tokens": 3}}
END = {"type": "message_stop"}
TOOL = {
    "type": "content_block_start",
    "index": 0,
    "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
}


def _road(dialect=CHAT, wire=ANTHROPIC, call=CLAUDE, turns=None, **fields):
    return open_road(a_request(**fields), call, dialect, wire, turns or Turns())


def _translation(**fields):
    road = _road(**fields)[1]
    assert isinstance(road, Translation)
    return road


def _frames(*events):
    return b"".join(sse.write(json.dumps(event).encode()) for event in events)


def _words(stream):
    found = [sse.data_of(event) for event in sse.split(stream)]
    chunks = [json.loads(data) for data in found if data and data != b"[DONE]"]
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_the_same_format_passes():
    sending, road = _road(wire=WIRES["chat"], unheard_of=1)

    assert json.loads(sending.body)["unheard_of"] == 1
    assert not isinstance(road, Translation)


def test_another_format_is_translated():
    sending, road = _road(unheard_of=1)

    assert sending.path == "v1/messages"
    assert "unheard_of" not in json.loads(sending.body)
    assert isinstance(road, Translation)


def test_what_cannot_be_carried_is_refused_before_anything_is_sent():
    with pytest.raises(CannotCarry) as caught:
        _road(n=2)

    assert caught.value.param == "n"


def test_an_answer_on_its_way():
    road = _translation(stream=True, stream_options={"include_usage": True})

    assert road.feed(b'data: {"type"') == b""
    assert not road.started
    first = road.feed(_frames(START)[len(b'data: {"type"') :])
    assert (road.started, road.provider_id) == (True, "msg_1")
    assert _words(first + road.feed(_frames(TEXT, WORD, WORD))) == "Hi hoHi ho"
    assert road.delivered() == 3
    road.feed(_frames(COUNTED))
    assert not road.done
    road.feed(_frames(END))
    assert road.done
    last = road.finish(prompt_tokens=99)

    assert road.usage == Usage(input=7, output=3)
    assert road.parts() == (Text(text="Hi hoHi ho"),)
    assert b'"prompt_tokens":7' in last
    assert last.endswith(DONE)


def test_what_comes_after_the_end_is_not_read():
    road = _translation(stream=True)
    road.feed(_frames(START, TEXT, WORD, COUNTED, END))

    assert road.feed(_frames(WORD)) == b""
    assert road.delivered() == 2


def test_a_sign_of_life_is_passed_on_once_the_answer_has_begun():
    road = _translation(stream=True)

    assert road.feed(_frames({"type": "ping"})) == b""
    road.feed(_frames(START))
    assert road.feed(_frames({"type": "ping"})) == b": \n\n"


def test_a_provider_that_does_not_count_is_estimated():
    road = _translation(stream=True, stream_options={"include_usage": True})
    uncounted = {**START, "message": {"id": "msg_1", "content": []}}
    road.feed(_frames(uncounted, TEXT, WORD, STOP, END))

    last = road.finish(prompt_tokens=99)

    assert road.usage is None
    assert b'"prompt_tokens":99,"completion_tokens":2' in last


def test_a_stream_that_was_cut_is_an_error():
    road = _translation(stream=True)
    road.feed(_frames(START, TEXT, WORD))

    with pytest.raises(UpstreamError):
        road.finish(prompt_tokens=1)


def test_a_broken_stream_says_so_in_the_client_s_words():
    broken = _translation(stream=True).broken(UpstreamError("It broke off."))

    assert json.loads(sse.data_of(broken))["error"]["message"] == "It broke off."


def test_a_whole_answer():
    road = _translation()
    content = [{"type": "text", "text": "Hi"},
               {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}]  # fmt: skip
    body = {"type": "message", "id": "msg_1", "model": "claude", "content": content,
            "stop_reason": "tool_use",
            "usage": {"input_tokens": 7, "output_tokens": 3}}  # fmt: skip

    answer = json.loads(road.whole(json.dumps(body).encode(), prompt_tokens=99))

    assert answer["choices"][0]["message"]["content"] == "Hi"
    assert answer["usage"]["prompt_tokens"] == 7
    assert (road.started, road.provider_id) == (True, "msg_1")
    assert (road.usage, road.call_ids) == (Usage(input=7, output=3), ["toolu_1"])
    assert road.parts() == (
        Text(text="Hi"),
        ToolCall(id="toolu_1", name="f", arguments='{"a": 1}'),
    )


def test_a_whole_answer_without_usage_is_estimated():
    road = _translation()
    body = {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}

    answer = json.loads(road.whole(json.dumps(body).encode(), prompt_tokens=99))

    assert (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]) == (99, 1)
    assert (road.usage, road.call_ids) == (None, [])


def test_the_calls_that_an_answer_asks_for():
    road = _translation(stream=True)
    road.feed(_frames(START, TOOL, {"type": "content_block_stop", "index": 0}, STOP, END))
    road.finish(prompt_tokens=1)

    assert road.call_ids == ["toolu_1"]


def test_a_client_that_loses_ids_is_known_by_what_it_brings_back():
    """Ollama's clients may send a call without its id."""
    request = a_request()
    road = Translation(
        ANTHROPIC.reader(), CHAT.writer(request), lambda parts: (Text(text="x"), *parts[:0])
    )
    road.feed(_frames(START, TOOL, {"type": "content_block_stop", "index": 0}, STOP, END))
    road.finish(prompt_tokens=1)

    assert road.call_ids == []
    assert road.parts() == (Text(text="x"),)


def test_what_a_dialect_could_not_carry_comes_back_to_its_maker():
    turns = Turns()
    thought = Thinking(text="Hm", opaque=Opaque("anthropic", "sig"))
    call = ToolCall(id="t1", name="f", arguments="{}")
    turns.remember("", "claude", ["t1"], (thought, call))
    said = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [said]},
                {"role": "tool", "tool_call_id": "t1", "content": "42"}]  # fmt: skip

    sending, _ = _road(turns=turns, messages=messages)

    content = json.loads(sending.body)["messages"][1]["content"]
    assert content[0] == {"type": "thinking", "thinking": "Hm", "signature": "sig"}


def test_nothing_is_known_of_a_call_unless_somebody_remembers():
    call = Call(name="m")

    assert call.recall("t1") is None
    assert call.quirks == Quirks()
