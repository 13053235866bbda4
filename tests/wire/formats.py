"""Every format at its simplest: how a client's body is read, and what a model is called."""

import json
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.wire.anthropic.request import read_request as read_anthropic
from larouter.wire.chat.request import read_request as read_chat
from larouter.wire.completions.request import read_request as read_completions
from larouter.wire.gemini.request import read_request as read_gemini
from larouter.wire.ollama.request import read_chat as read_ollama
from larouter.wire.responses.request import read_request as read_responses
from larouter.wire.road import Call, Quirks

_SAID = [{"role": "user", "content": "Hi"}]
SHORT: dict[str, Any] = {
    "chat": {"model": "auto", "messages": _SAID},
    "responses": {"model": "auto", "input": [{"role": "user", "content": "Hi"}]},
    "completions": {"model": "auto", "prompt": "Hi"},
    "anthropic": {"model": "auto", "max_tokens": 1000, "messages": _SAID},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    "ollama": {"model": "auto", "messages": _SAID},
}
"""The shortest request of each dialect."""

OPENAI = Quirks(
    max_output="max_completion_tokens", developer=True, strict=True, custom_tools=True, top_k=False
)
CALLS = {
    "chat": Call(name="gpt-6", quirks=OPENAI),
    "responses": Call(name="gpt-6"),
    "completions": Call(name="davinci", quirks=OPENAI),
    "anthropic": Call(name="claude", max_output=64_000, refuses=frozenset({"thinking_budget"})),
    "gemini": Call(name="gemini-4-argon"),
}
"""A model of each wire that takes every field which the wire has."""

_READERS: dict[str, Any] = {
    "chat": read_chat,
    "responses": read_responses,
    "completions": read_completions,
    "anthropic": read_anthropic,
    "ollama": read_ollama,
}


def read(dialect: str, body: dict, *, stream: bool = False) -> ChatRequest:
    """What the door of this dialect makes of a client's JSON."""
    if dialect == "gemini":
        return read_gemini(json.dumps(body).encode(), model="auto", stream=stream)
    return _READERS[dialect](json.dumps({**body, "stream": stream}).encode())
