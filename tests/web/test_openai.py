"""The OpenAI endpoints over the whole app: answers, headers, decisions, refusals."""

import pytest

from larouter.core.policy import Policy
from larouter.core.ports import Leaving
from larouter.core.rates import PER_PROJECT
from larouter.wire.chat.request import read_request
from tests.provider import TEXT

MESSAGES = [{"role": "user", "content": "Hi"}]
CHAT = "/v1/chat/completions"


@pytest.fixture
def house(open_house, provider):
    return open_house(LAROUTER_CUSTOM_URL=provider.url)


def rows(house, table="request"):
    """What the database says, oldest first."""

    def read(connection):
        connection.row_factory = None
        found = connection.execute(f"SELECT * FROM {table} ORDER BY started_ms, id")  # noqa: S608
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    return house.services.run._writer.run(read)


def test_an_answer_is_the_providers_own(house):
    answer = house.chat("custom/plain")

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.json["choices"][0]["message"]["content"] == TEXT


def test_an_answer_says_who_gave_it_and_why(house):
    headers = house.chat("custom/plain").headers

    assert headers["x-larouter-model"] == "custom/plain"
    assert headers["x-larouter-tier"] == "-"
    assert headers["x-larouter-stage"] == "explicit"
    assert headers["x-larouter-score"] == "0.00"
    assert headers["x-larouter-reason"] == "custom/plain was asked for by name"
    assert headers["x-larouter-cost-usd"] == "unknown"
    assert "x-larouter-degraded" not in headers
    assert "Set-Cookie" not in headers


def test_the_id_of_an_answer_is_its_row(house):
    answer = house.chat("custom/plain")

    assert [row["id"] for row in rows(house)] == [answer.headers["x-request-id"]]
    assert [row["request_id"] for row in rows(house, "attempt")] == [answer.headers["x-request-id"]]


def test_a_stream_is_events_and_done(house):
    answer = house.chat("custom/plain", stream=True)

    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["x-request-id"]
    assert "x-larouter-cost-usd" not in answer.headers
    assert answer.data.endswith(b"data: [DONE]\n\n")
    assert b'"usage"' not in answer.data


def test_the_clients_own_id_is_kept_beside_ours(house):
    answer = house.ask(
        "POST", CHAT, {"model": "custom/plain", "messages": MESSAGES},
        headers={"X-Request-Id": "mine-1"},
    )  # fmt: skip

    assert answer.headers["x-request-id"].startswith("req_")
    assert rows(house)[0]["rid"] == "mine-1"


@pytest.mark.parametrize("rid", ["x" * 201, "tab\there"])
def test_an_id_that_is_no_id_is_refused(house, rid):
    answer = house.ask(
        "POST", CHAT, {"model": "custom/plain", "messages": MESSAGES},
        headers={"X-Request-Id": rid},
    )  # fmt: skip

    assert answer.status_code == 400


def test_the_bearer_stays_here(house, provider):
    house.chat("custom/plain")

    assert house.bearer not in str(provider.last)
    assert "Authorization" not in provider.last["headers"]


def test_a_compressed_body_is_refused(house):
    for path in (CHAT, "/v1/route"):
        answer = house.ask("POST", path, data=b"...", headers={"Content-Encoding": "gzip"})

        assert (answer.status_code, answer.json["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", [CHAT, "/v1/route"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"messages": NaN}', b"{} {}", b"{}",
     b'{"model": "auto"}', b'{"model": "auto", "messages": []}',
     b'{"model": 7, "messages": [{"role": "user", "content": "Hi"}]}',
     b'{"model": "auto", "messages": [{"role": "user", "content": 7}]}',
     b'{"model": "auto", "messages": [{"role": "king", "content": "Hi"}]}'],
)  # fmt: skip
def test_a_malformed_body_is_a_400_with_a_reason(house, path, body):
    answer = house.ask("POST", path, data=body)

    assert answer.status_code == 400
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert answer.json["error"]["message"]


