"""The HTTP provider towards each cloud: paths, heads, keys, counts, and what it learns of them."""

from __future__ import annotations

import json
import logging

import pytest

from larouter.core.catalog import Model
from larouter.core.conversation import Thinking, ToolCall
from larouter.core.errors import CannotCarry, UpstreamError, UpstreamRefused
from larouter.core.ports import Leaving
from larouter.core.turns import Turns
from larouter.providers.http import HttpProvider
from larouter.wire.anthropic.count import read_count_request
from larouter.wire.responses.request import read_request as read_response_request
from larouter.wire.road import Quirks
from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.faults import reset, status
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud
from tests.fakes import a_request, with_fields

GPT = Model(
    id="gpt-6-luna", name="gpt-6-luna", provider="openai", refuses=frozenset({"tools_in_chat"})
)
CLAUDE = Model(id="claude-haiku-5-5", name="claude-haiku-5-5", provider="anthropic", max_output=999)
ARGON = Model(id="gemini-4-argon", name="gemini-4-argon", provider="google")
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
CALLING = 'call weather {"city": "Rome"}'


class Called:
    """A cloud and the provider that calls it."""

    def __init__(self, cloud, model, pool, *wires, path="", key=None):
        self.cloud = cloud
        self.model = model
        self.turns = Turns()
        self.provider = HttpProvider(
            name=model.provider, url=cloud.url + path, key=key or cloud.key, needs_key=True,
            wires=wires, quirks=Quirks(), pool=pool, later=lambda *_: None, turns=self.turns,
        )  # fmt: skip

    def ask(self, text="hello", *, model=None, **fields):
        request = with_fields(a_request(text, **fields), project="p")
        return self.send(request, model)

    def send(self, request, model=None):
        reply = self.provider.call(model or self.model, request, Leaving())
        list(reply)
        return reply

    def paths(self):
        return [seen.path for seen in self.cloud.seen]


@pytest.fixture
def openai(shared_pool):
    with OpenAICloud() as cloud:
        wires = ("chat", "responses", "completions", "embeddings")
        yield Called(cloud, GPT, shared_pool, *wires, path="/v1")


@pytest.fixture
def anthropic(shared_pool):
    with AnthropicCloud() as cloud:
        yield Called(cloud, CLAUDE, shared_pool, "anthropic")


@pytest.fixture
def gemini(shared_pool):
    with GeminiCloud() as cloud:
        yield Called(cloud, ARGON, shared_pool, "gemini", "gemini-embeddings")


@pytest.fixture(params=["openai", "anthropic", "gemini"])
def any_cloud(request):
    return request.getfixturevalue(request.param)


def _response(**fields):
    body = {"model": "auto", "input": "hello", "store": False, **fields}
    return with_fields(read_response_request(json.dumps(body).encode()), project="p")


def _seals(turns, kind):
    """What was kept of the first call that only its maker can read."""
    kept = next(iter(turns._kept.values()))
    return [part.opaque for part in kept.parts if type(part) is kind]


def _answered(reply):
    return json.loads(reply.end)["choices"][0]["message"]


# Paths, heads and keys.


@pytest.mark.parametrize(
    ("name", "header", "value", "path"),
    [
        ("openai", "authorization", "Bearer {key}", "/v1/chat/completions"),
        ("anthropic", "x-api-key", "{key}", "/v1/messages"),
        ("gemini", "x-goog-api-key", "{key}", "/v1beta/models/gemini-4-argon:generateContent"),
    ],
)
def test_each_cloud_gets_its_key_in_its_own_header(request, name, header, value, path):
    called = request.getfixturevalue(name)

    reply = called.ask()

    assert _answered(reply)["content"] == "You said: hello"
    seen = called.cloud.last
    assert (seen.path, seen.headers[header]) == (path, value.format(key=called.cloud.key))
    assert str(seen.headers).count(called.cloud.key) == 1
    assert called.cloud.key not in str(seen.query)


def test_a_stream_of_gemini_is_asked_for_by_its_path(gemini):
    gemini.ask(stream=True)

    assert gemini.paths() == ["/v1beta/models/gemini-4-argon:streamGenerateContent"]
    assert gemini.cloud.last.query == {"alt": "sse"}


def test_what_a_format_wants_in_the_head_stands_there_once(anthropic):
    anthropic.ask()

    assert anthropic.cloud.last.headers["anthropic-version"] == "2023-06-01"
    assert anthropic.cloud.last.headers["accept"] == "application/json"


