"""Requests for a provider that has legacy completions."""

import json
from typing import Any

import pytest

from larouter.core.conversation import Conversation, Format, Media, Text, Tool, Turn
from larouter.core.errors import CannotCarry
from larouter.wire.chat import DIALECT as CHAT
from larouter.wire.completions import WIRE
from larouter.wire.completions.outbound import pass_on, write
from larouter.wire.completions.request import read_request
from larouter.wire.losses import refuse_what_is_lost
from larouter.wire.road import Call, Quirks

_TURNS = (Turn("user", (Text(text="Once"),)),)


def _passed(call, **fields):
    body = {"model": "auto", "prompt": "Once", **fields}
    return json.loads(pass_on(read_request(json.dumps(body).encode()), call).body)


def _written(call=None, **fields):
    call = call or Call(name="m")
    return json.loads(write(Conversation(turns=_TURNS, **fields), call).body)


def test_the_clients_body_passes_but_for_the_models_name():
    body = _passed(Call(name="m"), suffix="end", echo=True, logprobs=2, own_field=1)

    assert body == {
        "model": "m", "prompt": "Once", "suffix": "end", "echo": True, "logprobs": 2,
        "own_field": 1,
    }  # fmt: skip


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2], [[1], [2]]])
def test_prompts_of_any_form_pass(prompt):
    assert _passed(Call(name="m"), prompt=prompt)["prompt"] == prompt


def test_a_stream_always_brings_its_usage():
    given = {"include_obfuscation": False, "include_usage": False}
    plain = _passed(Call(name="m"), stream=True)
    fuller = _passed(Call(name="m"), stream=True, stream_options=given)

    assert plain["stream_options"] == {"include_usage": True}
    assert fuller["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    assert "stream_options" not in _passed(Call(name="m"), stream_options={})


def test_quirks_hold_here_too():
    strict = Call(name="m", quirks=Quirks(never=frozenset({"seed"})))
    engine = Call(name="m", quirks=Quirks(only=frozenset({"messages", "min_p"})))

    assert "seed" not in _passed(strict, seed=1)
    assert set(_passed(engine, min_p=0.1, suffix="x", slot=3)) == {
        "model", "prompt", "suffix", "min_p",
    }  # fmt: skip


def test_the_path_is_the_formats_own():
    request = read_request(b'{"model":"auto","prompt":"Once"}')

    assert pass_on(request, Call(name="m")).path == "completions"
    assert write(Conversation(turns=_TURNS), Call(name="m")).path == "completions"


def test_a_single_text_is_a_prompt():
    parts = (Text(text="Once"), Text(text="upon"))

    body = json.loads(write(Conversation(turns=(Turn("user", parts),)), Call(name="m")).body)

    assert body == {"model": "m", "prompt": "Once\n\nupon"}


@pytest.mark.parametrize(
    ("field", "value", "name", "found"),
    [
        ("max_output", 9, "max_tokens", 9),
        ("temperature", 0.5, "temperature", 0.5),
        ("top_p", 0.9, "top_p", 0.9),
        ("top_k", 40, "top_k", 40),
        ("stop", ("a",), "stop", ["a"]),
        ("seed", 7, "seed", 7),
        ("presence_penalty", 1, "presence_penalty", 1),
        ("frequency_penalty", 1, "frequency_penalty", 1),
        ("user", "me", "user", "me"),
    ],
)
def test_fields_are_written(field, value, name, found):
    assert _written(**{field: value}) == {"model": "m", "prompt": "Once", name: found}


def test_what_a_model_refuses_is_left_out():
    call = Call(name="m", refuses=frozenset({"temperature"}), quirks=Quirks(top_k=False))

    assert set(_written(call, temperature=1, top_k=3, top_p=0.5)) == {"model", "prompt", "top_p"}


def test_a_translated_stream_brings_its_usage():
    body = _written(Call(name="m", stream=True))

    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


@pytest.mark.parametrize(
    "turns",
    [
        (),
        (Turn("system", (Text(text="Be kind."),)),),
        (*_TURNS, Turn("assistant", (Text(text="Hi"),))),
        (Turn("user", ()),),
        (Turn("user", (Media(kind="images", mime="image/png", data="A"),)),),
    ],
)
def test_a_conversation_is_no_prompt(turns):
    with pytest.raises(CannotCarry):
        write(Conversation(turns=turns), Call(name="m"))


_REFUSED: dict[str, Any] = {
    "tools": {"tools": (Tool(name="f"),)},
    "format": {"format": Format()},
    **{
        kind: {"turns": (Turn("user", (Media(kind=kind, mime="x/y", data="A"),)),)}
        for kind in ("images", "audio", "files")
    },
}


@pytest.mark.parametrize("loss", [row for row in WIRE.losses if row.becomes == "refused"])
def test_what_it_has_no_words_for_is_refused(loss):
    fields: dict[str, Any] = {"turns": _TURNS, **_REFUSED[loss.field]}

    with pytest.raises(CannotCarry) as caught:
        refuse_what_is_lost(Conversation(**fields), CHAT, WIRE)

    assert caught.value.param == loss.field


@pytest.mark.parametrize("loss", [row for row in WIRE.losses if row.becomes == "left out"])
def test_what_is_left_out_changes_nothing(loss):
    openai = Call(name="m", quirks=Quirks(top_k=False))

    assert _written(openai, **{loss.field: "high"}) == _written(openai)


def test_a_model_that_fills_no_gaps_is_not_asked_to():
    with pytest.raises(CannotCarry) as caught:
        _passed(Call(name="m", quirks=Quirks(fills=False)), suffix="end")

    assert caught.value.param == "suffix"
