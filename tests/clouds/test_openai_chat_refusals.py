"""What the fake refuses on /v1/chat/completions, and with which words."""

import pytest

from tests.clouds.posting import request

USER = {"role": "user", "content": "Hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLS = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
OPEN = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def messages(*given):
    return {"messages": list(given)}


def tool(name="f", **fields):
    return {"tools": [{"type": "function", "function": {"name": name, **fields}}]}


@pytest.fixture
def post(openai_cloud):
    def send(**fields):
        body = {"model": "gpt-4.1", "messages": [USER], **fields}
        bearer = f"Bearer {openai_cloud.key}"
        path = "/v1/chat/completions"
        status, _, answer = request(openai_cloud, "POST", path, body, Authorization=bearer)
        return status, answer

    return send


REFUSED = [
    ({"thinking": {}}, "Unknown parameter: 'thinking'."),
    (messages(), "Invalid 'messages': empty array"),
    (messages({"role": "robot", "content": ""}), "Invalid value: 'robot'. Supported values"),
    (messages({**USER, "id": "x"}), "Unknown parameter: 'messages[0].id'."),
    (messages({"role": "user"}), "Missing required parameter: 'messages[0].content'."),
    (messages({"role": "assistant", "content": None}), "expected a string, got null"),
    (
        messages(USER, {"role": "assistant", "content": "", "reasoning_content": ""}),
        "Unknown parameter: 'messages[1].reasoning_content'.",
    ),
    (
        messages(USER, {"role": "assistant", "content": "", "reasoning_details": []}),
        "Unknown parameter: 'messages[1].reasoning_details'.",
    ),
    (
        messages(USER, {**CALLS, "tool_calls": [{**CALL, "extra_content": {}}]}, RESULT),
        "Unknown parameter: 'messages[1].tool_calls[0].extra_content'.",
    ),
    (
        messages(USER, {**CALLS, "tool_calls": [{**CALL, "index": 0}]}, RESULT),
        "Unknown parameter: 'messages[1].tool_calls[0].index'.",
    ),
    (
        messages(
            USER, {**CALLS, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]}
        ),
        "Invalid type for 'messages[1].tool_calls[0].function.arguments': expected a string",
    ),
    (
        messages(USER, {**CALLS, "tool_calls": [{**CALL, "id": "c" * 41}]}),
        "Expected a string with maximum length 40",
    ),
    (messages(USER, {"role": "assistant", "tool_calls": []}), "Invalid 'messages[1].tool_calls'"),
    (messages(USER, RESULT), "messages with role 'tool' must be a response"),
    (messages(USER, CALLS, USER, RESULT), "did not have response messages: call_1"),
    (messages(USER, CALLS), "did not have response messages: call_1"),
    (
        messages({"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}),
        "Invalid value: 'input_text'.",
    ),
    (
        messages({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}),
        "Expected a base64-encoded data URL",
    ),
    ({"temperature": 2.1}, "Invalid 'temperature': decimal above maximum value."),
    ({"temperature": "hot"}, "Invalid type for 'temperature'"),
    ({"top_p": -0.1}, "Invalid 'top_p': decimal below minimum value."),
    ({"max_tokens": 0}, "integer below minimum value"),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "at the same time"),
    ({"stop": list("abcde")}, "Invalid 'stop': array too long."),
    ({"stream_options": {"include_usage": True}}, "only allowed when 'stream' is enabled"),
    ({"tools": []}, "Invalid 'tools': empty array"),
    ({"tools": None}, "Invalid type for 'tools'"),
    ({"tool_choice": "auto"}, "only allowed when 'tools' are specified"),
    ({"parallel_tool_calls": True}, "only allowed when 'tools' are specified"),
    (tool("a.b"), "matches the pattern '^[a-zA-Z0-9_-]+$'"),
    (tool("x" * 65), "maximum length 64"),
    (tool(input_schema={}), "Unknown parameter: 'tools[0].function.input_schema'."),
    (tool(parameters={"type": "string"}), "schema must be a JSON Schema of 'type: \"object\"'"),
    (tool(parameters=OPEN, strict=True), "'additionalProperties' is required to be supplied"),
    (
        tool(parameters={**OPEN, "required": [], "additionalProperties": False}, strict=True),
        "Missing 'a'.",
    ),
    (
        {**tool(), "tool_choice": {"type": "function", "function": {"name": "g"}}},
        "not found in 'tools'",
    ),
    ({"response_format": {"type": "json_object"}}, "must contain the word 'json'"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "strict": True, "schema": OPEN},
            }
        },
        "Invalid schema for response_format 'a'",
    ),
    ({"reasoning_effort": "low"}, "'reasoning_effort' is not supported with this model"),
    ({"model": "gpt-6.2-sol", "max_tokens": 9}, "Use 'max_completion_tokens' instead."),
    ({"model": "gpt-6.2-sol", "temperature": 0.2}, "Only the default (1) value is supported."),
    ({"model": "gpt-6.2-sol", "top_p": 0.2}, "'top_p' is not supported with this model"),
    ({"model": "gpt-6.2-sol", "stop": ["x"]}, "'stop' is not supported with this model"),
    ({"model": "gpt-6.1-terra", **tool()}, "To use function tools, use /v1/responses"),
    ({"model": "gpt-6.1-terra", "reasoning_effort": "none", **tool()}, "use /v1/responses"),
    ({"model": "gpt-6-luna", **tool()}, "set reasoning_effort to 'none'"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_is_refused(post, fields, message):
    status, answer = post(**fields)

    assert status == 400
    assert set(answer["error"]) == {"message", "type", "param", "code"}
    assert answer["error"]["type"] == "invalid_request_error"
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": None, "stop": None, "metadata": {"a": "b"}},
        {"model": "gpt-6.2-sol", "temperature": 1, "max_completion_tokens": 9, **tool()},
        {"model": "gpt-6-luna", "reasoning_effort": "none", "temperature": 0.2, **tool()},
        messages({"role": "developer", "content": "Be brief."}, USER),
        messages(USER, CALLS, RESULT, USER),
        tool(parameters=OPEN),
    ],
)
def test_is_taken(post, fields):
    assert post(**fields)[0] == 200


def test_an_unknown_model_is_not_found(post):
    status, answer = post(model="claude-opus-5-5")

    assert (status, answer["error"]["code"]) == (404, "model_not_found")