def test_an_address_may_have_a_path_of_its_own(shared_pool):
    with AnthropicCloud() as cloud:
        called = Called(cloud, CLAUDE, shared_pool, "anthropic", path="/proxy/anthropic/")

        with pytest.raises(UpstreamRefused):
            called.ask()

        assert called.paths() == ["/proxy/anthropic/v1/messages"]


def test_what_a_format_cannot_say_is_never_sent(anthropic):
    with pytest.raises(CannotCarry):
        anthropic.ask(n=2)

    assert anthropic.cloud.seen == []


# A server that lacks a format.


def test_a_server_without_responses_is_asked_for_chat_once_and_for_all(openai):
    openai.cloud.will(status(404))

    for _ in range(2):
        answer = json.loads(openai.send(_response()).end)
        assert answer["output"][-1]["content"][0]["text"] == "You said: hello"

    assert openai.paths() == ["/v1/responses"] + 2 * ["/v1/chat/completions"]


def test_a_server_with_responses_is_asked_for_them(openai):
    openai.send(_response())
    openai.send(_response(stream=True))

    assert openai.paths() == 2 * ["/v1/responses"]


def test_a_model_that_is_not_there_is_not_asked_for_again(openai):
    with pytest.raises(UpstreamRefused) as caught:
        openai.send(_response(), Model(id="x", name="x", provider="openai"))

    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert openai.paths() == ["/v1/responses"]


def test_something_in_the_request_that_is_not_there_is_not_the_path(openai):
    def no_such_item(exchange):
        error = {"message": "Item 'rs_1' not found.", "type": "invalid_request_error",
                 "param": "input", "code": None}  # fmt: skip
        exchange.send_bytes(json.dumps({"error": error}).encode(), 404)

    openai.cloud.will(no_such_item)

    with pytest.raises(UpstreamRefused, match="rs_1"):
        openai.send(_response())

    openai.send(_response())
    assert openai.paths() == 2 * ["/v1/responses"]


def test_where_chat_is_not_found_either_nothing_is_learnt(openai):
    openai.cloud.will(status(404), status(404))

    with pytest.raises(UpstreamRefused):
        openai.send(_response())

    openai.send(_response())
    assert openai.paths() == ["/v1/responses", "/v1/chat/completions", "/v1/responses"]


@pytest.mark.parametrize("code", [400, 422, 429])
def test_another_refusal_says_nothing_about_the_path(openai, code):
    openai.cloud.will(status(code))

    with pytest.raises(UpstreamRefused):
        openai.send(_response())

    assert openai.paths() == ["/v1/responses"]


def test_chat_itself_has_nothing_to_stand_in_for_it(openai):
    openai.cloud.will(status(404))

    with pytest.raises(UpstreamRefused):
        openai.ask()

    assert openai.paths() == ["/v1/chat/completions"]


# Counting.


def test_anthropic_counts_for_its_own_clients(anthropic):
    body = {"model": "auto", "messages": [{"role": "user", "content": "x" * 40}]}

    tokens = anthropic.provider.count_tokens(CLAUDE, read_count_request(json.dumps(body).encode()))

    assert tokens > 0
    assert anthropic.paths() == ["/v1/messages/count_tokens"]


def test_google_counts_for_everybody(gemini):
    assert gemini.provider.count_tokens(ARGON, a_request("x" * 40)) >= 10
    assert gemini.paths() == ["/v1beta/models/gemini-4-argon:countTokens"]


def test_where_nobody_counts_it_is_a_quarter_of_the_bytes(openai):
    request = with_fields(a_request(), size=41)

    assert openai.provider.count_tokens(GPT, request) == 11
    assert openai.cloud.seen == []


def test_the_connection_of_a_count_is_used_again(gemini, make_pool):
    called = Called(gemini.cloud, ARGON, make_pool(), "gemini")

    for _ in range(2):
        called.provider.count_tokens(ARGON, a_request())

    assert len(gemini.cloud._server.connections) == 1


@pytest.mark.parametrize("step", [status(500), reset])
def test_a_count_that_fails_is_an_error_without_the_key(gemini, step):
    gemini.cloud.will(step)

    with pytest.raises(UpstreamError) as caught:
        gemini.provider.count_tokens(ARGON, a_request())

    assert gemini.cloud.key not in str(caught.value)


