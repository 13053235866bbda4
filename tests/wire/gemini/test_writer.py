"""Answers in Gemini's shape: events, an array, or whole."""

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
from larouter.wire import sse
from larouter.wire.gemini import read_request
from larouter.wire.gemini.signature import sign
from larouter.wire.gemini.writer import GeminiWriter

FOREIGN = Opaque("anthropic", "ErUB+/==")
USAGE = Usage(input=3, cache_read=2, output=9, reasoning=4)
STARTED = Started("r1", "m1")
TEXT = [STARTED, TextDelta("Grü"), TextDelta('ße "\n')]
THOUGHT = [
    STARTED,
    ThinkingDelta("hm"),
    Sealed(FOREIGN, id="rs_1"),
    Sealed(FOREIGN, hidden=True),
    TextDelta("Hi"),
    Sealed(FOREIGN),
]
CALLS = [
    STARTED,
    TextDelta("wait"),
    ToolStart(0, "c0", "f", FOREIGN),
    ToolStart(1, "c1", "g"),
    ToolDelta(0, '{"a": 18446744073709551615'),
    ToolDelta(1, ""),
    ToolDelta(0, "}"),
    ToolStart(2, "c2", "h", custom=True),
    ToolDelta(2, "plain"),
]


def writer(sse=True):
    body = b'{"contents": {"parts": {"text": "Hi"}}}'
    return GeminiWriter(read_request(body, model="auto", stream=True, sse=sse))


def streamed(events, finished=Finished("stop", USAGE)):  # noqa: B008
    """Every chunk of a stream in which each event comes alone."""
    writing = writer()
    data = b"".join(writing.write([event]) for event in events) + writing.finish(finished)
    return [json.loads(frame[6:]) for frame in sse.split(data)]


def parts_of(chunks):
    return [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]


def whole(events, finished=Finished("stop", USAGE)):  # noqa: B008
    return json.loads(writer().whole(Folded(events), finished))


def test_each_text_leaves_at_once():
    writing = writer()

    assert writing.write([STARTED]) == b""
    assert json.loads(writing.write([TextDelta("a")])[6:]) == {
        "candidates": [
            {"content": {"parts": [{"text": "a"}], "role": "model"}, "index": 0}
        ],
        "modelVersion": "m1",
        "responseId": "r1",
    }  # fmt: skip


def test_the_last_chunk_has_reason_and_usage():
    *chunks, last = streamed(TEXT)

    assert [part["text"] for part in parts_of(chunks)] == ["Grü", 'ße "\n']
    assert last["candidates"][0]["finishReason"] == "STOP"
    assert last["usageMetadata"] == {
        "promptTokenCount": 5, "cachedContentTokenCount": 2, "candidatesTokenCount": 5,
        "thoughtsTokenCount": 4, "totalTokenCount": 14,
    }  # fmt: skip
    assert (last["responseId"], last["modelVersion"]) == ("r1", "m1")


def test_what_comes_together_is_one_chunk():
    data = writer().write([STARTED, TextDelta("a"), ThinkingDelta("b")])

    assert parts_of([json.loads(data[6:])]) == [{"text": "a"}, {"text": "b", "thought": True}]


