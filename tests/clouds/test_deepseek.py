"""DeepSeek, by OpenAI's client: thoughts that come back, and what is refused."""

from typing import Any

import openai
import pytest

from tests.clouds.deepseek import KEEP_ALIVE
from tests.clouds.faults import status
from tests.clouds.posting import request

MODEL = "deepseek-v4-pro"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = 'call weather {"city": "Malmö 🙂"}'
OFF = {"thinking": {"type": "disabled"}}
USER = {"role": "user", "content": "Hi"}
ASKED = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
CALLS = {"role": "assistant", "content": "", "tool_calls": [ASKED]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
JSON = {"response_format": {"type": "json_object"}}
IMAGE = {
    "role": "user",
    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
}


@pytest.fixture
def chat(deepseek_sdk):
    def ask(text="Grüß dich é🙂", **fields):
        fields = {"model": MODEL, "messages": [{"role": "user", "content": text}], **fields}
        return deepseek_sdk.chat.completions.create(**fields)

    return ask


@pytest.fixture
def post(deepseek_cloud):
    def send(**fields):
        body = {"model": MODEL, "messages": [USER], **fields}
        bearer = f"Bearer {deepseek_cloud.key}"
        path = "/chat/completions"
        return request(deepseek_cloud, "POST", path, body, Authorization=bearer)

    return send


def test_text_and_thought(chat):
    message = chat().choices[0].message

    assert message.content == "You said: Grüß dich é🙂"
    assert message.reasoning_content.startswith("The user wants")


def test_stream(chat):
    chunks = list(chat(stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]

    assert "".join(delta.content or "" for delta in deltas) == "You said: Grüß dich é🙂"
    assert "".join(delta.reasoning_content or "" for delta in deltas).endswith("é🙂.")
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens_details.reasoning_tokens > 0


def test_a_stream_is_kept_alive_by_comments(post):
    raw = post(stream=True)[2]

    assert raw.startswith(KEEP_ALIVE)
    assert raw.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("path", ["", "/v1"])
@pytest.mark.parametrize("stream", [False, True])
def test_tools_and_thoughts_there_and_back(deepseek_sdk, deepseek_cloud, path, stream):
    sdk = deepseek_sdk.with_options(base_url=deepseek_cloud.url + path)
    fields = {"model": MODEL, "tools": [TOOL]}
    messages: list[Any] = [{"role": "user", "content": CALL}]
    if stream:
        with sdk.chat.completions.stream(messages=messages, **fields) as events:
            message = events.get_final_completion().choices[0].message
    else:
        message = sdk.chat.completions.create(messages=messages, **fields).choices[0].message
    call = message.tool_calls[0]
    own = {**CALLS, "tool_calls": [{**ASKED, "id": call.id}], "reasoning_content": ""}
    messages += [own, {**RESULT, "tool_call_id": call.id}]
    after = sdk.chat.completions.create(messages=messages, **fields)

    assert call.function.arguments == '{"city": "Malmö 🙂"}'
    assert after.choices[0].message.content == "Results: sunny"


def test_cached_tokens_are_hits(chat):
    usage = chat("this is cached", extra_body=OFF).usage.to_dict()

    assert usage["prompt_cache_hit_tokens"] > 0
    hits, misses = usage["prompt_cache_hit_tokens"], usage["prompt_cache_miss_tokens"]
    assert hits + misses == usage["prompt_tokens"]


def test_json_is_an_object_and_a_refusal_is_filtered(chat):
    said = chat("json please", response_format={"type": "json_object"}).choices[0]

    assert said.message.content == '{"said": "You said: json please"}'
    assert chat("please refuse").choices[0].finish_reason == "content_filter"


def test_models_and_keys(deepseek_sdk, deepseek_cloud):
    assert MODEL in [model.id for model in deepseek_sdk.models.list()]
    with pytest.raises(openai.AuthenticationError, match=r"\*\*\*\*-key is invalid"):
        deepseek_sdk.with_options(api_key="sk-no-key").models.list()


def test_no_money_has_its_own_status(chat, deepseek_cloud):
    deepseek_cloud.will(status(402))

    with pytest.raises(openai.APIStatusError, match="Insufficient Balance"):
        chat()


REFUSED = [
    ({"messages": []}, "Empty input messages"),
    (
        {"messages": [{"role": "developer", "content": "x"}]},
        "messages[0].role: unknown variant `developer`, expected one of `system`, `user`,",
    ),
    ({"messages": [{"role": "user"}]}, "messages[0]: missing field `content`"),
    ({"messages": [IMAGE]}, "unknown variant `image_url`, expected `text`"),
    ({"messages": [USER, RESULT]}, "must be a response to a preceding message"),
    ({"messages": [USER, CALLS], **OFF}, "insufficient tool messages"),
    (
        {"messages": [USER, CALLS, RESULT]},
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
    ),
    (
        {"messages": [USER, CALLS, RESULT, USER, {"role": "assistant", "content": "x"}, USER]},
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
    ),
    ({"tools": [{"type": "custom", "custom": {}}]}, "tools[0]: unknown variant `custom`"),
    ({"tools": [TOOL], "tool_choice": "required"}, "Thinking mode does not support this"),
    ({"response_format": {"type": "json_schema"}}, "This response_format type is unavailable now"),
    (JSON, "Prompt must contain the word 'json'"),
    ({"temperature": 3}, "the valid range of temperature is [0, 2]"),
    ({"model": "gpt-5"}, "Model Not Exist"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_is_refused(post, fields, message):
    got, _, answer = post(**fields)

    assert (got, answer["error"]["code"]) == (400, "invalid_request_error")
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"unheard_of": 1, "temperature": 0.3},
        {"messages": [IMAGE], "model": "deepseek-flash"},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        {"messages": [USER, CALLS, RESULT], **OFF},
        {"messages": [USER, {**CALLS, "reasoning_content": ""}, RESULT]},
        {"tools": [TOOL], "tool_choice": "required", **OFF},
    ],
)
def test_is_taken(post, fields):
    assert post(**fields)[0] == 200
