"""Whatever is said survives both ways: by our wire to OpenAI, by our dialect to a client."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from larouter.core.chat import Usage
from larouter.core.conversation import (
    Conversation,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
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
from larouter.wire import sse
from larouter.wire.responses.conversation import conversation
from larouter.wire.responses.outbound import write
from larouter.wire.responses.reader import Reader
from larouter.wire.responses.writer import Writer
from larouter.wire.road import Call
from tests.wire.responses.answers import asked

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
sealed = st.from_regex(r"[A-Za-z0-9+/]{1,20}={0,2}", fullmatch=True)
makers = st.sampled_from(["responses", "anthropic", "gemini", "chat"])
opaques = st.none() | st.builds(Opaque, makers, sealed)
said = st.builds(lambda text: Text(text=text), words)
thoughts = st.builds(lambda text, opaque: Thinking(text=text, opaque=opaque), words, opaques)
calls = st.builds(
    lambda place, arguments, opaque, custom: ToolCall(
        id=f"call_{place}", name="f", arguments=arguments, opaque=opaque, custom=custom
    ),
    st.integers(0, 10**9),
    words,
    opaques,
    st.booleans(),
)
usages = st.builds(
    Usage, input=st.integers(0, 9), cache_read=st.integers(0, 9), output=st.integers(0, 9)
)


@st.composite
def answers(draw):
    """Parts as a model says them: no two of words or of thoughts in a row, no call twice."""
    parts = draw(st.lists(said | thoughts | calls, min_size=1, max_size=6))
    kept: list[Any] = []
    ids = set()
    for part in parts:
        if kept and type(part) is type(kept[-1]) and not isinstance(part, ToolCall):
            continue
        if isinstance(part, ToolCall) and part.id in ids:
            continue
        ids.add(getattr(part, "id", None))
        kept.append(part)
    return tuple(kept)


def replay(parts):
    """The events of these parts, each text in pieces."""
    for index, part in enumerate(parts):
        if isinstance(part, ToolCall):
            yield ToolStart(index, part.id, part.name, part.opaque, part.custom)
            yield from (ToolDelta(index, piece) for piece in part.arguments)
        elif isinstance(part, Text):
            yield from (TextDelta(piece) for piece in part.text)
        else:
            yield from (ThinkingDelta(piece) for piece in part.text)
            if part.opaque is not None:
                yield Sealed(part.opaque)


def without_ids(parts):
    return tuple(
        Thinking(text=part.text, opaque=part.opaque) if isinstance(part, Thinking) else part
        for part in parts
    )


@settings(max_examples=80, deadline=None)
@given(answers(), usages)
def test_what_a_client_gets_it_can_give_back(parts, usage):
    writer = Writer(asked())
    stream = writer.write([Started("r", "m"), *replay(parts)])
    stream += writer.finish(Finished("stop", usage))
    final = json.loads(sse.data_of(sse.split(stream)[-1]))["response"]
    turns = conversation(asked(final["output"])).turns

    assert turns[0].role == "assistant"
    assert without_ids(turns[0].parts) == parts
    assert final["usage"]["total_tokens"] == usage.prompt + usage.output


@settings(max_examples=80, deadline=None)
@given(answers(), usages)
def test_what_is_written_is_read_again(parts, usage):
    """Our dialect's stream is our wire's too: what the writer says, the reader understands."""
    writer, reader = Writer(asked()), Reader()
    told = [part for part in parts if not isinstance(part, ToolCall) or part.opaque is None]
    stream = writer.write([Started("r", "m"), *replay(told)])
    stream += writer.finish(Finished("stop", usage))
    answer = Folded(reader.feed(stream))
    finished = reader.end()

    calls = tuple(part for part in told if isinstance(part, ToolCall))
    assert tuple(part for part in answer.parts if isinstance(part, ToolCall)) == calls
    assert finished.usage == usage
    assert finished.reason == ("tool_calls" if calls else "stop")
    for kind in (Text, Thinking):
        spoken = "".join(part.text for part in told if isinstance(part, kind))
        heard = "".join(part.text for part in answer.parts if isinstance(part, kind))
        assert heard.replace("\n\n", "") == spoken.replace("\n\n", "")


@settings(max_examples=80, deadline=None)
@given(answers())
def test_what_openai_is_sent_reads_the_same(parts):
    results = tuple(
        ToolResult(call_id=part.id, parts=(Text(text="ok"),))
        for part in parts
        if isinstance(part, ToolCall)
    )
    turns = (Turn("user", (Text(text="Hi"),)), Turn("assistant", parts), Turn("user", results))
    said = Conversation(turns=tuple(turn for turn in turns if turn.parts))
    body = json.loads(write(said, Call(name="gpt-6.1-terra")).body)
    heard = conversation(asked(body["input"])).turns

    assert tuple(part for turn in heard for part in turn.parts) == tuple(
        ToolCall(id=part.id, name=part.name, arguments=part.arguments, custom=part.custom)
        if isinstance(part, ToolCall)
        else part
        for turn in said.turns
        for part in turn.parts
        if not isinstance(part, Thinking) or (part.opaque and part.opaque.maker == "responses")
    )


def test_frames_are_whole_events():
    stream = Writer(asked()).write([Started("r", "m"), TextDelta("a\n\nb\r\n")])

    assert all(frame.endswith(b"\n\n") for frame in sse.split(stream))
    assert len(sse.split(stream)) == 5
