"""Whose shape an error has, by the path and by what the client says of itself."""

import json

import pytest

from larouter.core.errors import ModelNotFound
from larouter.web.shapes import dialect_of, error_body

ANTHROPIC = {"HTTP_ANTHROPIC_VERSION": "2023-06-01"}
GOOGLE = {"HTTP_X_GOOG_API_KEY": "k"}


@pytest.mark.parametrize(
    ("path", "environ", "dialect"),
    [
        ("", {}, "chat"),
        ("/", {}, "chat"),
        ("/v1/chat/completions", {}, "chat"),
        ("/v1/responses", {}, "chat"),
        ("/v1/embeddings", {}, "chat"),
        ("/v1/models", {}, "chat"),
        ("/v1/models/auto", {}, "chat"),
        ("/v1/nothing", {}, "chat"),
        ("/v1/messages", {}, "anthropic"),
        ("/v1/messages/count_tokens", {}, "anthropic"),
        ("/v1/messages", GOOGLE, "anthropic"),
        ("/v1/models", ANTHROPIC, "anthropic"),
        ("/v1/models", GOOGLE, "gemini"),
        ("/v1beta/models", {}, "gemini"),
        ("/v1beta/models/auto:generateContent", ANTHROPIC, "gemini"),
        ("/v1beta/nothing", {}, "gemini"),
        ("/v1/models/auto:generateContent", {}, "gemini"),
        ("/v1/models/custom/a:streamGenerateContent", {}, "gemini"),
        ("/v1/models/ollama/llama4:latest", {}, "chat"),
        ("/v1/models/ollama/qwen4:8b", {}, "chat"),
        ("/v1/models/ollama/llama4:latest:countTokens", {}, "gemini"),
        ("/api/chat", {}, "ollama"),
        ("/api/tags", {}, "ollama"),
        ("/api/blobs/sha256:00", {}, "ollama"),
        ("/api/projects", {}, "chat"),
        ("/api/keys/openai", {}, "chat"),
        ("/api/chatter", {}, "chat"),
    ],
)
def test_the_path_goes_before_what_the_client_says(path, environ, dialect):
    assert dialect_of(path, environ) == dialect


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions",
         {"error": {"message": "no", "type": "invalid_request_error", "param": None,
                    "code": "model_not_found"}}),
        ("/v1/messages",
         {"type": "error", "error": {"type": "not_found_error", "message": "no"}}),
        ("/api/chat", {"error": "no"}),
    ],
)  # fmt: skip
def test_an_error_has_the_shape_of_its_path(path, body):
    assert json.loads(error_body(ModelNotFound("no"), path, {})) == body


def test_googles_shape_has_its_own_words():
    shown = json.loads(error_body(ModelNotFound("no"), "/v1beta/models/x", {}))["error"]

    assert (shown["code"], shown["status"], shown["message"]) == (404, "NOT_FOUND", "no")
