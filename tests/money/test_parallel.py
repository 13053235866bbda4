"""50 clients at once against one budget, through real HTTP: never over, nearly all of it usable.

Each request may take at most 2 % of the budget. The provider works out by itself what it is owed
(TRUST B4, B5).
"""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

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


@pytest.fixture(scope="module")
def server(cloud, tmp_path_factory):
    url = f"{cloud.url}/v1"
    home = tmp_path_factory.mktemp("parallel")
    with Serving(home, OPENAI_API_KEY=cloud.key, OPENAI_BASE_URL=url) as server:
        yield server


def _body(stream):
    return json.dumps({
        "model": MODEL, "messages": [{"role": "user", "content": WORDS}], "stream": stream,
        "max_completion_tokens": LONGEST,
    })  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_parallel_requests_never_overspend_and_use_nearly_all(server, cloud, seed):
    name = f"seed-{seed}"
    bearer = server.admin("POST", "/api/projects", {"name": name}).json()["bearer"]
    cap = CLIENTS * (len(_body(stream=False)) * DEAREST + LONGEST * OUTPUT)
    budget = {"project": name, "name": name, "cap": f"{cap // 10**9}.{cap % 10**9:09}"}
    assert server.admin("POST", "/api/budgets", budget).json()["capNusd"] == cap
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
    assert 0.9 * cap <= now["spentNusd"] <= cap
    assert (now["reservedNusd"], now["blocked"]) == (0, False)
    assert cloud.shortened > 0
