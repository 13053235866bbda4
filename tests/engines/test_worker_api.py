"""What the engine answers on its OpenAI port, with the starter model."""

import json

import pytest

from tests.engines.starter import user

pytestmark = pytest.mark.engine

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}},
            "required": ["city"],
        },
    },
}
COLOUR = {
    "type": "object",
    "properties": {"colour": {"type": "string", "maxLength": 12}, "rank": {"enum": [1, 2, 3]}},
    "required": ["colour", "rank"],
    "additionalProperties": False,
}


def schema(value):
    return {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": value}}


def text_of(answer):
    return answer.json()["choices"][0]["message"]["content"]


def error_of(answer):
    return answer.status_code, answer.json()["error"]["type"]


def test_an_answer_names_the_model_by_its_id(client):
    assert client.chat(model="anything").json()["model"] == "smollm2-135m"


def test_an_answer_counts_its_tokens(client):
    usage = client.chat(max_tokens=3, ignore_eos=True).json()["usage"]

    assert usage["completion_tokens"] == 3
    assert usage["total_tokens"] == usage["prompt_tokens"] + 3


def test_a_limit_ends_an_answer(client):
    choice = client.chat("Tell me a story.", max_tokens=3).json()["choices"][0]

    assert choice["finish_reason"] == "length"


def test_a_stop_text_ends_an_answer(client):
    answer = client.chat("Count: 1, 2, 3, 4, 5", stop=[","], temperature=0, max_tokens=40)

    assert answer.json()["choices"][0]["finish_reason"] == "stop"
    assert "," not in text_of(answer)


def test_a_seed_repeats_an_answer(client):
    texts = {text_of(client.chat("Tell me a story.", seed=7, temperature=1)) for _ in range(3)}

    assert len(texts) == 1


def test_several_choices_are_given(client):
    choices = client.chat("Name a colour.", n=3).json()["choices"]

    assert [choice["index"] for choice in choices] == [0, 1, 2]


def test_several_choices_are_streamed(client):
    frames = client.events("Name a colour.", n=2, max_tokens=3)

    seen = {choice["index"] for frame in frames[:-1] for choice in frame["choices"]}
    assert seen == {0, 1}


def test_log_probabilities_are_given(client):
    choice = client.chat(logprobs=True, top_logprobs=2, max_tokens=2, temperature=0).json()[
        "choices"
    ][0]

    assert [len(token["top_logprobs"]) for token in choice["logprobs"]["content"]] == [2, 2]


def test_log_probabilities_are_streamed(client):
    frames = client.events(logprobs=True, top_logprobs=1, max_tokens=2, temperature=0)

    tokens = [c["logprobs"] for f in frames[:-1] for c in f["choices"] if c.get("logprobs")]
    assert len(tokens) == 2


def test_a_stream_ends_with_its_usage_when_asked(client):
    frames = client.events(max_tokens=3, stream_options={"include_usage": True})

    assert frames[-1] == "[DONE]"
    assert frames[-2]["choices"] == []
    assert frames[-2]["usage"]["completion_tokens"] <= 3


def test_a_stream_says_nothing_of_its_usage_unasked(client):
    frames = client.events(max_tokens=3)

    assert all("usage" not in frame for frame in frames[:-1])


def test_a_repeated_prompt_is_cached(client):
    prompt = "The same beginning of some length, said twice. " * 4
    client.chat(prompt, max_tokens=1)

    frames = client.events(prompt, max_tokens=1, stream_options={"include_usage": True})

    usage = frames[-2]["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == usage["prompt_tokens"] - 1


def test_a_schema_is_kept(client):
    answer = client.chat("A colour and a rank", response_format=schema(COLOUR), max_tokens=80)

    value = json.loads(text_of(answer))
    assert set(value) == {"colour", "rank"}
    assert value["rank"] in {1, 2, 3}


def test_json_is_given_when_asked(client):
    answer = client.chat("A colour", response_format={"type": "json_object"}, max_tokens=16)

    assert text_of(answer).lstrip().startswith("{")


def test_tools_are_shown_to_the_model(client):
    with_tools = client.chat(tools=[WEATHER]).json()["usage"]["prompt_tokens"]

    assert with_tools > client.chat().json()["usage"]["prompt_tokens"] + 50


def test_a_started_call_is_finished_as_one(client):
    # So small a model seldom begins a call by itself; what it must not do is write a wrong one.
    messages = [
        *user("How is the weather in Paris?"),
        {"role": "assistant", "content": "<tool_call>"},
    ]
    body = {"messages": messages, "tools": [WEATHER], "tool_choice": "required"}

    answer = client.post("/v1/chat/completions", {**body, "max_tokens": 200}).json()

    call = answer["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call["name"] == "get_weather"
    assert set(json.loads(call["arguments"])) == {"city"}


def test_the_result_of_a_call_is_understood(client):
    call = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    messages = [
        *user("How is the weather in Paris?"),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "sunny"},
    ]

    answer = client.post("/v1/chat/completions", {"messages": messages, "max_tokens": 4})

    assert answer.status_code == 200


def test_a_prompt_beyond_the_context_is_refused(client):
    error = client.chat("word " * 9_000).json()["error"]

    assert (error["code"], error["type"]) == (400, "exceed_context_size_error")
    assert (error["n_prompt_tokens"] > 9_000, error["n_ctx"]) == (True, 8_192)


@pytest.mark.parametrize("value", [{"type": "nonsense"}, {"$ref": "#/nowhere"}])
def test_a_schema_that_makes_no_sense_is_refused(client, value):
    assert error_of(client.chat(response_format=schema(value))) == (400, "invalid_request_error")


@pytest.mark.parametrize("body", [{}, {"messages": "x"}, {"messages": [{"role": "user"}]}])
def test_a_request_without_messages_is_refused(client, body):
    answer = client.post("/v1/chat/completions", body)

    assert error_of(answer) == (400, "invalid_request_error")


def test_more_choices_than_slots_are_refused(client):
    assert error_of(client.chat(n=9)) == (400, "invalid_request_error")


def test_an_unknown_field_is_ignored(client):
    assert client.chat(frobnicate=1).status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/v1/embeddings", 501), ("/v1/completions", 200)])
def test_what_else_there_is(client, path, status):
    body = {"input": "x", "prompt": "Once", "max_tokens": 1}

    assert client.post(path, body).status_code == status


def test_text_is_split_into_tokens(client):
    assert client.post("/tokenize", {"content": "hello world"}).json() == {"tokens": [28120, 905]}
