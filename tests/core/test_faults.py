"""What is wrong with an answer, and what is not: a false alarm costs a second answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.config import folder
from larouter.core.chat import Usage
from larouter.core.conversation import Conversation, Format, Tool, ToolCall, ToolChoice
from larouter.core.events import (
    Finished,
    Folded,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.core.faults import LOOP, SHORT, Faults, Heard, repeats

PHRASES = (folder("data") / "refusals.toml").read_text("utf-8")
OBJECT = {"type": "object", "required": ["city"]}
WEATHER = Tool(name="weather", parameters=OBJECT)


def _fits(schema, value):
    """All that these tests need of it."""
    return all(name in value for name in schema["required"])


@pytest.fixture
def faults():
    return Faults(PHRASES, _fits)


def _heard(*events, reason="stop", usage=None, **fields):
    finished = Finished(reason, usage)
    asked = Conversation(turns=(), **fields)
    return Heard(answer=Folded([*events, finished]), asked=asked, ended=True)


def _text(text, **fields):
    return _heard(TextDelta(text), **fields)


def _call(arguments="{}", name="weather", *, custom=False, **fields):
    events = (ToolStart(0, "call_1", name, None, custom), ToolDelta(0, arguments))
    return _heard(*events, reason="tool_calls", **fields)


def test_a_good_answer(faults):
    assert faults.of(_text("Four.")) is None


@pytest.mark.parametrize("events", [[], [TextDelta(" \n")], [ThinkingDelta("Hm.")]])
def test_an_empty_answer(faults, events):
    assert faults.of(_heard(*events)) == "empty"


def test_an_answer_that_may_be_empty(faults):
    assert faults.of(_heard(stop=("\n",))) is None


def test_an_answer_to_what_cannot_be_read(faults):
    cut = Folded([TextDelta("x"), Finished("length")])
    said = Folded([TextDelta("x"), Finished("stop")])
    empty = Folded([Finished("stop")])

    found = [faults.of(Heard(answer=answer, ended=True)) for answer in (cut, said, empty)]
    assert found == [None, None, "empty"]


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that.",
        "**I’m sorry, I cannot help with this request.**",
        "Unfortunately, I'm unable to provide that.",
        "Es tut mir leid, aber ich kann dir dabei nicht helfen.",
        "Je suis désolé, mais je ne peux pas répondre à cette question.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Mi dispiace, ma non posso aiutarti con questa richiesta.",
        "Desculpe, mas não posso ajudar com isso.",
        "К сожалению, я не могу помочь с этим.",  # noqa: RUF001
        "抱歉，我无法回答这个问题。",  # noqa: RUF001
        "申し訳ありませんが、お手伝いできません。",
    ],
)
def test_a_refusal_in_words(faults, text):
    assert faults.of(_text(text)) == "refused"


@pytest.mark.parametrize(
    "text",
    [
        "Sorry for the delay!",
        "I'm sorry, I can't come to your party on Saturday.",
        "I can't wait to see you.",
        "Es tut mir leid, dass ich zu spät bin.",
        "The model said: I can't assist with that.",
        "I can't help with the exact figure, but here is how to find it. " + "Ask them. " * 20,
    ],
)
def test_what_only_looks_like_a_refusal(faults, text):
    assert faults.of(_text(text)) is None


def test_every_phrase_is_short_and_plain(faults):
    for phrase in faults._refusals:
        assert 2 < len(phrase) < SHORT
        assert faults.of(_text(phrase)) == "refused"


def test_without_phrases_no_words_are_a_refusal():
    assert Faults().of(_text("I can't assist with that.")) is None


@pytest.mark.parametrize(
    "heard", [_text("No", reason="refusal"), _heard(RefusalDelta("No."), reason="stop")]
)
def test_a_refusal_that_is_called_one(faults, heard):
    assert faults.of(heard) == "refused"


@pytest.mark.parametrize(
    ("limit", "output", "fault"),
    [(None, 50, "cut"), (100, 50, "cut"), (50, 50, None), (50, 51, None), (50, None, None)],
)
def test_a_cut_answer_unless_the_client_wanted_it_so(faults, limit, output, fault):
    usage = None if output is None else Usage(output=output)

    assert faults.of(_text("Once", reason="length", usage=usage, max_output=limit)) == fault


def test_what_the_clients_limit_cut_may_be_anything(faults):
    for heard in (
        _heard(reason="length", max_output=1),
        _text('{"ci', reason="length", max_output=1, format=Format(schema=OBJECT)),
    ):
        assert faults.of(heard) is None


@pytest.mark.parametrize(
    ("text", "schema", "fault"),
    [
        ('{"city": "Rome"}', OBJECT, None),
        (' {"city": "Rome"}\n', OBJECT, None),
        ('{"town": "Rome"}', OBJECT, "malformed"),
        ('{"town": "Rome"}', None, None),
        ("[1]", None, "malformed"),
        ("[]", {"required": []}, None),
        ('{"city": "Rome"', OBJECT, "malformed"),
        ('```json\n{"city": "Rome"}\n```', OBJECT, "malformed"),
        ("\ud800", OBJECT, "malformed"),
        ("".join(f"[{number}," for number in range(100_000)), OBJECT, "malformed"),
    ],
)
def test_json_that_was_asked_for(faults, text, schema, fault):
    assert faults.of(_text(text, format=Format(schema=schema))) == fault


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        (_call('{"city": "Rome"}', tools=(WEATHER,)), None),
        (_call("{}", tools=(WEATHER,)), "malformed"),
        (_call('{"city"', tools=(WEATHER,)), "malformed"),
        (_call("{}", tools=(Tool(name="weather"),)), None),
        (_call("[]", tools=(Tool(name="weather"),)), "malformed"),
        (_call("{}", "wind", tools=(WEATHER,)), "malformed"),
        (_call("any text", tools=(Tool(name="weather", custom={}),)), None),
        (_call("any text", custom=True, tools=(WEATHER,)), None),
        (_call("{}", "built in"), None),
        (_call('{"city": 1}', tools=(WEATHER,), format=Format(schema=OBJECT)), None),
    ],
)
def test_a_call_of_a_tool(faults, heard, fault):
    assert faults.of(heard) == fault


@pytest.mark.parametrize(
    ("mode", "fault"),
    [("auto", None), ("none", None), ("required", "malformed"), ("named", "malformed")],
)
def test_a_call_that_was_demanded(faults, mode, fault):
    heard = _text("It is warm.", tools=(WEATHER,), tool_choice=ToolChoice(mode=mode))

    assert faults.of(heard) == fault


LINE = "Rome is the capital of Italy.\n"


@pytest.mark.parametrize(
    ("text", "is_loop"),
    [
        (LINE * 40, True),
        ("A good beginning. " + "the same " * 120, True),
        ("A good beginning." + "\n" * LOOP, True),
        (LINE * 5, False),
        ("".join(f"{number}. {LINE}" for number in range(60)), False),
        ("The end is another. " + LINE * 40 + "Good bye.", False),
        (("x" * 200 + "\n") * 10, False),
        ("".join(f"{number} " for number in range(1_000)), False),
    ],
)
def test_one_phrase_over_and_over(faults, text, is_loop):
    assert repeats(text) == is_loop
    assert (faults.of(_text(text)) == "degenerate") == is_loop


@given(st.text(max_size=30), st.text(min_size=1, max_size=100))
def test_every_loop_of_a_short_phrase_is_found(start, phrase):
    assert repeats(start + phrase * (1 + LOOP // len(phrase)))


def test_a_long_answer_is_looked_at_in_no_time(faults):
    heard = _text("ab" * 2_000_000)
    before = time.perf_counter()

    assert faults.of(heard) == "degenerate"
    assert time.perf_counter() - before < 0.5


# Of a stream.


def _begun(*events, **fields):
    return Heard(answer=Folded(events), **fields)


def test_a_stream_that_broke(faults):
    assert faults.of(_begun(broken=True)) == "broken"


def test_a_stream_that_has_just_begun(faults):
    heard = _begun(TextDelta("I can't assist with"), logprobs=[-9.0] * 20)

    assert faults.of(heard) is None
    assert faults.of(_begun(RefusalDelta("No."))) == "refused"


@pytest.mark.parametrize(
    ("text", "logprobs", "fault"),
    [
        ("I can't assist with", [], "refused"),
        ("Of course", [-0.2] * 20, None),
        ("Of course", [-3.0] * 20, "unsure"),
        ("Of course", [-3.0] * 3, None),
    ],
)
def test_first_tokens_that_are_held(faults, text, logprobs, fault):
    assert faults.of(_begun(TextDelta(text), logprobs=logprobs), held=True) == fault


@pytest.mark.parametrize(
    ("events", "has_begun"),
    [
        ([], False),
        ([TextDelta(" \n")], False),
        ([TextDelta(" a")], True),
        ([ThinkingDelta("a")], True),
        ([ToolStart(0, "call_1", "f")], True),
        ([RefusalDelta("No")], True),
    ],
)
def test_what_has_begun(events, has_begun):
    assert _begun(*events).has_begun == has_begun


def test_a_call_is_put_together_by_its_parts():
    heard = _call('{"city": "Rome"}')

    assert [part.name for part in heard.answer.parts if type(part) is ToolCall] == ["weather"]
