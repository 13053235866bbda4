"""Requests for a provider that has legacy completions: the client's own, or one turn of a chat."""

from __future__ import annotations

from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Conversation, Text
from larouter.core.errors import CannotCarry
from larouter.wire.losses import Loss
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import encode

WIRE_LOSSES = (
    Loss("tools", "refused", "a plain completion calls no tools"),
    Loss("format", "refused", "a plain completion has no form to keep to"),
    Loss("images", "refused", "a plain completion reads text only"),
    Loss("audio", "refused", "a plain completion reads text only"),
    Loss("files", "refused", "a plain completion reads text only"),
    Loss("tool_choice", "left out", "a plain completion calls no tools"),
    Loss("parallel_tools", "left out", "a plain completion calls no tools"),
    Loss("effort", "left out", "a plain completion does not think first"),
    Loss("thinking_tokens", "left out", "a plain completion does not think first"),
    Loss("shows_thinking", "left out", "a plain completion does not think first"),
    Loss("top_k", "left out", "OpenAI and DeepSeek do not know it; other servers are sent it"),
)

_PATH = "completions"
# What belongs to this format, whatever a provider's quirks say of its chat completions.
_OWN = frozenset(
    {"best_of", "echo", "frequency_penalty", "logprobs", "max_tokens", "model", "n"}
    | {"presence_penalty", "prompt", "seed", "stop", "stream", "stream_options", "suffix"}
    | {"temperature", "top_p"}
)


def pass_on(request: ChatRequest, call: Call) -> Sending:
    """As the client wrote it, but for the model's name, and a stream's usage, which we need."""
    body = _known(dict(request.body), call)
    body["model"] = call.name
    if request.max_output is not None:
        body["max_tokens"] = request.max_output
    if request.stream:
        options = request.body.get("stream_options") or {}
        body["stream_options"] = {**options, "include_usage": True}
    else:
        body.pop("stream_options", None)
    if body.get("suffix") and not call.quirks.fills:
        raise CannotCarry(
            "This model continues a text and fills no gap before a suffix. Leave 'suffix' out, or "
            "ask a model that takes it.",
            param="suffix",
        )
    fills = call.quirks.fill_path if body.get("suffix") else None
    return Sending(fills or _PATH, encode(body))


def write(conversation: Conversation, call: Call) -> Sending:
    """A conversation that is a single text. Raises `CannotCarry` for any other: how turns look in
    a text is known to a model's own template alone."""
    turns = conversation.turns
    parts = turns[0].parts if len(turns) == 1 and turns[0].role == "user" else ()
    texts = [part.text for part in parts if isinstance(part, Text)]
    if not texts or len(texts) < len(parts):
        raise CannotCarry(
            "This model continues one text and knows no turns. Send a single message of the user, "
            "or ask a model that talks.",
            param="messages",
        )
    body: dict[str, Any] = {"model": call.name, "prompt": "\n\n".join(texts)}
    optional = {
        "max_tokens": conversation.max_output,
        "temperature": conversation.temperature,
        "top_p": conversation.top_p,
        "top_k": conversation.top_k if call.quirks.top_k else None,
        "stop": list(conversation.stop) or None,
        "seed": conversation.seed,
        "presence_penalty": conversation.presence_penalty,
        "frequency_penalty": conversation.frequency_penalty,
        "user": conversation.user,
    }
    body |= {
        name: value
        for name, value in optional.items()
        if value is not None and name not in call.refuses
    }
    if call.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Sending(_PATH, encode(_known(body, call)))


def _known(body: dict[str, Any], call: Call) -> dict[str, Any]:
    quirks = call.quirks
    return {
        name: value
        for name, value in body.items()
        if name not in quirks.never and (quirks.only is None or name in _OWN or name in quirks.only)
    }
