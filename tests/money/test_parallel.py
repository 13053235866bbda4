"""50 clients at once against one budget, through real HTTP: never over, nearly all of it usable.

Each request may take at most 2 % of the budget. The provider works out by itself what it is owed
(TRUST B4, B5). On SQLite, on PostgreSQL, and with two processes that share the budget there.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import cache
from http.client import HTTPConnection
from typing import Any, NamedTuple

import pytest

from tests import postgres as postgresql
from tests.clouds.openai import OpenAICloud
from tests.clouds.server import Stream, Whole, event
from tests.serving import Serving

pytestmark = pytest.mark.slow

CLIENTS = 50
MODEL = "openai/gpt-6-luna"
LONGEST = 2_000
INPUT, CACHED, OUTPUT, DEAREST = 100, 10, 500, 250
"""Nano-dollars a token: `MODEL`'s own figures, and the dearest one for any token of a prompt."""
WORDS = "x" * 400
SEEDS = 20
FEW = 3
"""Seeds of two processes on PostgreSQL, where nobody says how many (`--seeds`). One process there
is for those who do."""
KINDS = {"sqlite": (), "postgresql": (), "workers": ("--workers", "2")}
_FOLLOWS_S = 1.5
"""What one process changes counts in the other after a second."""


class Spender(OpenAICloud):
    """Answers of any length up to what was asked for, and what they come to."""

    def __init__(self):
        self.chance = random.Random(0)
        self.owed = []
        self.shortened = 0
        super().__init__()

    def step(self, method):
        return self._spend if method == "POST" else super().step(method)

    def _spend(self, exchange):
        body = exchange.seen.json
        limit = body["max_completion_tokens"]
        self.shortened += limit < LONGEST
        prompt, output = self.chance.randrange(len(WORDS)), self.chance.randrange(limit + 1)
        cached = self.chance.choice((0, prompt // 2))
        self.owed.append((prompt - cached) * INPUT + cached * CACHED + output * OUTPUT)
        usage = {
            "prompt_tokens": prompt, "completion_tokens": output,
            "total_tokens": prompt + output, "prompt_tokens_details": {"cached_tokens": cached},
        }  # fmt: skip
        shape = {"id": f"chatcmpl-{len(self.owed)}", "created": 1, "model": "m"}
        message = {"role": "assistant", "content": "a word"}
        if not body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            exchange.send(Whole({**shape, "object": "chat.completion", "choices": [choice],
                                 "usage": usage}))  # fmt: skip
            return
        shape["object"] = "chat.completion.chunk"
        choice = {"index": 0, "delta": message, "finish_reason": "stop"}
        pieces = [{**shape, "choices": [choice]}, {**shape, "choices": [], "usage": usage}]
        exchange.send(Stream((*map(event, pieces), event("[DONE]"))))


@pytest.fixture(scope="module")
def cloud():
    with Spender() as cloud:
        yield cloud


def pytest_generate_tests(metafunc):
    said = metafunc.config.getoption("--seeds", None)
    seeds = {"sqlite": SEEDS, "postgresql": said or 0, "workers": said or FEW}
    cases = [(kind, seed) for kind in KINDS for seed in range(seeds[kind])]
    metafunc.parametrize(("kind", "seed"), cases)


class House(NamedTuple):
    server: Serving
    bearers: Sequence[str]
    """Of a project for each seed, with a budget; both processes know of all of them."""
    database: Any
    """None: a file of SQLite's."""


@pytest.fixture(scope="module")
def house_of(cloud, tmp_path_factory, request):
    """Of each kind one, started when it is first asked for, in whatever order."""
    with ExitStack() as stack:

        @cache
        def house_of(kind):
            settings = {"OPENAI_API_KEY": cloud.key, "OPENAI_BASE_URL": f"{cloud.url}/v1"}
            database = None
            if kind != "sqlite":
                database = postgresql.another(
                    request.getfixturevalue("postgres"), f"parallel_{kind}"
                )
                settings["LAROUTER_DATABASE_URL"] = database.url
            home = tmp_path_factory.mktemp(kind)
            server = stack.enter_context(Serving(home, *KINDS[kind], **settings))
            bearers = [_bearer(server, f"seed-{seed}") for seed in range(SEEDS)]
            if KINDS[kind]:
                time.sleep(_FOLLOWS_S)
            return House(server, bearers, database)

        yield house_of


def _bearer(server, name):
    bearer = server.admin("POST", "/api/projects", {"name": name}).json()["bearer"]
    budget = {"project": name, "name": name, "cap": f"{CAP // 10**9}.{CAP % 10**9:09}"}
    assert server.admin("POST", "/api/budgets", budget).json()["capNusd"] == CAP
    return bearer


def _body(stream):
    return json.dumps({
        "model": MODEL, "messages": [{"role": "user", "content": WORDS}], "stream": stream,
        "max_completion_tokens": LONGEST,
    })  # fmt: skip


CAP = CLIENTS * (len(_body(stream=False)) * DEAREST + LONGEST * OUTPUT)


def test_parallel_requests_never_overspend_and_use_nearly_all(kind, seed, house_of, cloud):
    server, bearers, database = house_of(kind)
    bearer = bearers[seed]
    cloud.chance, cloud.owed, cloud.shortened = random.Random(seed), [], 0

    def ask_on(number):
        """Ask until the budget is used up; return how many answers there were."""
        head = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        body = _body(stream=number % 2 == 0)
        answers = 0
        while True:
            connection.request("POST", "/v1/chat/completions", body, head)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status == 429:
                connection.close()
                assert json.loads(text)["error"]["code"] == "insufficient_quota"
                return answers
            assert answer.status == 200, text
            answers += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = sum(pool.map(ask_on, range(CLIENTS)))

    (now,) = server.ask("GET", "/api/budget", bearer=bearer).json()["data"]
    assert answers == len(cloud.owed)
    assert now["spentNusd"] == sum(cloud.owed)
    assert 0.9 * CAP <= now["spentNusd"] <= CAP
    assert (now["reservedNusd"], now["blocked"]) == (0, False)
    assert cloud.shortened > 0
    if kind == "workers":
        asked = (
            "SELECT DISTINCT a.run_id FROM attempt a JOIN project p ON p.id = a.project_id "
            "WHERE p.name = ?"
        )
        with closing(database.connect(read_only=True)) as connection:
            assert len(connection.execute(asked, (f"seed-{seed}",)).fetchall()) == 2
