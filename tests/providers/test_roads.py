"""Which format a call takes, and who is asked how long a prompt is."""

from __future__ import annotations

import json

import pytest

from larouter.core.catalog import Model
from larouter.core.conversation import Thinking
from larouter.core.errors import CannotCarry
from larouter.core.turns import Turns
from larouter.providers.roads import (
    KEY_HEADERS,
    call_of,
    count_at,
    read_counted,
    road_to,
    wire_for,
)
from larouter.wire.anthropic.count import read_count_request
from larouter.wire.chat.relay import Relay
from larouter.wire.gemini.count import read_count
from larouter.wire.road import Quirks, Translation
from tests.fakes import a_request, with_fields

OPENAI = ("chat", "responses", "completions", "embeddings")
MODEL = Model(id="m", name="m", provider="cloud", max_output=64)
TOOLS_ELSEWHERE = Model(id="m", name="m", provider="openai", refuses=frozenset({"tools_in_chat"}))
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def _in(dialect, **fields):
    return with_fields(a_request(**fields), dialect=dialect)


def _call(request, model=MODEL, turns=None, **more):
    return call_of(model, request, Quirks(), turns or Turns(), **more)


@pytest.mark.parametrize(
    ("dialect", "wires", "wire"),
    [
        ("chat", OPENAI, "chat"),
        ("responses", OPENAI, "responses"),
        ("completions", OPENAI, "completions"),
        ("responses", ("chat", "completions"), "chat"),
        ("anthropic", OPENAI, "chat"),
        ("ollama", OPENAI, "chat"),
        ("anthropic", ("anthropic",), "anthropic"),
        ("chat", ("anthropic",), "anthropic"),
        ("gemini", ("gemini", "gemini-embeddings"), "gemini"),
        ("anthropic", ("gemini", "gemini-embeddings"), "gemini"),
    ],
)
def test_the_clients_own_format_goes_before_the_providers_first(dialect, wires, wire):
    assert wire_for(_in(dialect), MODEL, wires) == wire


@pytest.mark.parametrize(
    ("fields", "wires", "wire"),
    [
        ({"tools": TOOLS}, OPENAI, "responses"),
        ({}, OPENAI, "chat"),
        ({"tools": TOOLS}, ("chat",), "chat"),
    ],
)
def test_a_model_may_take_tools_by_responses_only(fields, wires, wire):
    assert wire_for(a_request(**fields), TOOLS_ELSEWHERE, wires) == wire


def test_a_key_goes_where_its_format_wants_it():
    assert KEY_HEADERS == {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}


def test_one_format_is_passed_on_and_two_are_translated():
    request = a_request()

    passed, relay = road_to(_call(request), request, OPENAI, "chat", Turns())
    written, translation = road_to(_call(request), request, ("anthropic",), "anthropic", Turns())

    assert (passed.path, type(relay)) == ("chat/completions", Relay)
    assert (written.path, type(translation)) == ("v1/messages", Translation)


def test_what_the_other_format_cannot_say_is_refused():
    request = a_request(n=2)

    with pytest.raises(CannotCarry):
        road_to(_call(request), request, ("anthropic",), "anthropic", Turns())


def test_a_call_says_what_the_catalogue_knows():
    call = _call(a_request(stream=True))

    assert (call.name, call.stream, call.max_output) == ("m", True, 64)
    assert _call(a_request(), TOOLS_ELSEWHERE).refuses == {"tools_in_chat"}
    assert _call(a_request(), name="other").name == "other"


def test_a_call_recalls_the_thoughts_of_its_own_project():
    turns = Turns()
    turns.remember("p", "m", ["call_1"], (Thinking(text="so"),))

    ours = _call(with_fields(a_request(), project="p"), turns=turns)
    theirs = _call(with_fields(a_request(), project="q"), turns=turns)

    assert (ours.recall("call_1"), theirs.recall("call_1")) == ("so", None)


# Counting.


def test_anthropic_counts_what_its_own_clients_ask():
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    request = read_count_request(json.dumps(body).encode())

    sending = count_at(MODEL, request, "anthropic", Turns())

    assert sending is not None
    assert sending.path == "v1/messages/count_tokens"
    assert json.loads(sending.body) == body


def test_google_counts_for_clients_of_its_own_and_of_others():
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
    own = read_count(json.dumps(body).encode(), model="auto")

    for request in (own, a_request("Hi")):
        sending = count_at(MODEL, request, "gemini", Turns())

        assert sending is not None
        assert sending.path == "v1beta/models/m:countTokens"
        asked = json.loads(sending.body)["generateContentRequest"]
        assert asked["model"] == "models/m"
        assert asked["contents"] == body["contents"]


@pytest.mark.parametrize(("dialect", "wire"), [("chat", "anthropic"), ("anthropic", "chat")])
def test_where_nobody_counts_nobody_is_asked(dialect, wire):
    assert count_at(MODEL, _in(dialect), wire, Turns()) is None


@pytest.mark.parametrize(
    ("wire", "body"), [("anthropic", b'{"input_tokens": 7}'), ("gemini", b'{"totalTokens": 7}')]
)
def test_a_count_is_read_as_its_provider_writes_it(wire, body):
    assert read_counted(wire, body) == 7


@pytest.mark.parametrize(("suffix", "wire"), [({}, "chat"), ({"suffix": "}"}, "completions")])
def test_plain_completions_may_be_there_for_filling_in_only(suffix, wire):
    request = with_fields(a_request(), dialect="completions", body={"prompt": "Hi", **suffix})
    fills = Quirks(fill_path="beta/completions")

    assert wire_for(request, MODEL, ("chat", "completions"), fills) == wire


def test_embeddings_have_a_road_of_their_own():
    request = with_fields(
        a_request(), dialect="embeddings", body={"model": "auto", "input": "Hi"}, messages=()
    )

    sending, _ = road_to(_call(request), request, OPENAI, "embeddings", Turns())

    assert sending.path == "embeddings"
    assert json.loads(sending.body)["input"] == "Hi"
