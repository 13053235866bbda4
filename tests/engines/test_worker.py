"""The child: what it serves, to whom, and that it never outlives its parent."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest
import requests

from larouter.engines.files import Files
from larouter.engines.gguf import Head
from larouter.engines.worker import _context
from tests.engines.starter import ENVIRONMENT, ROOT, STARTER, is_gone, user

_PARENT = """
import pathlib, sys
from tests.engines.starter import STARTER, pool_in
pool = pool_in(pathlib.Path(sys.argv[1]))
pool.ensure_ready(STARTER)
print("ready", flush=True)
sys.stdin.read()
"""
_LOADING_BYTES = 250_000_000
"""The model is read by then, and its room for conversations not yet laid out."""


def until(condition, timeout_s=20.0):
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def parent(tmp_path):
    """A process with a pool of its own; the test decides how it ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path)],
        cwd=ROOT,
        env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        yield process
        process.kill()


def child_of(parent):
    """The worker; before it, another child has read the head of the file."""
    found = []

    def find():
        for child in psutil.Process(parent.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "larouter.engines.worker" in child.cmdline():
                    found.append(child)
        return found

    assert until(find)
    return found[0]


def run(path, *arguments, stdin=b'{"key": "k"}\n'):
    """Run a worker to its end and return what it told its parent."""
    command = [sys.executable, "-m", "larouter.engines.worker", "--alias", "x", "--model", path]
    done = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        input=stdin,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("trained", "expected"),
    [
        (8_192, {"total": 16_384, "n_ctx": 8_192}),
        (20_000, {"total": 32_768, "n_ctx": 20_000}),
        (131_072, {"total": 32_768, "n_ctx": 32_768}),
        (None, {"total": 32_768, "n_ctx": 32_768}),
    ],
)
def test_a_request_may_use_the_full_context_within_the_limit(trained, expected):
    assert _context(Head(context=trained), 32_768) == expected


def test_a_parent_that_says_nothing_ends_the_child(tmp_path):
    assert run(str(tmp_path / "none.gguf"), stdin=b"") == b""


def test_a_missing_file_is_reported(tmp_path):
    said = json.loads(_first_line(str(tmp_path / "none.gguf")))

    assert said["error"] == "damaged"


def test_a_file_with_another_digest_is_not_loaded(tmp_path):
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF")

    said = json.loads(_first_line(str(path), "--sha256", "0" * 64))

    assert said["error"] == "damaged"


def _first_line(path, *arguments):
    """The worker leaves when its stdin ends, so it is kept open until it has spoken."""
    command = [sys.executable, "-m", "larouter.engines.worker", "--alias", "x", "--model", path]
    with subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b'{"key": "k"}\n')
        child.stdin.flush()
        return child.stdout.readline()


@pytest.mark.engine
def test_the_child_ends_with_a_parent_that_is_killed(parent):
    assert parent.stdout.readline() == b"ready\n"
    child = child_of(parent)

    parent.kill()

    assert until(lambda: is_gone(child), timeout_s=1)


@pytest.mark.engine
@pytest.mark.skipif(sys.platform == "win32", reason="there the child ends when it is loaded")
def test_the_child_ends_while_it_loads_too(parent):
    child = child_of(parent)
    assert until(lambda: child.memory_info().rss > _LOADING_BYTES)

    parent.kill()

    assert until(lambda: is_gone(child), timeout_s=0.3)


@pytest.mark.engine
def test_the_child_ends_with_a_parent_that_ends_well(parent):
    assert parent.stdout.readline() == b"ready\n"
    child = child_of(parent)

    parent.stdin.close()

    assert until(lambda: is_gone(child), timeout_s=3)


@pytest.mark.engine
@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/chat/completions", "/slots", "/props", "/metrics", "/anything"]
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_nothing_is_answered_without_the_key(client, path, headers):
    answer = requests.get(client.root + path, headers=headers, timeout=10)

    assert answer.status_code == 401


@pytest.mark.engine
def test_another_origin_is_not_invited(client):
    headers = {"Origin": "http://evil.example"}

    answer = requests.options(client.root + "/v1/chat/completions", headers=headers, timeout=10)

    assert not answer.headers.get("Access-Control-Allow-Origin")


@pytest.mark.engine
def test_the_child_listens_on_one_loopback_port(shared_pool, client):
    ready = shared_pool.ready(STARTER)

    connections = psutil.Process(ready.pid).net_connections(kind="inet")

    listening = [c.laddr for c in connections if c.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", ready.port)]


@pytest.mark.engine
def test_the_key_is_not_on_the_command_line(shared_pool, client):
    key = client.headers["Authorization"].removeprefix("Bearer ")

    assert key not in " ".join(psutil.Process(shared_pool.ready(STARTER).pid).cmdline())


@pytest.mark.engine
@pytest.mark.skipif(not hasattr(os, "nice"), reason="POSIX only")
def test_the_child_runs_at_a_lower_priority(shared_pool, client):
    child = psutil.Process(shared_pool.ready(STARTER).pid)

    assert child.nice() > psutil.Process().nice()


@pytest.mark.engine
def test_a_prompt_is_not_in_the_log(shared_pool, client):
    client.chat("canary-4711 in a prompt")
    headers = {**client.headers, "Content-Type": "application/json"}
    requests.post(
        client.root + "/v1/chat/completions",
        data='{"messages": [{"role": "user", "content": "canary-4711',
        headers=headers,
        timeout=10,
    )

    assert "canary-4711" not in "\n".join(shared_pool.last_lines(STARTER))


@pytest.mark.engine
def test_the_engine_says_its_version_and_room(shared_pool, client):
    ready = shared_pool.ready(STARTER)

    assert ready.engine.startswith("xllamacpp 20")
    assert (ready.context, ready.total_context, ready.slots) == (8_192, 16_384, 8)


@pytest.mark.engine
def test_a_file_that_is_no_model_is_reported(tmp_path):
    # A head alone: right up to the point where the weights should be.
    whole = Files(tmp_path, tmp_path / "verified.json").find(STARTER)
    assert whole is not None
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole.read_bytes()[:5_000_000])

    said = json.loads(_first_line(str(path)))

    assert said["error"] == "damaged"


@pytest.mark.engine
def test_a_stream_that_is_left_frees_its_slot(client):
    body = {"messages": user("Tell me a long story."), "max_tokens": 2_000, "stream": True}
    stream = client.post("/v1/chat/completions", {**body, "ignore_eos": True}, stream=True)
    next(stream.iter_content(100))
    assert busy_slots(client) == 1

    stream.close()

    assert until(lambda: busy_slots(client) == 0, timeout_s=1)


@pytest.mark.engine
def test_more_requests_than_slots_wait_their_turn(client):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.chat(max_tokens=2).status_code))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 12


def busy_slots(client):
    return sum(slot["is_processing"] for slot in client.get("/slots").json())
