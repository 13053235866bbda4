"""Gemini, by its official client."""

import json

import pytest
from google import genai
from google.genai import types

from tests.clouds.faults import status
from tests.clouds.posting import request

MODEL = "gemini-4-argon"
WORDS = "Grüß dich é🙂"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = types.Tool(
    function_declarations=[types.FunctionDeclaration(name="weather", parameters_json_schema=SCHEMA)]
)
CALL = 'call weather {"city": "Malmö 🙂"} and call weather {"city": "Rome"}'
ASK = {"contents": [{"parts": [{"text": "Hi é🙂"}]}]}


@pytest.fixture
def generate(gemini_sdk):
    def ask(contents=WORDS, model=MODEL, **config):
        return gemini_sdk.models.generate_content(
            model=model, contents=contents, config=types.GenerateContentConfig(**config)
        )

    return ask


@pytest.fixture
def stream(gemini_sdk):
    def ask(contents=WORDS, model=MODEL, **config):
        wanted = types.GenerateContentConfig(**config)
        return list(
            gemini_sdk.models.generate_content_stream(model=model, contents=contents, config=wanted)
        )

    return ask


def post(cloud, path, body=ASK, **headers):
    return request(cloud, "POST", path, body, **{"x_goog_api_key": cloud.key, **headers})


def asked(text):
    return types.UserContent(parts=[types.Part(text=text)])


def answered(content):
    called = [part.function_call for part in content.parts if part.function_call]
    return types.UserContent(
        parts=[
            types.Part.from_function_response(name=call.name, response={"result": f"{n} degrees"})
            for n, call in enumerate(called)
        ]
    )


def test_text(generate):
    answer = generate()

    assert answer.text == f"You said: {WORDS}"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.candidates[0].content.parts[-1].thought_signature


def test_each_chunk_has_the_usage_and_the_last_the_reason(stream):
    chunks = stream()
    reasons = [chunk.candidates[0].finish_reason for chunk in chunks]

    assert "".join(chunk.text or "" for chunk in chunks) == f"You said: {WORDS}"
    assert all(chunk.usage_metadata.total_token_count for chunk in chunks)
    assert reasons == [None] * (len(chunks) - 1) + [types.FinishReason.STOP]
    counts = chunks[-1].usage_metadata
    spoken = counts.candidates_token_count + counts.thoughts_token_count
    assert counts.total_token_count == counts.prompt_token_count + spoken


def test_thoughts_are_told_on_demand(generate):
    parts = generate(thinking_config={"include_thoughts": True}).candidates[0].content.parts

    assert [part.thought for part in parts] == [True, None]


@pytest.mark.parametrize("model", [MODEL, "gemini-2.5-pro"])
@pytest.mark.parametrize("streaming", [False, True])
def test_tools_and_signatures_there_and_back(generate, stream, model, streaming):
    if streaming:
        parts = [part for c in stream(CALL, model, tools=[TOOL]) for part in c.parts or ()]
        content = types.ModelContent(parts=parts)
    else:
        content = generate(CALL, model, tools=[TOOL]).candidates[0].content
    history = [asked(CALL), content, answered(content)]
    after = generate(history, model, tools=[TOOL])

    called = [part.function_call for part in content.parts]
    assert [call and call.args for call in called] == [{"city": "Malmö 🙂"}, {"city": "Rome"}]
    assert [bool(part.thought_signature) for part in content.parts] == [True, False]
    assert after.text == "Results: 0 degrees; 1 degrees"


def test_the_sdk_calls_functions_by_itself(gemini_sdk):
    def weather(city: str) -> str:
        """Say how the weather is in a city."""
        return f"call weather {json.dumps({'city': 'Oslo'})}" if city == "Rome" else "sunny"

    chat = gemini_sdk.chats.create(model=MODEL, config=types.GenerateContentConfig(tools=[weather]))

    assert chat.send_message('call weather {"city": "Rome"}').text == "Results: sunny"


def test_a_schema_is_fitted(generate):
    answer = generate(response_mime_type="application/json", response_json_schema=SCHEMA)

    assert answer.text == '{"city": ""}'


def test_a_forced_tool_is_called(generate):
    answer = generate(
        tools=[TOOL],
        tool_config={"function_calling_config": {"mode": types.FunctionCallingConfigMode.ANY}},
    )

    assert answer.function_calls[0].args == {"city": ""}


@pytest.mark.parametrize(
    ("config", "text", "reason"),
    [
        ({"max_output_tokens": 3}, "You sa", types.FinishReason.MAX_TOKENS),
        ({"stop_sequences": ["END"]}, "You said: a ", types.FinishReason.STOP),
    ],
)
def test_an_answer_ends_early(generate, config, text, reason):
    answer = generate("a END b", **config)

    assert (answer.text, answer.candidates[0].finish_reason) == (text, reason)


def test_a_refusal_is_a_reason_or_a_blocked_prompt(generate):
    refused = generate("please refuse").candidates[0]
    blocked = generate("refuse the prompt")

    assert (refused.finish_reason, refused.content) == (types.FinishReason.SAFETY, None)
    assert blocked.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


def test_cached_tokens_are_counted(generate):
    assert generate("this is cached").usage_metadata.cached_content_token_count > 0


def test_tokens_embeddings_and_models(gemini_sdk):
    counted = gemini_sdk.models.count_tokens(model=MODEL, contents="Hello there")
    embedded = gemini_sdk.models.embed_content(model="gemini-embedding-001", contents=["a", "b"])

    assert counted.total_tokens > 0
    assert len(embedded.embeddings) == 2
    assert f"models/{MODEL}" in [model.name for model in gemini_sdk.models.list()]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_stream_is_a_list_unless_it_is_asked_for_as_events(gemini_cloud, version):
    path = f"/{version}/models/{MODEL}:streamGenerateContent"
    _, _, listed = post(gemini_cloud, path)
    _, headers, events = post(gemini_cloud, f"{path}?alt=sse")

    assert "".join(chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in listed)
    assert headers["Content-Type"] == "text/event-stream"
    assert events.count(b"\r\n\r\n") == len(listed)


def test_the_error_of_a_list_is_a_list(gemini_cloud):
    path = f"/v1beta/models/{MODEL}:streamGenerateContent"

    assert post(gemini_cloud, path, {})[2][0]["error"]["status"] == "INVALID_ARGUMENT"
    assert "error" in post(gemini_cloud, f"{path}?alt=sse", {})[2]


def test_keys(gemini_cloud):
    missing, _, unknown = request(gemini_cloud, "GET", "/v1beta/models")
    wrong, _, invalid = request(gemini_cloud, "GET", "/v1beta/models?key=other")

    assert (missing, unknown["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert (wrong, invalid["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
    assert request(gemini_cloud, "GET", f"/v1beta/models?key={gemini_cloud.key}")[0] == 200


def test_a_scripted_status_has_the_services_shape(generate, gemini_cloud):
    gemini_cloud.will(*[status(429)] * 9)

    with pytest.raises(genai.errors.ClientError) as caught:
        generate()

    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
