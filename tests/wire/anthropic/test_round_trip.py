"""What is said on one side arrives on the other: text, tools, thoughts, usage."""

import json

from anthropic.types import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Text, Thinking, ToolCall, ToolResult, Turn
from larouter.core.events import (
    Finished,
    Folded,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire.anthropic import DIALECT
from larouter.wire.anthropic.reader import Reader
from larouter.wire.anthropic.writer import Writer
from tests.wire.anthropic.examples import OLDER, folded, frames, message_of, request, talk, written

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
IDS = st.text("abcXYZ019_-", min_size=1, max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
CALLS = st.builds(
    ToolCall,
    id=IDS,
    name=IDS,
    arguments=st.dictionaries(WORDS, VALUES, max_size=3).map(
        lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    ),
)
SIGNED = st.builds(
    Thinking, text=WORDS, opaque=st.builds(Opaque, st.just("anthropic"), IDS), id=st.none()
)
FOREIGN = st.builds(
    Thinking,
    text=WORDS,
    opaque=st.builds(Opaque, st.sampled_from(["gemini", "responses"]), IDS),
    id=st.none() | IDS,
)
TEXTS = st.builds(Text, text=WORDS, opaque=st.none())
USAGES = st.builds(
    Usage,
    input=st.integers(0, 10**6),
    cache_read=st.integers(0, 10**6),
    cache_write_5m=st.integers(0, 10**6),
    cache_write_1h=st.just(0),
    output=st.integers(10, 10**6),
    reasoning=st.integers(0, 10),
)


@st.composite
def answers(draw, thoughts):
    """Thoughts, words, calls with ids of their own."""
    calls = draw(st.lists(CALLS, max_size=3, unique_by=lambda call: call.id))
    return (*draw(st.lists(thoughts, max_size=2)), *draw(st.lists(TEXTS, max_size=1)), *calls)


def _events(parts):
    calls = 0
    for part in parts:
        match part:
            case Text():
                yield from map(TextDelta, part.text)
            case Thinking():
                yield from map(ThinkingDelta, part.text)
                assert part.opaque
                yield Sealed(part.opaque, id=part.id)
            case ToolCall():
                yield ToolStart(calls, part.id, part.name)
                yield from (ToolDelta(calls, piece) for piece in part.arguments)
                calls += 1


@settings(max_examples=60, deadline=None)
@given(answers(SIGNED | FOREIGN), USAGES)
def test_an_answer_arrives_whole_and_in_pieces(parts, usage):
    asked = request(thinking={"type": "adaptive"})
    events = [Started("1", "m"), *_events(parts)]
    finished = Finished("tool_calls", usage)
    writer = Writer(asked)

    stream = b"".join(writer.write([event]) for event in events) + writer.finish(finished)
    body = json.loads(Writer(asked).whole(Folded(events), finished))

    assert message_of(stream)["content"] == body["content"]
    for message in (body, message_of(stream)):
        Message.model_validate(message)
        back = DIALECT.conversation(
            request(messages=[{"role": "assistant", "content": message["content"] or "…"}])
        )
        assert back.turns[0].parts == (parts or (Text(text="…"),))


@settings(max_examples=60, deadline=None)
@given(answers(SIGNED), USAGES)
def test_what_we_write_our_reader_understands(parts, usage):
    asked = request(thinking={"type": "adaptive"})
    finished = Finished("tool_calls", usage)
    writer = Writer(asked)
    stream = writer.write([Started("1", "m"), *_events(parts)]) + writer.finish(finished)

    answer, found = folded(Reader(), stream)

    assert answer.parts == parts
    assert found == replace(finished, usage=replace(usage, service="standard"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(TEXTS, min_size=1, max_size=2), answers(SIGNED)), max_size=3))
def test_a_conversation_comes_back_from_what_anthropic_gets(said):
    turns = []
    for words, parts in said:
        results = tuple(
            ToolResult(call_id=part.id, parts=(Text(text="42"),))
            for part in parts
            if isinstance(part, ToolCall)
        )
        turns += [Turn("user", tuple(words)), Turn("assistant", parts or (Text(text="…"),))]
        turns.append(Turn("user", (*results, Text(text="Well?"))))

    body = written(talk(*turns, tools=(), max_output=100), OLDER)

    merged = DIALECT.conversation(request(**body)).turns
    assert [part for turn in merged for part in turn.parts] == [
        part for turn in talk(*turns).turns for part in turn.parts
    ]


def test_every_event_is_one_that_anthropics_sdk_knows():
    asked = request(thinking={"type": "adaptive"})
    writer = Writer(asked)
    parts = (Thinking(text="Hm", opaque=Opaque("gemini", "x")), Text(text="Hi"))
    events = [Started("1", "m"), *_events(parts), ToolStart(0, "t", "f"), ToolDelta(0, "{}")]
    stream = writer.write(events) + writer.finish(Finished("tool_calls", Usage()))

    kinds = [frame["type"] for frame in frames(stream)]

    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert set(kinds[1:-2]) == {
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    }
