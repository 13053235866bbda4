"""Every client with every provider: what one says, the other hears."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from larouter.core.chat import Usage
from larouter.core.conversation import Text, Turn
from larouter.core.events import Folded
from larouter.core.turns import Turns
from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.road import open_road
from tests.wire._strategies import CUTS, WORDS, answers, pieces_of, talks
from tests.wire.formats import CALLS, read
from tests.wire.speakers import BODIES, heard, said

TALKING = [name for name in WIRES if name != "completions"]
PAIRS = [(name, wire) for name in DIALECTS if name != "completions" for wire in TALKING]
HI = (Turn("user", (Text(text="Hi"),)),)
# The reasons that a format has a word for. Without one an answer is simply over.
WORDS_FOR = {
    "chat": {"length", "tool_calls", "refusal"},
    "responses": {"length", "tool_calls", "refusal"},
    "completions": {"length", "refusal"},
    "anthropic": {"length", "tool_calls", "refusal", "stop_sequence", "pause"},
    "gemini": {"length", "tool_calls", "refusal"},
    "ollama": {"length", "tool_calls"},
}
pairs = pytest.mark.parametrize(("name", "wire"), PAIRS)
some = settings(max_examples=25, deadline=None)


def _asked(name, turns=HI, *, stream=False):
    return read(name, BODIES[name](turns), stream=stream)


def _road(name, wire, turns=HI, *, stream=False):
    asked = _asked(name, turns, stream=stream)
    return open_road(asked, CALLS[wire], DIALECTS[name], WIRES[wire], Turns())


@pairs
@some
@given(talks())
def test_a_conversation_arrives(name, wire, turns):
    sending, _ = _road(name, wire, turns)

    arrived = DIALECTS[wire].conversation(read(wire, json.loads(sending.body)))

    assert said(arrived.turns) == said(turns)
    asked = DIALECTS[name].conversation(_asked(name, turns))
    assert {tool.name for tool in arrived.tools} == {tool.name for tool in asked.tools}


@pytest.mark.parametrize("name", DIALECTS)
@some
@given(WORDS)
def test_a_single_text_arrives_where_there_are_no_turns(name, text):
    sending, _ = _road(name, "completions", (Turn("user", (Text(text=text),)),))

    assert json.loads(sending.body)["prompt"] == text


@pytest.mark.parametrize("wire", TALKING)
@some
@given(WORDS)
def test_a_prompt_arrives_as_what_the_user_says(wire, text):
    turns = (Turn("user", (Text(text=text),)),)

    sending, _ = _road("completions", wire, turns)

    assert DIALECTS[wire].conversation(read(wire, json.loads(sending.body))).turns == turns


def _writer(wire, *, stream):
    return DIALECTS[wire].writer(_asked(wire, stream=stream))


def _streamed(wire, answer):
    """A provider's stream, as this format's own writer says it."""
    writer = _writer(wire, stream=True)
    return b"".join(writer.write([event]) for event in answer.events) + writer.finish(
        answer.finished
    )


def _expected(reason, *formats):
    return reason if all(reason in WORDS_FOR[name] for name in formats) else "stop"


def _compare(found, answer, name, wire, road):
    assert found.text == answer.text
    assert found.thought == (answer.thought if name != "completions" else "")
    calls = [(call.id, call.name, json.loads(call.arguments)) for call in answer.calls]
    assert found.calls == calls
    assert road.call_ids == [call.id for call in answer.calls] or name == "ollama"
    assert found.reason == _expected(answer.finished.reason, name, wire)
    wanted = answer.finished.usage
    assert replace(road.usage, service=None) == wanted
    if name == "ollama":
        wanted = Usage(input=wanted.prompt, output=wanted.output)
    assert replace(found.usage, service=None) == wanted


@pairs
@some
@given(answers(), CUTS)
def test_a_streamed_answer_arrives(name, wire, answer, cuts):
    _, road = _road(name, wire, stream=True)

    out = b"".join(road.feed(piece) for piece in pieces_of(_streamed(wire, answer), cuts))
    out += road.finish(prompt_tokens=1)

    assert road.provider_id is not None
    _compare(heard(name, out, stream=True), answer, name, wire, road)


@pairs
@some
@given(answers())
def test_a_whole_answer_arrives(name, wire, answer):
    _, road = _road(name, wire)
    body = _writer(wire, stream=False).whole(Folded(answer.events), answer.finished)

    out = road.whole(body, prompt_tokens=1)

    _compare(heard(name, out, stream=False), answer, name, wire, road)


@pytest.mark.parametrize("wire", WIRES)
@some
@given(answers(with_calls=False), CUTS, st.booleans())
def test_an_answer_to_a_prompt_arrives(wire, answer, cuts, stream):
    _, road = _road("completions", wire, stream=stream)

    if stream:
        out = b"".join(road.feed(piece) for piece in pieces_of(_streamed(wire, answer), cuts))
        out += road.finish(prompt_tokens=1)
    else:
        body = _writer(wire, stream=False).whole(Folded(answer.events), answer.finished)
        out = road.whole(body, prompt_tokens=1)

    _compare(heard("completions", out, stream=stream), answer, "completions", wire, road)
