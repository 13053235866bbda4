"""OpenAI's chat completions, by its official client."""

import json
from typing import Any

import openai
import pytest

from tests.clouds.faults import status
from tests.clouds.posting import request

MODEL = "gpt-4.1"
THINKER = "gpt-6.2-sol"
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
WORDS = "Grüß dich é🙂"
CALL = 'call weather {"city": "Malmö 🙂"} and call weather {"city": "Rome"}'


@pytest.fixture
def chat(openai_sdk):
    def ask(text=WORDS, model=MODEL, **fields):
        messages = fields.pop("messages", [{"role": "user", "content": text}])
        return openai_sdk.chat.completions.create(model=model, messages=messages, **fields)

    return ask


def streamed(chunks, name="content"):
    return "".join(getattr(chunk.choices[0].delta, name) or "" for chunk in chunks if chunk.choices)


def test_text(chat, openai_cloud):
    answer = chat()

    assert answer.choices[0].message.content == f"You said: {WORDS}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert openai_cloud.last.path == "/v1/chat/completions"
    assert openai_cloud.last.json["model"] == MODEL


def test_stream(chat):
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))

    assert streamed(chunks) == f"You said: {WORDS}"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_stream_tells_no_usage_unasked(chat):
    assert all(chunk.usage is None for chunk in chat(stream=True))


@pytest.mark.parametrize("stream", [False, True])
def test_tools_there_and_back(openai_sdk, stream):
    messages: list[Any] = [{"role": "user", "content": CALL}]
    fields = {"model": THINKER, "tools": [TOOL]}
    if stream:
        with openai_sdk.chat.completions.stream(messages=messages, **fields) as events:
            answer = events.get_final_completion()
    else:
        answer = openai_sdk.chat.completions.create(messages=messages, **fields)
    calls = answer.choices[0].message.tool_calls
    said = answer.choices[0].message.to_dict()
    messages.append({"role": "assistant", "tool_calls": [_sent(call) for call in calls]})
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": f"{n} degrees"}
        for n, call in enumerate(calls)
    ]
    after = openai_sdk.chat.completions.create(messages=messages, **fields)

    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Malmö 🙂", "Rome"]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert said["content"] is None
    assert after.choices[0].message.content == "Results: 0 degrees; 1 degrees"


def _sent(call):
    function = {"name": call.function.name, "arguments": call.function.arguments}
    return {"id": call.id, "type": "function", "function": function}


def test_a_forced_tool_is_called_with_the_least_that_fits(chat):
    choice = {"type": "function", "function": {"name": "weather"}}
    answer = chat(tools=[TOOL], tool_choice=choice)

    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"city": ""}'


def test_one_call_when_parallel_ones_are_not_wanted(chat):
    answer = chat(CALL, tools=[TOOL], parallel_tool_calls=False)

    assert len(answer.choices[0].message.tool_calls) == 1


def test_a_schema_is_fitted(chat):
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 3}, "s": {"$ref": "#/$defs/s"}},
        "$defs": {"s": {"enum": ["x", "y"]}},
        "required": ["n", "s"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}}

    assert chat(response_format=wanted).choices[0].message.content == '{"n": 3, "s": "x"}'


def test_a_reasoning_model_counts_what_it_does_not_show(chat):
    usage = chat("this is cached", model=THINKER).usage

    assert usage.completion_tokens_details.reasoning_tokens > 0
    assert usage.prompt_tokens_details.cached_tokens == usage.prompt_tokens // 2


@pytest.mark.parametrize(
    ("fields", "text", "reason"),
    [
        ({"max_tokens": 3}, "You sa", "length"),
        ({"stop": ["END"], "text": "a END b"}, "You said: a ", "stop"),
    ],
)
def test_an_answer_ends_early(chat, fields, text, reason):
    choice = chat(**fields).choices[0]

    assert (choice.message.content, choice.finish_reason) == (text, reason)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_has_a_field_of_its_own(chat, stream):
    answer = chat("please refuse", stream=stream)

    if stream:
        assert streamed(list(answer), "refusal").startswith("I can't")
    else:
        assert answer.choices[0].message.content is None
        assert answer.choices[0].message.refusal.startswith("I can't")


def test_models(openai_sdk):
    assert THINKER in [model.id for model in openai_sdk.models.list()]
    assert openai_sdk.models.retrieve(THINKER).id == THINKER


def test_embeddings(openai_sdk):
    answer = openai_sdk.embeddings.create(model="text-embedding-3-small", input=["a", "b"])

    assert len(answer.data) == 2
    assert sum(value**2 for value in answer.data[1].embedding) == pytest.approx(1)


def test_another_key_is_refused(openai_sdk, openai_cloud):
    with pytest.raises(openai.AuthenticationError) as caught:
        openai_sdk.with_options(api_key="sk-other").models.list()

    assert caught.value.code == "invalid_api_key"
    assert request(openai_cloud, "GET", "/v1/models")[0] == 401


def test_a_scripted_status_has_the_services_shape(chat, openai_cloud):
    openai_cloud.will(status(429, retry_after=2))

    with pytest.raises(openai.RateLimitError) as caught:
        chat()

    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"] == "2"
    assert chat().choices[0].finish_reason == "stop"
