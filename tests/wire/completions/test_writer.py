"""Answers for clients that ask for legacy completions."""

import json

from hypothesis import given
from hypothesis import strategies as st

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Folded,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
)
from larouter.wire import sse
from larouter.wire.chat import reader
from larouter.wire.completions import DIALECT, WIRE
from larouter.wire.completions.request import read_request
from larouter.wire.road import Call, Translation

_USAGE = Usage(input=3, cache_read=1, output=2)


def _asked(prompt="Once", **fields):
    return read_request(json.dumps({"model": "auto", "prompt": prompt, **fields}).encode())


def _writer(**fields):
    return DIALECT.writer(_asked(**fields))


def _chunks(stream):
    data = [sse.data_of(event) for event in sse.split(stream)]
    return [json.loads(found) for found in data if found and found != b"[DONE]"]


def test_a_stream_is_chunks_with_one_id():
    writer = _writer()

    stream = writer.write([Started("x", "m"), TextDelta("Hi "), TextDelta("you")])
    stream += writer.finish(Finished("length", _USAGE))
    chunks = _chunks(stream)

    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        ("cmpl-x", "text_completion", "m")
    }
    assert [chunk["choices"][0] for chunk in chunks] == [
        {"text": "Hi ", "index": 0, "logprobs": None, "finish_reason": None},
        {"text": "you", "index": 0, "logprobs": None, "finish_reason": None},
        {"text": "", "index": 0, "logprobs": None, "finish_reason": "length"},
    ]
    assert stream.endswith(b"data: [DONE]\n\n")
    assert not any("usage" in chunk for chunk in chunks)


def test_usage_comes_last_for_those_who_ask():
    last = _chunks(_writer(stream_options={"include_usage": True}).finish(Finished("stop", _USAGE)))

    assert last[-1]["choices"] == []
    assert last[-1]["usage"]["prompt_tokens"] == 4


def test_while_a_model_thinks_nothing_is_said():
    writer = _writer()

    assert writer.write([ThinkingDelta("Hm")]) == writer.heartbeat == b": \n\n"


def test_a_whole_answer_is_one_object():
    events: list[Event] = [
        Started("x", "m"),
        ThinkingDelta("Hm"),
        TextDelta("No"),
        RefusalDelta("!"),
    ]

    whole = json.loads(_writer().whole(Folded(events), Finished("refusal", _USAGE)))

    assert whole["choices"] == [
        {"text": "No!", "index": 0, "logprobs": None, "finish_reason": "content_filter"}
    ]
    assert (whole["object"], whole["usage"]["total_tokens"]) == ("text_completion", 6)


def test_a_stream_that_breaks_ends_with_an_error():
    broken = _writer().broken(UpstreamError("Gone."))

    assert _chunks(broken)[0]["error"]["message"] == "Gone."


@given(
    prompt=st.text(min_size=1),
    pieces=st.lists(st.text(min_size=1), min_size=1),
    prompt_tokens=st.integers(0, 10**6),
    output=st.integers(0, 10**6),
)
def test_text_and_usage_survive_the_way_there_and_back(prompt, pieces, prompt_tokens, output):
    request = _asked(prompt, stream_options={"include_usage": True})
    sent = json.loads(WIRE.write(DIALECT.conversation(request), Call(name="m", stream=True)).body)
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": output}
    choices: list[dict] = [{"delta": {"content": piece}} for piece in pieces]
    choices.append({"delta": {}, "finish_reason": "stop"})
    events = [{"choices": [choice]} for choice in choices] + [{"choices": [], "usage": usage}]
    answer = b"".join(sse.write(json.dumps(event).encode()) for event in events)

    road = Translation(reader.Reader(), DIALECT.writer(request))
    chunks = _chunks(road.feed(answer) + road.finish(prompt_tokens=0))

    assert sent["prompt"] == prompt
    assert "".join(c["choices"][0]["text"] for c in chunks if c["choices"]) == "".join(pieces)
    assert chunks[-1]["usage"]["prompt_tokens"] == prompt_tokens
    assert chunks[-1]["usage"]["completion_tokens"] == output
