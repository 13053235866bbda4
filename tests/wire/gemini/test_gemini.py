"""Both directions at once: what is written Google takes, and what is answered arrives."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larouter.core.chat import Usage
from larouter.core.conversation import (
    Conversation,
    Format,
    Opaque,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.core.events import Folded
from larouter.wire import sse
from larouter.wire.gemini import DIALECT, WIRE, read_request
from larouter.wire.losses import refuse_what_is_lost
from larouter.wire.road import Call, Translation
from tests.clouds import gemini_rules
from tests.clouds.gemini_messages import Reader
from tests.clouds.signatures import Signatures

MODELS = ("gemini-4-argon", "gemini-3.8-flash", "gemini-2.5-pro")
TEXTS = st.text(min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=5,
)
ARGUMENTS = st.dictionaries(st.text(max_size=4), JSON, max_size=3)
NAMES = st.sampled_from(["weather", "mcp__files__read", "a.b-c"])
SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string"}, {"const": 1}, {"type": ["string", "null"], "enum": ["a", None]},
            {"type": "integer", "maximum": 2**64 - 1, "exclusiveMinimum": 0}, {"$ref": "#/$defs/d"},
        ]
    ),
    lambda inner: st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=2)},
        optional={"additionalProperties": st.booleans(), "required": st.just(["weather"])},
    ) | st.fixed_dictionaries({"type": st.just("array"), "items": inner})
    | st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=2)}),
    max_leaves=4,
)  # fmt: skip
SIGNATURES = Signatures()
MAKERS = st.sampled_from(
    [None, Opaque("anthropic", "ErUB"), Opaque("gemini", SIGNATURES.issue("thought"))]
)


@st.composite
def steps(draw, number):
    """An assistant's turn, and the results of what it called."""
    names = draw(st.lists(NAMES, max_size=2))
    calls = [
        ToolCall(
            id=f"call_{number}_{at}",
            name=name,
            arguments=json.dumps(draw(ARGUMENTS)),
            opaque=draw(MAKERS) if at == 0 else None,
        )
        for at, name in enumerate(names)
    ]
    thought = Thinking(text=draw(TEXTS), opaque=draw(MAKERS))
    said = Text(text=draw(TEXTS), opaque=draw(MAKERS))
    results = tuple(
        ToolResult(call_id=call.id, parts=(Text(text=draw(TEXTS)),), is_error=draw(st.booleans()))
        for call in reversed(calls)
    )
    return (
        Turn("assistant", (thought, said, *calls)),
        Turn("user", results or (Text(text=draw(TEXTS)),)),
    )


@st.composite
def conversations(draw):
    turns = [Turn("user", (Text(text=draw(TEXTS)),))]
    for number in range(draw(st.integers(0, 2))):
        turns += draw(steps(number))
    schema = {"type": "object", "properties": {"p": draw(SCHEMAS)}, "$defs": {"d": draw(SCHEMAS)}}
    choice = draw(
        st.sampled_from([None, ToolChoice(mode="auto"), ToolChoice(mode="named", name="weather")])
    )
    return Conversation(
        turns=(*draw(st.lists(st.just(Turn("system", (Text(text="s"),))), max_size=1)), *turns),
        tools=(Tool(name="weather", parameters=schema),) if choice else (),
        tool_choice=choice,
        format=None if choice else draw(st.sampled_from([None, Format(), Format(schema=schema)])),
        effort=draw(st.sampled_from([None, "none", "medium", "max"])),
        temperature=draw(st.none() | st.floats(0, 2)),
        max_output=draw(st.none() | st.integers(1, 9)),
    )


@settings(deadline=None, max_examples=80)
@given(conversations(), st.sampled_from(MODELS))
def test_google_takes_every_conversation(conversation, model):
    body = json.loads(WIRE.write(conversation, Call(name=model)).body)

    reader = Reader()
    request = reader.read(body, "GenerateContent")
    assert reader.problems == []
    gemini_rules.check(request, model, SIGNATURES)


PIECES = st.lists(TEXTS, max_size=3)
COUNTS = st.integers(0, 10**6)


@st.composite
def answers(draw):
    """What Google says, as parts, and what it counts."""
    parts = [{"text": text, "thought": True} for text in draw(PIECES)]
    parts += [{"text": text} for text in draw(PIECES)]
    for at, name in enumerate(draw(st.lists(NAMES, max_size=2))):
        parts.append({"functionCall": {"id": f"c{at}", "name": name, "args": draw(ARGUMENTS)}})
    usage = {"promptTokenCount": draw(COUNTS), "candidatesTokenCount": draw(COUNTS)}
    return parts or [{"text": ""}], {**usage, "thoughtsTokenCount": draw(COUNTS)}


