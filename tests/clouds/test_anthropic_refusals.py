"""What the fake refuses on /v1/messages, and with which words."""

import pytest

from tests.clouds.posting import request, without

USER = {"role": "user", "content": "Hi"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "RXFRQg=="}
TEXT = {"type": "text", "text": "Hello"}
OLD = "claude-haiku-4-5"
EPHEMERAL = {"cache_control": {"type": "ephemeral"}}
BUDGET = {"model": OLD, "max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 1024}}


def own(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def messages(*given):
    return {"messages": list(given)}


def image(**source):
    return messages(user({"type": "image", "source": source}))


@pytest.fixture
def post(anthropic_cloud):
    def send(version="2023-06-01", leave_out=(), **fields):
        body = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [USER], **fields}
        headers = {"x_api_key": anthropic_cloud.key, "anthropic_version": version}
        body = without(body, *leave_out)
        status, _, answer = request(anthropic_cloud, "POST", "/v1/messages", body, **headers)
        return status, answer

    return send


REFUSED = [
    ({"leave_out": ["max_tokens"]}, "max_tokens: Field required"),
    ({"leave_out": ["model"]}, "model: Field required"),
    ({"leave_out": ["messages"]}, "messages: Field required"),
    ({"n": 1}, "n: Extra inputs are not permitted"),
    ({"version": "2026-10-21", "temperature": 1.0}, "temperature: Extra inputs are not permitted"),
    ({"temperature": 1.0}, "`temperature` is deprecated for this model."),
    ({"model": OLD, "temperature": 1.1}, "temperature: Input should be less than or equal to 1"),
    ({"model": OLD, "temperature": 1, "top_p": 0.9}, "cannot both be specified for this model"),
    ({"stop_sequences": [" \n"]}, "each stop sequence must contain non-whitespace"),
    ({"system": [{"type": "text", "text": ""}]}, "system: text content blocks must be non-empty"),
    (messages(), "at least one message is required"),
    (messages(own(TEXT), USER), 'first message must use the "user" role'),
    (messages({"role": "tool", "content": "x"}), "'user', 'assistant' or 'system'"),
    (
        {**messages(USER, {"role": "system", "content": "x"}), "model": OLD},
        "role 'system' is not supported on this model",
    ),
    (messages({"role": "system", "content": "x"}, USER), "must immediately follow a user message"),
    (messages({**USER, "name": "x"}), "messages.0.name: Extra inputs are not permitted"),
    (messages(user({"type": "text", "text": ""})), "text content blocks must be non-empty"),
    (messages({"role": "user", "content": ""}), "all messages must have non-empty content"),
    (messages(user({**TEXT, "id": 1})), "messages.0.content.0.text.id: Extra inputs"),
    (messages(user({"type": "input_text"})), "Input tag 'input_text' found using 'type'"),
    (messages(user(USE)), "Input tag 'tool_use' found using 'type'"),
    (
        image(type="base64", media_type="image/bmp", data="AA=="),
        "media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
    ),
    (image(type="base64", data="AA=="), "media_type: Field required"),
    (messages(USER, own(USE)), "`tool_use` ids were found without `tool_result` blocks"),
    (messages(USER, own(USE), user(TEXT)), "without `tool_result` blocks immediately after"),
    (messages(user(RESULT)), "unexpected `tool_use_id` found in `tool_result` blocks: toolu_1"),
    (messages(USER, own(USE), user(TEXT, RESULT)), "tool_result blocks must come first"),
    (messages(USER, own(USE), user(RESULT, RESULT)), "each tool_use must have a single result"),
    (messages(USER, own({**USE, "input": "{}"}), user(RESULT)), "should be a valid dictionary"),
    (messages(USER, own({**USE, "id": "a b"}), user(RESULT)), "tool_use.id: String should match"),
    (messages(USER, own(THOUGHT, TEXT), USER), "Invalid `signature` in `thinking` block"),
    (
        messages(USER, own({"type": "redacted_thinking", "data": "AA=="}, TEXT), USER),
        "Invalid `data` in `redacted_thinking` block",
    ),
    (messages(USER, own(TEXT)), "does not support assistant message prefill"),
    (
        {**messages(USER, own({**TEXT, "text": "Well "})), "model": OLD},
        "final assistant content cannot end with trailing whitespace",
    ),
    ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [{**TOOL, "input_schema": {}}]}, "input_schema.type: Field required"),
    ({"tools": [{**TOOL, "name": "a.b"}]}, "tools.0.custom.name: String should match pattern"),
    ({"tools": [{**TOOL, "parameters": {}}]}, "custom.parameters: Extra inputs"),
    ({"tools": [{**TOOL, "strict": True}]}, "must be explicitly set to false"),
    ({"tools": [TOOL, TOOL]}, "Tool names must be unique"),
    ({"tool_choice": {"type": "auto"}}, "may only be specified while providing tools"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found"),
    ({"tools": [TOOL], "tool_choice": {"type": "required"}}, "Input tag 'required' found"),
    ({"system": [{**TEXT, **EPHEMERAL}] * 5}, "A maximum of 4 blocks with cache_control"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, '"thinking.type.enabled" is not'),
    ({"model": OLD, "thinking": {"type": "adaptive"}}, "adaptive thinking is not supported"),
    ({"model": "claude-fable-5-2", "thinking": {"type": "disabled"}}, "thinking.type.disabled"),
    (
        {**BUDGET, "thinking": {"type": "enabled", "budget_tokens": 1023}},
        "Input should be greater than or equal to 1024",
    ),
    ({**BUDGET, "max_tokens": 1024}, "`max_tokens` must be greater than"),
    ({**BUDGET, "temperature": 0.5}, "`temperature` may only be set to 1"),
    ({**BUDGET, "top_p": 0.9}, "`top_p` must be greater than or equal to 0.95"),
    ({**BUDGET, "tools": [TOOL], "tool_choice": {"type": "any"}}, "tool_choice forces tool use"),
    (
        {**BUDGET, **messages(USER, own(TEXT, USE), user(RESULT))},
        "Expected `thinking` or `redacted_thinking`, but found `text`",
    ),
    ({"output_config": {"effort": "minimal"}}, "output_config.effort: Input should be 'low'"),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        "'additionalProperties' must be explicitly set to false",
    ),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_is_refused(post, fields, message):
    status, answer = post(**fields)

    assert (status, answer["type"]) == (400, "error")
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["request_id"].startswith("req_")
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"model": OLD, "temperature": 0.5, "top_k": 5},
        messages(USER, USER, own(TEXT), own(TEXT), USER),
        messages(USER, {"role": "system", "content": "Be brief."}),
        messages(USER, own(USE), user(RESULT, TEXT)),
        messages(USER, own(TEXT, USE), user({**RESULT, "is_error": True})),
        {"tools": [TOOL], "tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"}},
        {**BUDGET, **messages(USER, own(USE), user(RESULT), own(TEXT), USER)},
    ],
)
def test_is_taken(post, fields):
    assert post(**fields)[0] == 200


def test_a_thought_that_was_changed_is_refused(post):
    thinking = {"type": "adaptive", "display": "summarized"}
    _, answer = post(thinking=thinking)
    thought, text = answer["content"]
    changed = {**thought, "thinking": f"{thought['thinking']}!"}

    assert post(messages=[USER, own(thought, text), USER])[0] == 200
    assert post(messages=[USER, own(changed, text), USER])[0] == 400


def test_an_unknown_model_is_not_found(post):
    status, answer = post(model="gpt-5")

    assert (status, answer["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize(
    ("beta", "fields"),
    [
        ("context-management-2025-06-27", {"context_management": {"edits": []}}),
        ("per-turn-control-2026-07-01", messages({**USER, "output_config": {"effort": "low"}})),
    ],
)
def test_a_beta_lets_its_field_in(post, anthropic_cloud, beta, fields):
    body = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [USER], **fields}
    headers = {"x_api_key": anthropic_cloud.key, "anthropic_version": "2023-06-01"}

    status, _, _ = request(
        anthropic_cloud, "POST", "/v1/messages", body, **headers, anthropic_beta=beta
    )

    assert post(**fields)[0] == 400
    assert status == 200
