"""A local answer that is no good, over the whole app and in every format that clients speak."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from larouter.core.policy import Policy
from larouter.core.ports import Address
from larouter.core.turns import Turns
from larouter.providers.local import LocalProvider
from larouter.providers.pool import Pool
from tests.fakes import FakeRunner
from tests.upstream import DONE, FINISH, FIRST, STREAM, USAGE, Upstream, reset, stream, whole

EASY = "What is 2 + 2?"


def _said(text, reason="stop", **message):
    message = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return whole(json.dumps({"id": "chatcmpl-1", "choices": [choice], "usage": usage}).encode())


class Machine(FakeRunner):
    """Runs each model on a server of its own."""

    def __init__(self, small, large):
        super().__init__(Address(url="", key="engine"))
        self.small, self.large = Upstream(), Upstream()
        self.upstreams = {small.id: self.small, large.id: self.large}
        self.titles = small.title, large.title

    def has(self, model):
        return model.id in self.upstreams

    def ensure_ready(self, model, leaving=None):
        return Address(url=self.upstreams[model.id].url, key="engine")


@pytest.fixture
def machine(house):
    """The house with two local models: a small one, and a larger one a tier up."""
    models = house.services.catalog.models
    tiers = {tier.name: tier.models for tier in house.services.catalog.tiers}
    small = next(models[name] for name in tiers["SIMPLE"] if models[name].is_local)
    large = next(models[name] for name in tiers["MODERATE"] if models[name].is_local)
    pool = Pool()
    runner = Machine(small, large)
    local = LocalProvider(runner, pool, lambda seconds, callback: None, Turns())
    # The table is the gateway's too.
    house.services.gateway.providers["local"] = local
    yield runner
    pool.close()
    for upstream in runner.upstreams.values():
        upstream.close()


def _rows(house, statement):
    path = house.services.settings.database_file
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


DOORS: dict[str, tuple] = {
    "chat": (
        "/v1/chat/completions",
        lambda text: {"model": "auto", "messages": [{"role": "user", "content": text}]},
        lambda body: body["choices"][0]["message"]["content"],
    ),
    "messages": (
        "/v1/messages",
        lambda text: {
            "model": "auto", "max_tokens": 900, "messages": [{"role": "user", "content": text}],
        },
        lambda body: body["content"][0]["text"],
    ),
    "responses": (
        "/v1/responses",
        lambda text: {"model": "auto", "input": text, "store": False},
        lambda body: body["output"][-1]["content"][0]["text"],
    ),
    "gemini": (
        "/v1beta/models/auto:generateContent",
        lambda text: {"contents": [{"role": "user", "parts": [{"text": text}]}]},
        lambda body: body["candidates"][0]["content"]["parts"][0]["text"],
    ),
    "ollama": (
        "/api/chat",
        lambda text: {
            "model": "auto", "stream": False, "messages": [{"role": "user", "content": text}],
        },
        lambda body: body["message"]["content"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_an_empty_answer_is_replaced_in_every_format(house, machine, door):
    path, body, said = DOORS[door]
    machine.small.will(_said(""))

    response = house.ask("POST", path, body(EASY))

    assert response.status_code == 200, response.json
    assert said(response.json) == "Hello"
    assert response.headers["x-larouter-stage"] == "escalated"
    assert response.headers["x-larouter-reason"].startswith(
        f"the local answer was empty: asked {machine.titles[1]} instead; "
    )
    assert len(machine.small.requests) == len(machine.large.requests) == 1
    assert _rows(house, "SELECT state, output FROM attempt") == [("settled", 3)] * 2
    (row,) = _rows(house, "SELECT stage, status, model, ended_ms IS NOT NULL FROM request")
    assert row == ("escalated", 200, response.headers["x-larouter-model"], 1)


def test_an_empty_completion_is_replaced_but_not_one_that_was_to_be_empty(house, machine):
    empty, good, echo = (
        whole(b'{"id": "c", "choices": [{"text": "%b", "finish_reason": "%b"}]}' % said)
        for said in ((b"", b"stop"), (b"Hello", b"stop"), (b"", b"length"))
    )
    machine.small.will(empty, echo)
    machine.large.will(good)
    body = {"model": "auto", "prompt": EASY}

    replaced = house.ask("POST", "/v1/completions", body)
    wanted = house.ask("POST", "/v1/completions", {**body, "max_tokens": 0})

    assert [answer.json["choices"][0]["text"] for answer in (replaced, wanted)] == ["Hello", ""]
    assert _rows(house, "SELECT state FROM attempt") == [("estimated",)] * 3


@pytest.mark.parametrize(
    ("answer", "fields", "words"),
    [
        (_said("I'm sorry, but I can't assist with that."), {}, "the local model refused"),
        (_said("Four is", "length"), {}, "the local answer was cut off"),
        (
            _said("Four."),
            {"response_format": {"type": "json_object"}},
            "the local answer was not in the form that was asked for",
        ),
        (
            _said('{"sum": "4"}'),
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "sum", "schema": {"properties": {"sum": {"type": "integer"}}},
                    },
                }
            },
            "the local answer was not in the form that was asked for",
        ),
        (_said("2 + 2 is 4. " * 100), {}, "the local answer went round in circles"),
    ],
)  # fmt: skip
def test_the_reason_says_what_was_wrong(house, machine, answer, fields, words):
    machine.small.will(answer)

    response = house.chat(messages=[{"role": "user", "content": EASY}], **fields)

    assert response.headers["x-larouter-reason"].startswith(f"{words}: asked ")


def test_a_good_answer_and_one_that_the_client_cut_stay(house, machine):
    messages = [{"role": "user", "content": EASY}]
    machine.small.will(_said("4"), _said("Fo", "length"))

    good, cut = house.chat(messages=messages), house.chat(messages=messages, max_tokens=3)

    assert good.json["choices"][0]["message"]["content"] == "4"
    assert cut.json["choices"][0]["message"]["content"] == "Fo"
    assert machine.large.requests == []


def test_the_first_answer_is_kept_where_the_second_fails(house, machine):
    machine.small.will(_said("Four is", "length"))
    machine.large.will(reset)

    response = house.chat(messages=[{"role": "user", "content": EASY}])

    assert response.status_code == 200
    assert response.json["choices"][0]["message"]["content"] == "Four is"
    assert response.headers["x-larouter-stage"] == "rules"
    assert f"and {machine.titles[1]} did not answer" in response.headers["x-larouter-reason"]
    (row,) = _rows(house, "SELECT stage, status, model, error FROM request")
    assert row == ("rules", 200, response.headers["x-larouter-model"], None)
    assert _rows(house, "SELECT state FROM attempt ORDER BY id") == [("settled",), ("released",)]


@pytest.mark.parametrize("door", ["chat", "messages", "responses"])
def test_a_stream_without_a_word_is_replaced(house, machine, door):
    path, body, _ = DOORS[door]
    asked: dict = body(EASY)
    machine.small.will(stream(FIRST, FINISH, USAGE, DONE))
    machine.large.will(stream(*STREAM))

    response = house.ask("POST", path, {**asked, "stream": True})
    text = response.get_data(as_text=True)

    assert response.headers["x-larouter-stage"] == "escalated"
    assert text.count('"Hi"') >= 2
    assert [state for (state,) in _rows(house, "SELECT state FROM attempt")] == ["settled"] * 2


def test_a_project_may_say_never(house, machine):
    house.services.projects.update("default", policy=Policy(escalation="off"))
    machine.small.will(_said(""))

    response = house.chat(messages=[{"role": "user", "content": EASY}])

    assert response.headers["x-larouter-stage"] == "rules"
    assert machine.large.requests == []
