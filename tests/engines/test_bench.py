"""Timing an engine: what is measured, and what cannot be."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from larouter.core.errors import EngineDown
from larouter.core.ports import Address
from larouter.engines.bench import OUTPUT, PROMPTS, bench
from tests.engines.starter import STARTER


class Engine(BaseHTTPRequestHandler):
    """Answers a token at once, the others after a hundredth of a second each."""

    bodies: list[dict] = []  # noqa: RUF012 - emptied by the fixture
    address: Address
    status = 200
    tokens = OUTPUT

    def do_POST(self):
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()
        for number in range(self.tokens):
            if number:
                time.sleep(0.01)
            self.wfile.write(b'data: {"content": "x"}\n\n')
        self.wfile.write(b'data: {"stop": true}\n\n')

    def log_message(self, *_):
        pass


@pytest.fixture
def engine():
    class Own(Engine):
        bodies: list[dict] = []  # noqa: RUF012 - its own

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        Own.address = Address(url=f"http://127.0.0.1:{server.server_port}/v1", key="k")
        yield Own
        server.shutdown()
        thread.join()


def test_each_length_is_timed(engine):
    rows = list(bench(engine.address, 8_192))

    assert [row.prompt_tokens for row in rows] == list(PROMPTS)
    assert all(row.output_tokens == OUTPUT for row in rows)
    assert all(20 < row.tokens_per_s <= 110 for row in rows)
    assert all(0 < row.first_s < row.total_s for row in rows)


def test_no_prompt_begins_like_another_or_is_kept(engine):
    list(bench(engine.address, None))

    assert len({body["prompt"][0] for body in engine.bodies}) == len(PROMPTS)
    assert not any(body["cache_prompt"] for body in engine.bodies)


def test_what_does_not_fit_is_left_out(engine):
    assert [row.prompt_tokens for row in bench(engine.address, 300)] == [32, 256]


@pytest.mark.parametrize(("status", "tokens"), [(501, 0), (200, 1)])
def test_an_engine_that_completes_nothing_says_so(engine, status, tokens):
    engine.status, engine.tokens = status, tokens

    with pytest.raises(EngineDown, match="vectors"):
        list(bench(engine.address, None))


def test_an_engine_that_is_gone_says_so():
    with pytest.raises(EngineDown, match="stopped"):
        list(bench(Address(url="http://127.0.0.1:9/v1", key="k"), None))


@pytest.mark.engine
def test_a_real_engine_is_timed(shared_pool):
    row = next(bench(shared_pool.ensure_ready(STARTER), 8_192))

    assert (row.prompt_tokens, row.output_tokens) == (32, OUTPUT)
    assert row.tokens_per_s > 0
