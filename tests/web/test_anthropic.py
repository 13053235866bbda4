"""Anthropic's endpoints over the whole app: answers, streams, counts, refusals in its shape."""

import json

import pytest

from tests.clouds.anthropic import AnthropicCloud
from tests.provider import TEXT
from tests.wire.anthropic.examples import message_of

MESSAGES = "/v1/messages"
COUNT = f"{MESSAGES}/count_tokens"
ASKED = {"max_tokens": 1000, "messages": [{"role": "user", "content": "Hi"}]}
HAIKU = "anthropic/claude-haiku-5-5"


@pytest.fixture
def house(open_house, provider):
    return open_house(LAROUTER_CUSTOM_URL=provider.url)


@pytest.fixture
def cloud():
    with AnthropicCloud() as running:
        yield running


@pytest.fixture
def claude(open_house, cloud):
    return open_house(ANTHROPIC_API_KEY=cloud.key, ANTHROPIC_BASE_URL=cloud.url)


def _ask(house, model="custom/plain", path=MESSAGES, headers=None, **fields):
    return house.ask("POST", path, {"model": model, **ASKED, **fields}, headers=headers)


def test_a_model_of_another_format_answers(house):
    answer = _ask(house)

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.json["type"] == "message"
    assert answer.json["content"] == [{"type": "text", "text": TEXT}]
    assert answer.json["stop_reason"] == "end_turn"
    assert answer.headers["x-larouter-model"] == "custom/plain"


def test_a_model_of_another_format_streams(house):
    answer = _ask(house, stream=True)

    assert answer.mimetype == "text/event-stream"
    assert message_of(answer.data)["content"] == [{"type": "text", "text": TEXT}]


def test_a_key_in_anthropics_header_is_a_bearer(house):
    headers = {"x-api-key": house.bearer}

    answer = house.ask(
        "POST", MESSAGES, {"model": "custom/plain", **ASKED}, bearer=False, headers=headers
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"max_tokens": None}, 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        ({"model": "nobody/knows"}, 404, "not_found_error"),
        ({"mcp_servers": [{"type": "url"}]}, 400, "invalid_request_error"),
    ],
)
def test_a_refusal_has_anthropics_shape(house, fields, status, kind):
    answer = _ask(house, **fields)

    assert answer.status_code == status
    assert answer.json["type"] == "error"
    assert answer.json["error"]["type"] == kind
    assert answer.json["error"]["message"]


def test_nobody_is_refused_in_anthropics_shape(house):
    answer = house.ask("POST", MESSAGES, ASKED, bearer=False)

    assert answer.status_code == 401
    assert answer.json["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_gets_what_the_client_wrote(claude, cloud, stream):
    fields = {
        "system": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "adaptive", "display": "summarized"},
        "stream": stream,
    }
    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "a,b"}

    answer = _ask(claude, HAIKU, headers=headers, **fields)

    message = message_of(answer.data) if stream else answer.json
    assert message["id"].startswith("msg_01")
    assert [block["type"] for block in message["content"]] == ["thinking", "text"]
    assert cloud.last.json == {"model": "claude-haiku-5-5", **ASKED, **fields}
    assert cloud.last.headers["anthropic-version"] == "2026-10-21"
    assert cloud.last.headers["anthropic-beta"] == "a,b"
    assert claude.bearer not in str(cloud.last.headers)


def test_anthropics_own_refusal_reaches_the_client(claude):
    answer = _ask(claude, HAIKU, strange=1)

    assert answer.status_code == 400
    assert "strange: Extra inputs are not permitted" in answer.json["error"]["message"]


def test_a_client_of_openais_dialect_is_answered_by_claude(claude, cloud):
    answer = claude.chat(HAIKU, temperature=2)

    assert answer.status_code == 200
    assert answer.json["choices"][0]["message"]["content"] == "You said: Hi"
    assert cloud.last.headers["anthropic-version"] == "2023-06-01"
    assert cloud.last.json["max_tokens"] == 128_000


def test_anthropic_counts_for_its_own_models(claude, cloud):
    body = {"model": HAIKU, "messages": ASKED["messages"]}

    answer = claude.ask("POST", COUNT, body, headers={"anthropic-beta": "a"})

    assert answer.json == {"input_tokens": 3}
    assert cloud.last.path == COUNT
    assert cloud.last.headers["anthropic-beta"] == "a"


def test_for_other_models_a_count_is_an_estimate(house):
    body = {"model": "custom/plain", "messages": ASKED["messages"]}

    answer = house.ask("POST", COUNT, body)

    assert answer.json == {"input_tokens": -(-len(json.dumps(body)) // 4)}


def test_a_wrong_count_is_refused(house):
    assert house.ask("POST", COUNT, {"model": "custom/plain"}).status_code == 400