@pytest.mark.parametrize("name", ["gpt-unknown", "nobody/model", "local/nothing", "custom/"])
def test_an_unknown_model_is_a_404_and_a_row(house, name):
    answer = house.chat(name)

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "model_not_found")
    [row] = rows(house)
    assert (row["status"], row["error"], row["asked"]) == (404, "model_not_found", name)
    assert row["id"] == answer.headers["x-request-id"]
    assert rows(house, "attempt") == []


def test_an_unknown_model_can_be_routed_as_auto(open_house, provider):
    house = open_house(LAROUTER_UNKNOWN_MODEL="auto", LAROUTER_CUSTOM_URL=provider.url)

    decision = house.ask("POST", "/v1/route", {"model": "gpt-unknown", "messages": MESSAGES})

    assert decision.json["tier"] == "HEARTBEAT"


def test_a_model_without_its_key_is_a_424(house):
    answer = house.chat("openai/gpt-6")

    assert answer.status_code == 424
    assert answer.json["error"]["code"] == "provider_not_configured"


def test_a_decision_calls_nobody_and_writes_nothing(house, provider):
    before = len(provider.seen)

    decision = house.ask("POST", "/v1/route", {"messages": MESSAGES}).json

    assert {
        "tier", "score", "need_strong", "confidence", "stage", "model", "provider", "fallbacks",
        "reasons", "gates", "estimated_cost_usd", "latency_ms",
    } <= set(decision)  # fmt: skip
    assert (decision["tier"], decision["model"]) == ("HEARTBEAT", "local/smollm2-135m")
    assert decision["degraded"] == "not-downloaded"
    assert 0 <= decision["score"] <= 1
    assert decision["estimated_cost_usd"] == "0"
    assert "features" not in decision
    assert (len(provider.seen), rows(house)) == (before, [])


def test_a_decision_can_explain_itself(house):
    decision = house.ask("POST", "/v1/route", {"messages": MESSAGES, "explain": True}).json

    assert decision["features"]["turns"] == 1
    assert decision["threshold"] == 0.5
    assert (decision["probabilities"], decision["tags"], decision["predicted"]) == ({}, [], None)
    assert (decision["prompt_tokens"] > 0, decision["output_tokens"]) == (True, 30)
    assert all(gate["words"] and gate["by"] for gate in decision["gates"])


def test_what_was_measured_is_predicted(house):
    def ask():
        body = {"model": "custom/plain", "messages": MESSAGES, "explain": True}
        return house.ask("POST", "/v1/route", body).json

    assert ask()["predicted"] is None
    house.chat("custom/plain")
    predicted = ask()["predicted"]

    assert predicted["hot"] is True
    assert 0 <= predicted["first_s"] <= predicted["total_s"] < 60


def test_a_decision_is_the_projects_own(house):
    services = house.services
    project = services.projects.get("default")
    services.projects.update(project.id, policy=Policy(mode="local-only"))

    decision = house.ask("POST", "/v1/route", {"model": "custom/plain", "messages": MESSAGES})

    assert (decision.status_code, decision.json["error"]["code"]) == (403, "policy_refused")


def test_a_decision_follows_the_tier_that_was_asked_for(house):
    by_header = house.ask(
        "POST", "/v1/route", {"messages": MESSAGES}, headers={"x-larouter-tier": "frontier"}
    )
    by_model = house.ask("POST", "/v1/route", {"model": "Frontier", "messages": MESSAGES})
    wrong = house.ask(
        "POST", "/v1/route", {"messages": MESSAGES}, headers={"x-larouter-tier": "royal"}
    )

    assert by_header.json["tier"] == by_model.json["tier"] == "FRONTIER"
    assert by_header.json["score"] == 1
    assert (wrong.status_code, wrong.json["error"]["code"]) == (400, "invalid_tier")


PAID = {"model": "openai/gpt-6-luna", "messages": MESSAGES}


