"""Counting a prompt's tokens (`/v1/messages/count_tokens`): the pure parts.

Anthropic counts for its own models; what others do about it stands in `providers/roads.py`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from larouter.core.chat import ChatRequest
from larouter.core.errors import UpstreamError
from larouter.wire.anthropic.errors import read_error
from larouter.wire.anthropic.passing import headers, passed_body
from larouter.wire.anthropic.request import read_request
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import encode

PATH = "v1/messages/count_tokens"
# Anthropic refuses here what only an answer needs.
_OF_AN_ANSWER = frozenset(
    {"max_tokens", "stream", "metadata", "stop_sequences", "temperature", "top_p", "top_k"}
    | {"service_tier", "container", "inference_geo", "diagnostics", "fallbacks"}
)


class _Count(msgspec.Struct):
    input_tokens: int | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Count).decode


def read_count_request(body: bytes) -> ChatRequest:
    """As `read_request`, but `max_tokens` may be missing."""
    return read_request(body, counts=True)


def pass_count_on(request: ChatRequest, call: Call) -> Sending:
    """The question for Anthropic, about its own model."""
    body = passed_body(request, call)
    kept = {name: value for name, value in body.items() if name not in _OF_AN_ANSWER}
    return Sending(PATH, encode(kept), headers(request))


def read_count(body: bytes) -> int:
    """Anthropic's answer. Raises `UpstreamError` for one that is none."""
    try:
        count = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UpstreamError("The provider's count is not JSON.") from error
    if count.error is not None:
        raise read_error(count.error)
    if count.input_tokens is None or count.input_tokens < 0:
        raise UpstreamError("The provider's answer has no count.")
    return count.input_tokens


def write_count(tokens: int) -> bytes:
    return encode({"input_tokens": tokens})
