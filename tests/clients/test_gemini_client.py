"""The official Google client over every cloud."""

import pytest
from google.genai import errors, types

from tests.clients.talkers import NAME, TOOL

pytestmark = pytest.mark.slow

TOOLS: list = [
    types.Tool(
        function_declarations=[types.FunctionDeclaration(name=NAME, parameters_json_schema=TOOL)]
    )
]


def test_text(gemini_client, model):
    answer = gemini_client.models.generate_content(model=model, contents="Hello")

    assert answer.text == "You said: Hello"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.prompt_token_count > 0


def test_a_stream(gemini_client, model):
    chunks = list(gemini_client.models.generate_content_stream(model=model, contents="Hello 🙂"))

    assert "".join(chunk.text or "" for chunk in chunks) == "You said: Hello 🙂"
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.total_token_count > 0


def test_a_chat_calls_a_function_and_goes_on(gemini_client, model):
    config = types.GenerateContentConfig(
        tools=TOOLS,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    chat = gemini_client.chats.create(model=model, config=config)

    (call,) = chat.send_message('call weather {"city": "Rome"}').function_calls
    answer = chat.send_message(
        types.Part(
            function_response=types.FunctionResponse(
                id=call.id, name=call.name, response={"output": "sunny"}
            )
        )
    )

    assert call.args == {"city": "Rome"}
    assert "sunny" in answer.text


def test_an_answer_in_a_schema(gemini_client):
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=TOOL
    )
    for model in ("openai/gpt-6.2-sol", "anthropic/claude-opus-5-5", "google/gemini-4-argon"):
        answer = gemini_client.models.generate_content(
            model=model, contents="As JSON", config=config
        )

        assert set(answer.parsed) == {"city"}


def test_instructions_and_limits(gemini_client, clouds, model):
    config = types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=3)

    answer = gemini_client.models.generate_content(model=model, contents="A story", config=config)

    assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert b"Be brief." in getattr(clouds, model.partition("/")[0]).last.raw


def test_thoughts_are_shown(gemini_client):
    config = types.GenerateContentConfig(
        thinking_config=types.ThinkingConfig(include_thoughts=True)
    )
    for model in ("anthropic/claude-opus-5-5", "google/gemini-4-argon"):
        answer = gemini_client.models.generate_content(model=model, contents="Hello", config=config)

        assert answer.text == "You said: Hello"
        assert answer.usage_metadata.thoughts_token_count > 0


def test_tokens_are_counted(gemini_client, model):
    assert gemini_client.models.count_tokens(model=model, contents="Hello").total_tokens > 0


def test_models_are_listed(gemini_client):
    names = [entry.name for entry in gemini_client.models.list()]

    assert "models/auto" in names


def test_errors_have_googles_shape(gemini_client):
    with pytest.raises(errors.ClientError) as caught:
        gemini_client.models.generate_content(model="nobody", contents="Hello")

    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_embeddings(gemini_client):
    for name in ("openai/text-embedding-3-small", "google/gemini-embedding-001"):
        answer = gemini_client.models.embed_content(model=name, contents=["a", "b"])

        assert len(answer.embeddings) == 2
        assert len(answer.embeddings[0].values) == 8
