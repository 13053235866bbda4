"""OpenAI: chat completions, responses, embeddings and models."""

from __future__ import annotations

import re
import secrets
from typing import Any

from tests.clouds import openai_chat, openai_chat_rules, openai_responses, vectors
from tests.clouds import openai_errors as errors
from tests.clouds.mind import say, tokens
from tests.clouds.server import Cloud, Refusal, Reply, Seen, Stream, Whole, event
from tests.clouds.signatures import Signatures

MODELS = (
    "gpt-6.2-astra", "gpt-6.2-sol", "gpt-6.1-terra", "gpt-6-luna", "gpt-5.6-sol", "gpt-5",
    "gpt-4.1", "text-embedding-3-small",
)  # fmt: skip
_MESSAGES = {
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    404: ("The resource was not found.", "invalid_request_error", None),
    405: ("Not allowed to use this method on this resource.", "invalid_request_error", None),
    429: (
        "Rate limit reached for requests. Please try again in 2s.",
        "requests",
        "rate_limit_exceeded",
    ),
    503: (
        "The engine is currently overloaded, please try again later.",
        "server_error",
        "overloaded",
    ),
}
_OURS = "The server had an error while processing your request. Sorry about that!"


class OpenAICloud(Cloud):
    key = "sk-proj-fake-openai"

    def __init__(self) -> None:
        self.signatures = Signatures()
        self.store = openai_responses.Store()
        super().__init__()

    @property
    def headers(self):
        return {
            "x-request-id": f"req_{secrets.token_hex(16)}",
            "openai-version": "2020-10-01",
            "openai-processing-ms": "7",
            "x-ratelimit-remaining-requests": "9999",
        }

    def authorise(self, seen: Seen) -> None:
        scheme, _, key = seen.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            message = (
                "You didn't provide an API key. You need to provide your API key in an "
                "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
            )
            raise errors.refusal(message, status=401)
        if key != self.key:
            message = (
                f"Incorrect API key provided: {key[:3]}***{key[-4:]}. You can find your API key "
                "at https://platform.openai.com/account/api-keys."
            )
            raise errors.refusal(message, code="invalid_api_key", status=401)

    def refusal(self, status: int, message: str = "") -> Refusal:
        usual = _OURS if status >= 500 else "Something is wrong with your request."
        kind = "server_error" if status >= 500 else "invalid_request_error"
        text, kind, code = _MESSAGES.get(status, (usual, kind, None))
        return errors.refusal(message or text, code=code, status=status, kind=kind)

    def error_event(self, seen: Seen) -> bytes:
        if seen.path.endswith("/responses"):
            return openai_responses.failed(_OURS)
        return event({"error": self.refusal(500).whole.body["error"]})

    def chat(self, seen: Seen, _: re.Match[str]) -> Reply:
        body = self._json(seen)
        openai_chat_rules.check(body)
        self._model(body["model"])
        thinks = bool(errors.generation(body["model"])) and body.get("reasoning_effort") != "none"
        said = say(openai_chat.ask(body, thinks))
        shape = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": 1790000000,
            "model": body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_fake",
        }
        usage = openai_chat.usage(said.count)
        if not body.get("stream"):
            return Whole(openai_chat.whole(said, shape, usage, body.get("n") or 1))
        options = body.get("stream_options") or {}
        wanted = usage if options.get("include_usage") else None
        is_padded = options.get("include_obfuscation") is not False
        return Stream(openai_chat.chunks(said, shape, wanted, is_padded))

    def responses(self, seen: Seen, _: re.Match[str]) -> Reply:
        body = self._json(seen)
        answer = openai_responses.answer(body, self.store, self.signatures)
        self._model(body["model"])
        return answer

    def embeddings(self, seen: Seen, _: re.Match[str]) -> Reply:
        body = self._json(seen)
        errors.required(body, ["model", "input"])
        errors.known(body, {"input", "model", "dimensions", "encoding_format", "user"})
        self._model(body["model"])
        given = [body["input"]] if isinstance(body["input"], str) else body["input"]
        errors.filled(given, "input")
        data = [
            {"object": "embedding", "index": index, "embedding": _embedding(text, body)}
            for index, text in enumerate(given)
        ]
        count = sum(tokens(str(text)) for text in given)
        usage = {"prompt_tokens": count, "total_tokens": count}
        return Whole({"object": "list", "data": data, "model": body["model"], "usage": usage})

    def models(self, _: Seen, __: re.Match[str]) -> Reply:
        return Whole({"object": "list", "data": [_described(model) for model in MODELS]})

    def model(self, _: Seen, match: re.Match[str]) -> Reply:
        if match[1] not in MODELS:
            raise self._no_model(match[1])
        return Whole(_described(match[1]))

    def _json(self, seen: Seen) -> Any:
        if not isinstance(seen.json, dict):
            message = "We could not parse the JSON body of your request."
            raise errors.refusal(f"{message} The OpenAI API expects a JSON payload.")
        return seen.json

    def _model(self, model: Any) -> None:
        if not re.match(r"(gpt-|o\d|text-embedding-)", str(model)):
            raise self._no_model(model)

    def _no_model(self, model: Any) -> Refusal:
        message = f"The model `{model}` does not exist or you do not have access to it."
        return errors.refusal(message, code="model_not_found", status=404)

    routes = (
        ("POST", "/v1/chat/completions", chat),
        ("POST", "/v1/responses", responses),
        ("POST", "/v1/embeddings", embeddings),
        ("GET", "/v1/models", models),
        ("GET", "/v1/models/(.+)", model),
    )


def _embedding(text: Any, body: dict[str, Any]) -> Any:
    values = vectors.vector(str(text), body.get("dimensions") or 8)
    return vectors.as_base64(values) if body.get("encoding_format") == "base64" else values


def _described(model: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": 1780000000, "owned_by": "openai"}