def chunks_of(parts, usage):
    candidates = [{"content": {"parts": [part], "role": "model"}, "index": 0} for part in parts]
    candidates[-1]["finishReason"] = "STOP"
    rest = {"usageMetadata": usage, "responseId": "r", "modelVersion": "m"}
    return [{"candidates": [candidate], **rest} for candidate in candidates]


def said(parts):
    """Texts, thoughts and calls, each together."""
    return (
        "".join(part["text"] for part in parts if "text" in part and not part.get("thought")),
        "".join(part["text"] for part in parts if part.get("thought")),
        [part["functionCall"] for part in parts if "functionCall" in part],
    )


def road():
    body = b'{"contents": {"parts": {"text": "Hi"}}}'
    return Translation(WIRE.reader(), DIALECT.writer(read_request(body, model="auto", stream=True)))


@settings(deadline=None, max_examples=80)
@given(answers())
def test_an_answer_arrives_whole_and_streamed(answer):
    parts, usage = answer
    data = b"".join(sse.write(json.dumps(chunk).encode()) for chunk in chunks_of(parts, usage))
    body = chunks_of(parts[-1:], usage)[0]
    body["candidates"][0]["content"]["parts"] = parts

    streaming = road()
    streamed = streaming.feed(data) + streaming.finish(prompt_tokens=0)
    *_, last = chunks = [json.loads(sse.data_of(event)) for event in sse.split(streamed)]
    whole = json.loads(road().whole(json.dumps(body).encode(), prompt_tokens=0))

    arrived = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    assert said(arrived) == said(parts) == said(whole["candidates"][0]["content"]["parts"])
    for counted in (last["usageMetadata"], whole["usageMetadata"]):
        total = counted.pop("totalTokenCount")
        assert {"thoughtsTokenCount": 0, **counted} == usage
        assert total == sum(usage.values())


def test_the_heart_beats_while_google_says_nothing():
    translation = road()
    translation.feed(sse.write(json.dumps(chunks_of([{"text": "a"}], {})[0]).encode()))

    assert translation.feed(b": wait\n\n").startswith(b"data: {")
    assert not translation.done


def test_what_a_client_sends_back_is_what_the_model_said():
    events = WIRE.reader().whole(
        json.dumps(chunks_of([{"functionCall": {"id": "1", "name": "f"}}], {})[0]).encode()
    )
    answer = json.loads(road().whole(json.dumps(chunks_of([{"text": "a"}], {})[0]).encode(),
                                     prompt_tokens=1))  # fmt: skip

    contents = [
        {"role": "user", "parts": [{"text": "Hi"}]},
        answer["candidates"][0]["content"],
        {"role": "user", "parts": [{"text": "b"}]},
    ]
    request = read_request(json.dumps({"contents": contents}).encode(), model="auto")

    assert DIALECT.conversation(request).turns[1] == Turn("assistant", (Text(text="a"),))
    assert Folded(events).call_ids == ["1"]
    assert answer["usageMetadata"]["promptTokenCount"] == 1


@pytest.mark.parametrize("loss", [row for row in DIALECT.losses if row.becomes == "refused"])
def test_what_only_google_has_is_refused(loss):
    conversation = Conversation(turns=(), extra={loss.field: {"any": "thing"}})

    with pytest.raises(CannotCarry) as caught:
        refuse_what_is_lost(conversation, DIALECT, WIRE)

    assert caught.value.param == loss.field


@pytest.mark.parametrize("row", [DIALECT, WIRE])
def test_the_rows_have_one_name(row):
    assert row.name == "gemini"


def test_usage_is_the_same_on_both_roads():
    usage = {"promptTokenCount": 9, "cachedContentTokenCount": 4, "candidatesTokenCount": 2}
    body = json.dumps(chunks_of([{"text": "a"}], usage)[0]).encode()
    request = read_request(b'{"contents": {"parts": {"text": "Hi"}}}', model="auto")
    relay, translation = WIRE.relay(request), road()

    relay.whole(body, prompt_tokens=0)
    translation.whole(body, prompt_tokens=0)

    assert relay.usage == translation.usage == Usage(input=5, cache_read=4, output=2)