# What is remembered of an answer that calls tools.


@pytest.mark.parametrize("stream", [False, True])
def test_who_called_a_tool_is_remembered(any_cloud, stream):
    reply = any_cloud.ask(CALLING, tools=TOOLS, stream=stream)

    (call_id,) = reply._road.call_ids
    assert any_cloud.turns.model_of("p", [call_id]) == any_cloud.model.key
    assert any_cloud.turns.model_of("q", [call_id]) is None


def test_an_answer_without_a_call_is_not_remembered(any_cloud):
    any_cloud.ask()

    assert not any_cloud.turns._kept


def test_what_the_clients_format_cannot_carry_is_remembered_and_put_back(gemini):
    calls = _answered(gemini.ask(CALLING, tools=TOOLS))["tool_calls"]
    bare = [{name: call[name] for name in ("id", "type", "function")} for call in calls]
    (kept,) = _seals(gemini.turns, ToolCall)
    body = [
        {"role": "user", "content": CALLING},
        {"role": "assistant", "tool_calls": bare},
        {"role": "tool", "tool_call_id": bare[0]["id"], "content": "sunny"},
    ]

    answer = _answered(gemini.ask(tools=TOOLS, messages=body))

    assert kept.maker == "gemini"
    assert answer["content"] == "Results: sunny"
    assert kept.data in gemini.cloud.last.raw.decode()


def test_a_thought_of_claude_is_sealed_and_put_back(anthropic):
    reply = anthropic.ask(CALLING, tools=TOOLS, reasoning_effort="high")
    call = _answered(reply)["tool_calls"][0]
    (kept,) = _seals(anthropic.turns, Thinking)
    body = [
        {"role": "user", "content": CALLING},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "sunny"},
    ]

    answer = _answered(anthropic.ask(tools=TOOLS, messages=body, reasoning_effort="high"))

    assert kept.maker == "anthropic"
    assert answer["content"] == "Results: sunny"
    assert kept.data in anthropic.cloud.last.raw.decode()


# A key that is refused (A7).


WRONG = "wrong-canary-key"


@pytest.fixture(params=["openai", "anthropic", "gemini"])
def locked(request, shared_pool):
    """A cloud that takes another key than its provider has."""
    called = request.getfixturevalue(request.param)
    path = "/v1" if request.param == "openai" else ""
    wires = called.provider._wires
    return Called(called.cloud, called.model, shared_pool, *wires, path=path, key=WRONG)


def test_a_provider_whose_key_was_refused_is_marked_and_said_so_once(locked, caplog):
    caplog.set_level(logging.WARNING)
    before = locked.provider.key_refused

    for _ in range(2):
        with pytest.raises(UpstreamError) as caught:
            locked.ask()
        assert caught.value.code == "provider_key_refused"
        assert WRONG not in caught.value.message

    assert (before, locked.provider.key_refused) == (False, True)
    assert locked.provider.missing(locked.model) is None
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"{locked.model.provider} refused its key; check it: larouter keys check"


@pytest.mark.parametrize("code", [401, 403])
def test_the_next_success_clears_the_mark(any_cloud, code, caplog):
    for _ in range(2):
        any_cloud.cloud.will(status(code))
        with pytest.raises(UpstreamError):
            any_cloud.ask()
        assert any_cloud.provider.key_refused

        any_cloud.ask()
        assert not any_cloud.provider.key_refused

    assert len(caplog.records) == 2


@pytest.mark.parametrize("step", [status(400), status(404), status(429), status(500), reset])
def test_another_failure_says_nothing_about_the_key(openai, step):
    openai.cloud.will(status(401), step)
    for _ in range(2):
        with pytest.raises(UpstreamError):
            openai.ask()

    assert openai.provider.key_refused


def test_a_count_learns_about_the_key_too(gemini):
    gemini.cloud.will(status(403))

    with pytest.raises(UpstreamError):
        gemini.provider.count_tokens(ARGON, a_request())

    assert gemini.provider.key_refused
    gemini.provider.count_tokens(ARGON, a_request())
    assert not gemini.provider.key_refused


def test_without_an_address_nobody_can_be_called(shared_pool):
    provider = HttpProvider(
        name="custom", url=None, key=None, needs_key=False, wires=("chat",), quirks=Quirks(),
        pool=shared_pool, later=lambda *_: None, turns=Turns(),
    )  # fmt: skip

    assert provider.missing(GPT) == "no-address"