def test_signatures_are_carried_with_what_they_sign():
    assert parts_of(streamed(THOUGHT)) == [
        {"text": "hm", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": sign(FOREIGN, "rs_1")},
        {"text": "", "thought": True, "thoughtSignature": sign(FOREIGN)},
        {"text": "Hi"},
        {"text": "", "thoughtSignature": sign(FOREIGN)},
        {"text": ""},
    ]
    assert parts_of([whole(THOUGHT)]) == [
        {"text": "hm", "thought": True, "thoughtSignature": sign(FOREIGN, "rs_1")},
        {"text": "", "thought": True, "thoughtSignature": sign(FOREIGN)},
        {"text": "Hi", "thoughtSignature": sign(FOREIGN)},
    ]


CALLED = [
    {"text": "wait"},
    {
        "functionCall": {"id": "c0", "name": "f", "args": {"a": 18446744073709551615}},
        "thoughtSignature": sign(FOREIGN),
    },
    {"functionCall": {"id": "c1", "name": "g", "args": {}}},
    {"functionCall": {"id": "c2", "name": "h", "args": {"input": "plain"}}},
]


def test_calls_are_written_whole():
    chunks = streamed(CALLS, Finished("tool_calls", USAGE))

    assert parts_of(chunks) == CALLED
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert parts_of([whole(CALLS)]) == CALLED


def test_what_is_said_after_a_call_comes_after_it():
    chunks = streamed([*CALLS, TextDelta("so"), ToolStart(3, "c3", "f"), RefusalDelta("no")])

    assert parts_of(chunks)[: len(CALLED) + 1] == [*CALLED, {"text": "so"}]
    assert parts_of(chunks)[-3:] == [
        {"functionCall": {"id": "c3", "name": "f", "args": {}}}, {"text": "no"}, {"text": ""},
    ]  # fmt: skip


def test_a_call_after_a_thought_ends_it():
    parts = parts_of(streamed([ThinkingDelta("hm"), ToolStart(0, "c", "f"), Sealed(FOREIGN)]))

    assert parts[-2] == {"text": "", "thoughtSignature": sign(FOREIGN)}


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]"])
@pytest.mark.parametrize(
    ("reason", "written"), [("tool_calls", "MALFORMED_FUNCTION_CALL"), ("length", "MAX_TOKENS")]
)
@pytest.mark.parametrize("form", [streamed, lambda *given: [whole(*given)]])
def test_a_call_that_no_program_could_make_is_not_written(arguments, reason, written, form):
    events = [STARTED, ToolStart(0, "c", "f"), ToolDelta(0, arguments)]

    *_, last = form(events, Finished(reason, USAGE))

    candidate = last["candidates"][0]
    assert "functionCall" not in json.dumps(candidate["content"])
    assert candidate["finishReason"] == written
    assert arguments in candidate["finishMessage"]


@pytest.mark.parametrize(
    ("reason", "written"),
    [
        ("stop", "STOP"), ("stop_sequence", "STOP"), ("length", "MAX_TOKENS"),
        ("tool_calls", "STOP"), ("refusal", "SAFETY"), ("pause", "STOP"),
    ],
)  # fmt: skip
def test_every_reason_has_googles_word(reason, written):
    assert streamed(TEXT, Finished(reason))[-1]["candidates"][0]["finishReason"] == written
    assert whole(TEXT, Finished(reason))["candidates"][0]["finishReason"] == written


@pytest.mark.parametrize("form", [streamed, lambda *given: [whole(*given)]])
def test_a_refusal_is_said_and_named(form):
    events = [STARTED, RefusalDelta("I ca"), RefusalDelta("n't.")]

    chunks = form(events, Finished("refusal", USAGE))

    assert "".join(part["text"] for part in parts_of(chunks)) == "I can't."
    assert chunks[-1]["candidates"][0]["finishMessage"] == "I can't."
    assert chunks[-1]["candidates"][0]["finishReason"] == "SAFETY"


def test_the_end_is_no_part():
    assert writer().write([Finished("stop")]) == b""


def test_an_answer_without_an_id_gets_one():
    assert len(whole([Started(None, None)])["responseId"]) == 32


def test_a_heartbeat_is_a_chunk_that_says_nothing():
    writing, growing = writer(), writer(sse=False)
    writing.write([STARTED])
    growing.write([STARTED])

    beat = json.loads(writing.heartbeat[6:])
    assert parts_of([beat]) == [{"text": ""}]
    assert beat["responseId"] == "r1"
    assert growing.heartbeat == b""


def test_an_array_grows_and_is_closed():
    writing = writer(sse=False)
    pieces = [writing.write([event]) for event in TEXT]

    assert pieces[1].startswith(b"[{")
    assert pieces[2].startswith(b",\r\n{")
    chunks = json.loads(b"".join(pieces) + writing.finish(Finished("stop", USAGE)))
    assert [part["text"] for part in parts_of(chunks)] == ["Grü", 'ße "\n', ""]


def test_a_broken_stream_ends_with_an_error():
    writing = writer()
    writing.write(TEXT)

    error = json.loads(writing.broken(UpstreamError("It broke."))[6:])["error"]

    assert (error["code"], error["message"]) == (502, "It broke.")


@pytest.mark.parametrize("events", [[], TEXT])
def test_a_broken_array_is_an_array_still(events):
    writing = writer(sse=False)

    *_, last = json.loads(writing.write(events) + writing.broken(UpstreamError("It broke.")))

    assert last["error"]["status"] == "UNAVAILABLE"


def test_a_call_that_was_complete_cannot_go_on():
    writing = writer()
    writing.write([STARTED, ToolStart(0, "c0", "f"), TextDelta("and then")])

    with pytest.raises(UpstreamError):
        writing.write([ToolDelta(0, "{}")])