@pytest.fixture
def broke(open_house):
    """There is a key, and a budget that pays for nothing."""
    house = open_house(OPENAI_API_KEY="sk-of-nobody", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    house.admin("POST", "/api/budgets", {"project": "default", "name": "None", "cap": "0"})
    return house


def test_a_spent_budget_is_foreseen(broke):
    answer = broke.ask("POST", "/v1/route", PAID)
    refused = broke.ask("POST", CHAT, PAID)

    assert answer.status_code == 200
    said = answer.json["refused"]
    assert (said["status"], said["code"]) == (refused.status_code, "insufficient_quota")
    assert said["message"] == refused.json["error"]["message"] == answer.json["reasons"][0]
    (gate,) = [gate for gate in answer.json["gates"] if gate["why"] == "budget"]
    assert gate["model"] == "openai/gpt-6-luna"
    assert rows(broke, "attempt") == []


def test_a_free_model_in_place_of_a_spent_budget_is_foreseen(broke):
    services = broke.services
    project = services.projects.get("default")
    services.projects.update(project.id, policy=Policy(when_spent="local"))

    decision = broke.ask("POST", "/v1/route", {"model": "frontier", "messages": MESSAGES}).json

    assert (decision["refused"], decision["provider"]) == (None, "local")
    assert "budget" in {gate["why"] for gate in decision["gates"]}


def test_a_shorter_answer_is_foreseen(open_house):
    house = open_house(OPENAI_API_KEY="sk-of-nobody")
    budget = {"project": "default", "name": "Some", "cap": "0.0003"}
    house.admin("POST", "/api/budgets", budget)

    decision = house.ask("POST", "/v1/route", {**PAID, "max_tokens": 2000}).json

    assert decision["refused"] is None
    assert 256 <= decision["max_tokens"] < 2000


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", CHAT), ("POST", "/v1/route"), ("GET", "/v1/models"), ("GET", "/v1/models/auto")],
)
def test_nobody_gets_in_without_a_bearer(house, method, path):
    answer = house.ask(method, path, bearer=False)

    assert (answer.status_code, answer.json["error"]["code"]) == (401, "invalid_api_key")


def test_the_admin_key_is_no_project(house):
    body = {"model": "custom/plain", "messages": MESSAGES}

    assert house.admin("POST", CHAT, body).status_code == 401


def test_a_project_has_only_so_many_requests_in_flight(house):
    gateway = house.services.gateway
    project = house.services.projects.get("default")
    request = read_request(
        b'{"model": "custom/plain", "messages": [{"role": "user", "content": "Hi"}]}'
    )
    answers = [
        gateway.answer(project, request, f"req_{number}", Leaving())
        for number in range(PER_PROJECT)
    ]

    refused = house.chat("custom/plain")
    decided = house.ask("POST", "/v1/route", {"messages": MESSAGES})
    answers.pop().close()
    served = house.chat("custom/plain")
    for answer in answers:
        answer.close()
        answer.close()

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json["error"]["code"] == "too_many_in_flight"
    assert (decided.status_code, served.status_code) == (200, 200)
    assert gateway.in_flight == {project.id: 0}


def test_a_stream_that_a_stop_cuts_off_says_so(house):
    gateway, leaving = house.services.gateway, Leaving()
    body = b'{"model": "custom/endless", "messages": [{"role": "user", "content": "Hi"}]'
    project = house.services.projects.get("default")
    answer = gateway.answer(project, read_request(body + b', "stream": true}'), "req_1", leaving)
    pieces = iter(answer)
    next(pieces)

    leaving.fire()

    assert b'"code":"unavailable"' in list(pieces)[-1]
    assert rows(house)[0]["status"] == 499


@pytest.mark.parametrize("name", ["nobody/knows", "custom/status-500", "custom/plain"])
def test_what_is_over_is_not_in_flight(house, name):
    house.chat(name)
    house.chat(name, stream=True).close()

    assert set(house.services.gateway.in_flight.values()) == {0}
