"""Ends of servers and engines, wanted and not, and what remains of them."""

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
import requests

from tests.serving import assert_error, assert_serves, command, eventually, post, user

pytestmark = pytest.mark.slow

STARTER = "smollm2-135m"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_a_running_stream_end(serve, number):
    server = serve()
    answer = server.chat("custom/slow", stream=True)
    lines = answer.iter_lines()
    assert next(lines)

    server.signal(number)
    eventually(lambda: not server.listens())
    rest = list(lines)

    assert rest[-2] == b"data: [DONE]"
    assert server.wait() == 0
    assert server.row(answer.headers["x-request-id"])["status"] == 200
    assert not (server.home / "runtime.json").exists()
    assert "Traceback" not in server.output()


def test_open_pages_do_not_hold_up_a_stop(serve):
    server = serve()
    with requests.Session() as browser:
        code = server.admin("POST", "/api/sign-in-codes").json()["code"]
        browser.post(f"{server.url}/sign-in", data={"code": code}, timeout=10)
        feed = browser.get(f"{server.url}/events", stream=True, timeout=10)
        lines = feed.iter_lines()
        assert next(lines).startswith(b"retry")

        stopped_at = time.monotonic()
        server.signal(signal.SIGTERM)
        list(lines)

        assert server.wait() == 0
    assert time.monotonic() - stopped_at < 5


def test_a_second_signal_means_now(serve):
    server = serve()
    answer = server.chat("custom/endless", stream=True)
    assert next(answer.iter_lines())

    server.signal(signal.SIGINT)
    eventually(lambda: not server.listens())
    server.signal(signal.SIGINT)

    assert server.wait(5) == 1
    answer.close()


def test_a_kill_leaves_nothing_open(serve):
    first = serve()
    engine_pids = _engines_of(first)
    with ThreadPoolExecutor(12) as pool:
        for _ in range(12):
            pool.submit(_stream_until_cut, first, "custom/endless")
        eventually(lambda: len(first.pending()) == 12)
        first.kill()

    second = serve(bearer=first.bearer)

    assert second.ready_s < 5
    assert second.pending() == []
    states = {row["state"] for row in second.query("SELECT state FROM attempt WHERE"
                                                   " model = 'custom/endless'")}  # fmt: skip
    assert states == {"unknown"}
    open_rows = second.query("SELECT 1 FROM request WHERE status IS NULL")
    assert open_rows == []
    assert_serves(second)
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in engine_pids))


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_an_engine_that_dies_is_replaced(serve, number):
    server = serve()
    answer = server.chat(STARTER, "Tell me a long story.", stream=True, max_tokens=2000)
    lines = answer.iter_lines()
    assert next(lines)

    [engine] = server.engines()
    engine.send_signal(number)
    rest = [line for line in lines if line]

    assert b'"error"' in rest[-1]
    assert rest[-1] != b"data: [DONE]"
    row = server.ended(answer.headers["x-request-id"])
    assert row["status"] in {502, 503}
    assert_replaced(server)


@pytest.mark.engine
def test_an_engine_that_dies_before_the_first_word_is_a_503(serve):
    server = serve()
    assert server.chat(STARTER).status_code == 200
    with ThreadPoolExecutor() as pool:
        # A prompt that takes its time before the first word.
        long = [{"role": "user", "content": "one two three " * 2000}]
        asked = pool.submit(post, server, STARTER, messages=long)
        eventually(lambda: server.pending())
        time.sleep(0.2)
        [engine] = server.engines()
        engine.kill()
        answer = asked.result()

    assert_error(answer, 503, "engine_down")
    assert answer.headers["Retry-After"]
    assert_replaced(server)


@pytest.mark.engine
def test_ctrl_c_in_a_terminal_lets_the_model_finish(serve):
    server = serve()
    body = {"model": STARTER, "messages": user("Tell me a story."), "max_tokens": 60}
    answer = server.ask("POST", "/v1/chat/completions", {**body, "stream": True}, stream=True,
                        timeout=60)  # fmt: skip
    lines = answer.iter_lines()
    assert next(lines)

    # A terminal sends it to every process of the foreground group.
    for process in (psutil.Process(server.process.pid), *server.engines()):
        process.send_signal(signal.SIGINT)
    rest = [line for line in lines if line]

    assert rest[-1] == b"data: [DONE]"
    assert server.wait() == 0


def test_a_port_in_use_is_one_clear_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = command(tmp_path, "serve", LAROUTER_PORT=str(port))

    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"larouter: Port {port} is used by another program. Stop it, or choose another port: "
        f"LAROUTER_PORT={port + 1}\n"
    )


def test_a_second_serve_says_where_the_first_runs(router):
    result = command(router.home, "serve")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"LARouter is already running at {router.url}\n"
    assert_serves(router)


def assert_replaced(server):
    # In the instant before the death is noticed, the answer is a 503 with Retry-After.
    eventually(lambda: not server.engines())
    again = server.chat(STARTER)
    assert again.status_code == 200, again.text


def _engines_of(server):
    assert server.chat(STARTER, max_tokens=1).status_code == 200
    return [engine.pid for engine in server.engines()]


def _stream_until_cut(server, model):
    with suppress(requests.RequestException):
        post(server, model, stream=True)
