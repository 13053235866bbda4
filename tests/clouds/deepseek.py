"""DeepSeek: chat completions in OpenAI's form, with the thoughts told, and models."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

from tests.clouds import deepseek_rules as rules
from tests.clouds import openai_chat
from tests.clouds.mind import Count, Said, pieces, say
from tests.clouds.server import Cloud, Refusal, Reply, Seen, Stream, Whole, event

MODELS = ("deepseek-v4-pro", "deepseek-flash")
KEEP_ALIVE = b": keep-alive\n\n"
_FINISH = {**openai_chat.FINISH, "refusal": "content_filter"}


class DeepSeekCloud(Cloud):
    key = "sk-fake-deepseek"

    @property
    def headers(self):
        return {"x-ds-trace-id": secrets.token_hex(16)}

    def authorise(self, seen: Seen) -> None:
        scheme, _, key = seen.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            form = "auth header format should be Bearer sk-..."
            raise rules.refusal(f"Authentication Fails ({form})", 401)
        if key != self.key:
            raise rules.refusal(
                f"Authentication Fails, Your api key: ****{key[-4:]} is invalid", 401
            )

    def refusal(self, status: int, message: str = "") -> Refusal:
        return rules.refusal(message, status)

    def error_event(self, seen: Seen) -> bytes:
        return event({"error": self.refusal(503).whole.body["error"]})

    def chat(self, seen: Seen, _: re.Match[str]) -> Reply:
        body = seen.json
        if not isinstance(body, dict):
            raise rules.refusal("Failed to parse the request body as JSON")
        rules.check(body, seen.raw)
        if not str(body["model"]).startswith("deepseek-"):
            raise rules.refusal("Model Not Exist")
        said = say(openai_chat.ask(body, rules.thinks(body)))
        shape = {
            "id": secrets.token_hex(16),
            "created": 1790000000,
            "model": body["model"],
            "system_fingerprint": "fp_fake_deepseek",
        }
        if body.get("stream"):
            return Stream(tuple(_chunks(said, shape)))
        whole = openai_chat.whole(said, shape, _usage(said.count))
        return Whole({**whole, "choices": [_choice(whole["choices"][0], said)]})

    def models(self, _: Seen, __: re.Match[str]) -> Reply:
        data = [{"id": each, "object": "model", "owned_by": "deepseek"} for each in MODELS]
        return Whole({"object": "list", "data": data})

    routes = (
        ("POST", "(?:/v1)?/chat/completions", chat),
        ("GET", "(?:/v1)?/models", models),
    )


def _choice(choice: dict[str, Any], said: Said) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text}
    if "tool_calls" in choice["message"]:
        calls = choice["message"]["tool_calls"]
        message["tool_calls"] = [{"index": n, **call} for n, call in enumerate(calls)]
    if said.thinking:
        message["reasoning_content"] = said.thinking
    return {**choice, "message": message, "finish_reason": _FINISH[said.reason]}


def _chunks(said: Said, shape: dict[str, Any]) -> Iterator[bytes]:
    """Comments come before the first chunk and between thought and answer."""
    shape = {**shape, "object": "chat.completion.chunk"}
    deltas = list(_deltas(said))
    yield KEEP_ALIVE
    for delta in deltas[:-1]:
        if "tool_calls" in delta or delta.get("content"):
            yield KEEP_ALIVE
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield event({**shape, "choices": [choice], "usage": None})
    reason = _FINISH[said.reason]
    choice = {"index": 0, "delta": deltas[-1], "logprobs": None, "finish_reason": reason}
    yield event({**shape, "choices": [choice], "usage": _usage(said.count)})
    yield openai_chat.DONE


def _deltas(said: Said) -> Iterator[dict[str, Any]]:
    thought = {"reasoning_content": ""} if said.thinking else {}
    yield {"role": "assistant", "content": None if thought else "", **thought}
    for piece in pieces(said.thinking):
        yield {"content": None, "reasoning_content": piece}
    nothing = {"reasoning_content": None} if said.thinking else {}
    for piece in pieces(said.text):
        yield {"content": piece, **nothing}
    yield from openai_chat.call_deltas(said.calls)
    yield {"content": "", **nothing}


def _usage(count: Count) -> dict[str, Any]:
    usage = {
        "prompt_tokens": count.input,
        "completion_tokens": count.output,
        "total_tokens": count.total,
        "prompt_tokens_details": {"cached_tokens": count.cached},
        "prompt_cache_hit_tokens": count.cached,
        "prompt_cache_miss_tokens": count.input - count.cached,
    }
    if count.reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": count.reasoning}
    return usage
