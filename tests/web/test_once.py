"""`Idempotency-Key`: whoever asks twice is answered once (TRUST B11)."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest
import requests

from larouter.store.idempotency import KEPT_MS
from tests.provider import TEXT
from tests.serving import eventually, user

KEY = {"Idempotency-Key": "order-17"}
CHAT = "/v1/chat/completions"
PLAIN = {"model": "custom/plain", "messages": user("Hi")}
DIALECTS = [
    pytest.param(CHAT, PLAIN, id="chat"),
    pytest.param("/v1/completions", {"model": "custom/plain", "prompt": "Hi"}, id="completions"),
    pytest.param("/v1/responses", {"model": "custom/plain", "input": "Hi"}, id="responses"),
    pytest.param(
        "/v1/responses", {"model": "custom/plain", "input": "Hi", "store": False}, id="unkept"
    ),
    pytest.param("/v1/responses/compact", {"model": "custom/plain", "input": "Hi"}, id="compact"),
    pytest.param("/v1/messages", {**PLAIN, "max_tokens": 9}, id="messages"),
    pytest.param(
        "/v1beta/models/custom/plain:generateContent",
        {"contents": [{"parts": [{"text": "Hi"}]}]},
        id="gemini",
    ),
    pytest.param("/api/chat", {**PLAIN, "stream": False}, id="ollama"),
]


@pytest.fixture
def house(open_house, provider):
    house = open_house(LAROUTER_CUSTOM_URL=provider.url)
    provider.seen.clear()
    return house


@pytest.fixture
def ask(house):
    def ask(path=CHAT, body=PLAIN, *, headers=KEY, **options):
        return house.ask("POST", path, body, headers=headers, **options)

    return ask


def code(answer):
    return answer.json["error"]["code"]


@pytest.mark.parametrize(("path", "body"), DIALECTS)
def test_a_whole_answer_is_given_again(ask, provider, path, body):
    first, second = ask(path, body), ask(path, body)

    assert (first.status_code, second.status_code) == (200, 200), first.text
    assert second.data == first.data
    assert len(provider.seen) == 1
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    for name in ("x-request-id", "content-type", "x-larouter-model"):
        assert second.headers[name] == first.headers[name]


def test_embeddings_are_made_once(ask, provider):
    body = {"model": "custom/empty", "input": "Hi"}

    refused = [ask("/v1/embeddings", body).status_code for _ in range(2)]

    # The fake answers nonsense, which is paid for all the same.
    assert refused == [502, 409]
    assert len(provider.seen) == 1


def test_a_request_without_a_key_is_sent_as_often_as_it_comes(ask, provider):
    for _ in range(2):
        assert ask(headers=None).status_code == 200

    assert len(provider.seen) == 2


def test_a_stream_is_not_kept_and_not_sent_again(ask, provider):
    first = ask(body={**PLAIN, "stream": True})
    assert TEXT.split()[0] in first.text

    second = ask(body={**PLAIN, "stream": True})

    assert (second.status_code, code(second)) == (409, "idempotency_key_used")
    assert first.headers["x-request-id"] in second.text
    assert "answered" in second.text
    assert second.headers["x-should-retry"] == "false"
    assert len(provider.seen) == 1


def test_what_is_no_longer_kept_is_not_sent_again(house, ask, provider):
    ask()
    deleted = house.admin("DELETE", "/api/projects/default/responses")

    assert deleted.json == {"deleted": 1}
    assert code(ask()) == "idempotency_key_used"
    assert len(provider.seen) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [(CHAT, {**PLAIN, "temperature": 0}), ("/v1/messages", {**PLAIN, "max_tokens": 9})],
)
def test_another_request_needs_another_key(ask, provider, path, body):
    original = ask().headers["x-request-id"]

    answer = ask(path, body)

    assert answer.status_code == 422
    assert original in answer.text
    assert len(provider.seen) == 1


def test_another_key_is_another_request(ask, provider):
    ask()

    assert ask(headers={"Idempotency-Key": "order-18"}).status_code == 200
    assert len(provider.seen) == 2


def test_projects_do_not_share_keys(house, ask, provider):
    ask()
    other = house.admin("POST", "/api/projects", {"name": "other"}).json["bearer"]

    answer = ask(bearer=other)

    assert "idempotent-replayed" not in answer.headers
    assert len(provider.seen) == 2


def test_after_a_day_a_key_is_new(house, ask, provider):
    ask()
    house.services.idempotency._clock = lambda: house.services.started_ms + 2 * KEPT_MS

    assert "idempotent-replayed" not in ask().headers
    assert len(provider.seen) == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_a_key_that_is_no_key_is_refused(ask, provider, key):
    answer = ask(headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert answer.json["error"]["param"] == "Idempotency-Key"
    assert provider.seen == []


@pytest.mark.parametrize(
    ("path", "body", "shape"),
    [
        (CHAT, PLAIN, lambda said: said["error"]["code"] == "idempotency_key_used"),
        (
            "/v1/messages",
            {**PLAIN, "max_tokens": 9},
            lambda said: said["type"] == "error" and "order" not in said["error"]["message"],
        ),
        (
            "/v1beta/models/custom/plain:generateContent",
            {"contents": [{"parts": [{"text": "Hi"}]}]},
            lambda said: said["error"]["status"] == "ABORTED",
        ),
        ("/api/chat", {**PLAIN, "stream": False}, lambda said: isinstance(said["error"], str)),
    ],
)
def test_a_refusal_has_the_callers_shape(house, ask, path, body, shape):
    ask(path, body)
    house.admin("DELETE", "/api/projects/default/responses")

    answer = ask(path, body)

    assert answer.status_code == 409
    assert shape(answer.json), answer.text


# What may be tried again.


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 503, 529])
def test_what_a_provider_refuses_may_be_tried_again(ask, provider, status):
    body = {**PLAIN, "model": f"custom/status-{status}"}
    tries = len({ask(body=body).status_code, ask(body=body).status_code})

    assert tries == 1
    assert len(provider.seen) == 2


def test_what_a_budget_refuses_may_be_tried_again(house, ask, provider):
    budget = {"project": "default", "name": "little", "cap": "0.01"}
    made = house.admin("POST", "/api/budgets", budget)
    assert code(ask()) == "insufficient_quota"
    house.admin("DELETE", f"/api/budgets/{made.json['id']}")

    assert ask().status_code == 200
    assert len(provider.seen) == 1


def test_what_comes_too_often_may_be_tried_again(house, ask, provider):
    house.admin("PATCH", "/api/projects/default", {"policy": {"requests_per_minute": 1}})
    ask(headers=None)
    assert code(ask()) == "rate_limit_exceeded"
    house.admin("PATCH", "/api/projects/default", {"policy": {"requests_per_minute": None}})

    assert ask().status_code == 200


def test_what_was_wrong_may_be_put_right(ask, provider):
    assert ask(body={**PLAIN, "temperature": 9}).status_code == 400
    assert ask(body={**PLAIN, "model": "nobody/nothing"}).status_code == 404

    assert ask().status_code == 200
    assert len(provider.seen) == 1


@pytest.mark.parametrize("model", ["silent", "cut", "html", "no-choices"])
def test_what_a_provider_may_have_done_is_not_sent_again(ask, provider, model):
    body = {**PLAIN, "model": f"custom/{model}"}
    first = ask(body=body)
    calls = len(provider.seen)

    second = ask(body=body)

    assert (first.status_code, second.status_code) == (502, 409)
    assert "ended with upstream_error" in second.text
    assert len(provider.seen) == calls


def test_openais_client_is_told_when_to_stop(house, provider):
    http = httpx2.Client(transport=httpx2.WSGITransport(house.client.application))
    with openai.OpenAI(
        base_url="http://127.0.0.1:1/v1", api_key=house.bearer, max_retries=5, http_client=http
    ) as sdk:
        body = {**PLAIN, "model": "custom/silent"}

        # It repeats a 502 and a 409 by itself, with the same key.
        with pytest.raises(openai.ConflictError, match="another key"):
            sdk.chat.completions.create(**body, extra_headers=KEY)


# Against a real server.


def _post(server, key="order-17", **fields):
    return requests.post(
        server.url + CHAT,
        json={**PLAIN, **fields},
        headers={"Authorization": f"Bearer {server.bearer}", "Idempotency-Key": key},
        timeout=60,
    )


def test_fifty_at_once_are_one_call(serve, provider):
    server = serve()
    provider.seen.clear()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: _post(server, model="custom/late"), range(50)))

    assert len(provider.seen) == 1
    answered = [answer for answer in answers if answer.ok]
    waiting = [answer for answer in answers if not answer.ok]
    assert answered
    assert {answer.json()["error"]["code"] for answer in waiting} <= {"idempotency_in_flight"}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in waiting)
    assert _post(server, model="custom/late").content == answered[0].content
    assert len(server.query("SELECT 1 FROM request")) == 1


@pytest.mark.parametrize("ends", ["kill", "stop"])
def test_a_call_is_not_repeated_after_a_restart(serve, provider, ends):
    first = serve()
    provider.seen.clear()
    assert _post(first).ok
    with ThreadPoolExecutor() as pool:
        if ends == "kill":
            asked = pool.submit(_post, first, "order-18", model="custom/never")
            eventually(lambda: len(provider.seen) == 2)
        getattr(first, ends)()
    calls = len(provider.seen)
    second = serve(bearer=first.bearer)

    done = _post(second)

    assert (done.status_code, done.json()["error"]["code"]) == (409, "idempotency_key_used")
    if ends == "kill":
        assert asked.exception()
        lost = _post(second, "order-18", model="custom/never")
        assert lost.status_code == 409
        assert "server_stopped" in lost.text
    assert len(provider.seen) == calls


def test_a_client_that_left_finds_its_answer(serve, provider):
    """A cloud's answer that is not streamed is awaited for a while, as its usage is in it."""
    server = serve()
    with pytest.raises(requests.Timeout):
        requests.post(
            server.url + CHAT,
            json={**PLAIN, "model": "custom/late"},
            headers={"Authorization": f"Bearer {server.bearer}", **KEY},
            timeout=0.5,
        )
    eventually(lambda: server.query("SELECT 1 FROM request WHERE status IS NOT NULL"))

    answer = eventually(lambda: (found := _post(server, model="custom/late")).ok and found)

    assert answer.headers["idempotent-replayed"] == "true"
    assert answer.json()["choices"][0]["message"]["content"] == TEXT
