"""Gemini's answers as events, however their bytes are cut."""

import json
from pathlib import Path

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Text, Thinking, ToolCall
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
from larouter.wire.gemini.reader import GeminiReader

STREAMS = Path(__file__).parent.parent / "streams" / "gemini"
ID, MODEL = "w8chaeyMKd2vkdUP0Z-u4A", "gemini-4-argon"


def stream(name):
    return (STREAMS / f"{name}.sse").read_bytes()


def read(*pieces):
    splitter, reader, events = sse.EventSplitter(), GeminiReader(), []
    for piece in pieces:
        events += reader.feed(splitter.feed(piece))
    return [*events, reader.end()]


def frame(*parts, **candidate):
    chunk = {"candidates": [{"content": {"parts": list(parts)}, **candidate}]}
    return sse.write(json.dumps(chunk).encode())


def answer(*parts, reason="STOP", **fields):
    candidate = {"content": {"parts": list(parts), "role": "model"}, "finishReason": reason}
    return json.dumps({"candidates": [candidate], **fields}).encode()


TEXT = [
    Started(ID, MODEL, 31),
    ThinkingDelta("**Greeting**\n\nThe user says hello."),
    TextDelta("Grüße"),
    TextDelta(" aus 東京 🗼"),
    Sealed(Opaque("gemini", "EpQDCpEDAVqXyt4+/a==")),
    Finished("stop", Usage(input=23, cache_read=8, output=33, reasoning=24)),
]
TOOLS = [
    Started(ID, MODEL, 31),
    ThinkingDelta("I look."),
    ToolStart(0, "fc-1", "weather", Opaque("gemini", "CiQBVKhc7gX/+A==")),
    ToolDelta(0, '{"city": "Köln", "days": 18446744073709551615}'),
    ToolStart(1, f"call_{ID}_1", "clock"),
    Finished("tool_calls", Usage(input=31, output=31, reasoning=11)),
]
LATE = [
    Started(ID, MODEL, 31),
    TextDelta("One"),
    TextDelta(" two"),
    Finished("length", Usage(input=31, output=3)),
]
BLOCKED = [
    Started(ID, MODEL, 31),
    RefusalDelta("The prompt was blocked: PROHIBITED_CONTENT."),
    Finished("refusal", Usage(input=31)),
]
RECORDED = [("plain", TEXT), ("tools", TOOLS), ("late", LATE),
            ("blocked", BLOCKED)]  # fmt: skip


@pytest.mark.parametrize(("name", "events"), RECORDED)
def test_a_recorded_stream_is_read(name, events):
    assert read(stream(name)) == events


@pytest.mark.parametrize(("name", "events"), RECORDED)
def test_a_stream_reads_the_same_wherever_it_is_cut(name, events):
    data = stream(name)

    for cut in range(1, len(data)):
        assert read(data[:cut], data[cut:]) == events
    assert read(*(data[at : at + 1] for at in range(len(data)))) == events


@pytest.mark.parametrize(("name", "events"), RECORDED)
def test_the_line_ends_do_not_matter(name, events):
    assert read(stream(name).replace(b"\r\n", b"\n")) == events


def test_a_comment_is_no_event():
    assert read(b": wait\n\n", frame({"text": "a"}, finishReason="STOP"))[1:] == [
        TextDelta("a"),
        Finished("stop"),
    ]


def test_a_whole_answer_is_read():
    body = answer(
        {"text": "hm", "thought": True, "thoughtSignature": "s1"},
        {"text": "Hello", "thoughtSignature": "s2"},
        {"functionCall": {"name": "f", "args": None}},
        responseId="r", modelVersion="m", usageMetadata={"promptTokenCount": 3},
    )  # fmt: skip

    folded = Folded(GeminiReader().whole(body))

    assert folded.parts == (
        Thinking(text="hm", opaque=Opaque("gemini", "s1")),
        Text(text="Hello", opaque=Opaque("gemini", "s2")),
        ToolCall(id="call_r_0", name="f", arguments="{}"),
    )
    assert folded.finished == Finished("tool_calls", Usage(input=3))


def test_a_whole_answer_may_leave_its_reason_out():
    assert GeminiReader().whole(b'{"candidates": [{}]}')[-1] == Finished("stop")


def test_a_thought_may_be_hidden():
    events = GeminiReader().whole(answer({"thought": True, "thoughtSignature": "s"}))

    assert events[1] == Sealed(Opaque("gemini", "s"), hidden=True)


def test_ids_that_are_left_out_differ_from_answer_to_answer():
    body = answer({"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}})

    ids = [
        event.id
        for _ in range(2)
        for event in GeminiReader().whole(body)
        if type(event) is ToolStart
    ]

    assert len(set(ids)) == 4


def test_one_answer_of_several_is_read():
    other = {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "SAFETY"}
    first = {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}
    body = json.dumps({"candidates": [other, first]}).encode()

    assert GeminiReader().whole(body)[1:] == [TextDelta("a"), Finished("stop")]


def test_a_refusal_says_why_if_google_does():
    events = GeminiReader().whole(
        b'{"candidates": [{"finishReason": "SAFETY", "finishMessage": "Not this."}]}'
    )

    assert events[1:] == [RefusalDelta("Not this."), Finished("refusal")]


def test_a_blocked_prompt_says_why_if_google_does():
    body = b'{"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "Not this."}}'

    assert GeminiReader().whole(body)[1] == RefusalDelta("Not this.")


def test_a_picture_is_no_text():
    body = answer({"inlineData": {"mimeType": "image/png", "data": "A"}})

    with pytest.raises(UpstreamError, match="a file"):
        GeminiReader().whole(body)


@pytest.mark.parametrize("part", [{}, {"text": ""}, {"executableCode": {"code": "1"}}])
def test_a_part_that_says_nothing_is_passed_over(part):
    assert GeminiReader().whole(answer(part))[1:] == [Finished("stop")]


def test_a_stream_without_an_end_is_cut():
    with pytest.raises(UpstreamError, match="broke off"):
        read(frame({"text": "a"}))


@pytest.mark.parametrize(
    "data", [b"data: <html>\n\n", b'data: {"error": {"code": 500, "message": "x"}}\r\n\r\n']
)
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(UpstreamError):
        read(data)
