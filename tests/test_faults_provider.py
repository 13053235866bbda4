"""What providers do wrong: a message, the right status, and the next request works."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.serving import assert_error, assert_serves, events, post

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "name", ["silent", "noise", "html", "empty", "error-200", "no-choices", "list"]
)
def test_an_answer_that_is_none(router, name, stream):
    error = assert_error(router.chat(f"custom/{name}", stream=stream), 502, "upstream_error")

    assert "hotel" not in error["message"]
    assert_serves(router)


def test_an_answer_that_is_cut(router):
    answer = router.chat("custom/cut")

    assert_error(answer, 502, "upstream_error")
    [attempt] = router.attempts(answer.headers["x-request-id"])
    assert attempt["state"] == "unknown"
    assert_serves(router)


@pytest.mark.parametrize("name", ["cut", "unfinished", "breaks"])
def test_a_stream_that_breaks_ends_with_an_error(router, name):
    answer = router.chat(f"custom/{name}", stream=True)

    first, *_, last = events(answer)
    assert answer.status_code == 200
    assert first["choices"][0]["delta"]["content"] == "Half"
    assert set(last["error"]) == {"message", "type", "param", "code"}
    row = router.row(answer.headers["x-request-id"])
    [attempt] = router.attempts(row["id"])
    assert (row["status"], row["error"]) == (502, "upstream_error")
    assert (attempt["state"], attempt["output"]) == ("estimated", 1)
    assert_serves(router)


@pytest.mark.parametrize("stream", [False, True])
def test_a_usage_that_cannot_be_true_is_estimated(router, stream):
    answer = router.chat("custom/liar", stream=stream)
    assert answer.status_code == 200
    assert answer.content

    [attempt] = router.attempts(answer.headers["x-request-id"])
    assert attempt["state"] == "estimated"
    assert attempt["output"] > 0


@pytest.mark.parametrize(
    ("told", "status"),
    [(400, 400), (401, 401), (402, 502), (403, 403), (404, 404), (408, 504), (418, 502),
     (429, 429), (500, 502), (503, 503), (504, 504), (529, 529)],
)  # fmt: skip
def test_a_refusal_has_a_status_that_fits(router, told, status):
    answer = router.chat(f"custom/status-{told}")

    assert_error(answer, status)
    assert "Set-Cookie" not in answer.headers


def test_nobody_there(router):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        body = {"name": "gone", "wire": "openai", "url": url}
        assert router.admin("POST", "/api/providers", body).status_code == 201

        answer = router.chat("gone/model")

    assert_error(answer, 502, "upstream_unreachable")
    attempts = router.attempts(answer.headers["x-request-id"])
    assert [(row["state"], row["cost_nusd"]) for row in attempts] == 3 * [("released", 0)]
    assert_serves(router)


def test_a_slow_one_holds_up_nobody(router):
    with ThreadPoolExecutor() as pool:
        late = pool.submit(post, router, "custom/late")
        started = time.monotonic()
        assert_serves(router)
        took_s = time.monotonic() - started

        assert not late.done()
        assert late.result().status_code == 200
    assert took_s < 1
