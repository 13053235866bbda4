"""A legacy completion, read as far as routing needs it."""

from __future__ import annotations

from typing import Any

from larouter.core.chat import ChatRequest, Message
from larouter.wire import fields
from larouter.wire.strict_json import MAX_INTEGER, decode_object

_MOST_ANSWERS = 128
_NUMBERS = (
    ("temperature", 0, 2), ("top_p", 0, 1), ("presence_penalty", -2, 2),
    ("frequency_penalty", -2, 2),
)  # fmt: skip


def read_request(body: bytes) -> ChatRequest:
    """Read a request's JSON; raises `BadRequest` naming the field."""
    given = fields.kept(decode_object(body))
    model = fields.identifier(given, "model")
    prompts, texts = _prompts(given)
    for name, low, high in _NUMBERS:
        fields.number(given, name, low, high)
    fields.whole(given, "seed")
    fields.texts(given, "stop")
    fields.text(given, "suffix")
    fields.boolean(given, "echo")
    n = fields.whole(given, "n", 1, _MOST_ANSWERS) or 1
    best_of = fields.whole(given, "best_of", 1, _MOST_ANSWERS) or 1
    return ChatRequest(
        model=model,
        messages=tuple(Message("user", text) for text in texts),
        body=given,
        size=len(body),
        max_output=fields.whole(given, "max_tokens", 0, MAX_INTEGER),
        # Each prompt is answered `n` times, each time by the best of `best_of`: all are billed.
        n=max(n, best_of) * prompts,
        stream=fields.boolean(given, "stream"),
        wants_usage=_wants_usage(given),
        needs=frozenset({"logprobs"} if given.get("logprobs") is not None else ()),
        dialect="completions",
    )


def _prompts(given: dict[str, Any]) -> tuple[int, tuple[str, ...]]:
    """How many prompts there are, and their texts unless they are the numbers of tokens."""
    prompt = given.get("prompt")
    if prompt is None:
        raise fields.missing("prompt")
    if type(prompt) is list and prompt:
        if all(_is_token(item) for item in prompt):
            return 1, ()
        if all(type(item) is list and item and all(map(_is_token, item)) for item in prompt):
            return len(prompt), ()
    texts = () if type(prompt) is list and not prompt else fields.texts(given, "prompt")
    if not texts:
        raise fields.wrong("prompt", "a text, or a list with at least one")
    return len(texts), texts


def _is_token(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER


def _wants_usage(given: dict[str, Any]) -> bool:
    options = given.get("stream_options")
    if options is None:
        return False
    if type(options) is not dict:
        raise fields.wrong("stream_options", "an object")
    return fields.boolean(options, "include_usage")
