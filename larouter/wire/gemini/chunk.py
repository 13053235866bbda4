"""One event of Gemini's stream, or its whole answer: both are a `GenerateContentResponse`."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError
from larouter.core.events import Reason
from larouter.core.price import service_name

_MOST_TOKENS = 1_000_000_000
"""More than this in one call cannot be true, and its cost might not fit the database."""
_NOTHING = Raw(b"")


class FunctionCall(Struct, gc=False):
    name: str
    id: str | None = None
    args: Raw = _NOTHING


class Part(Struct, gc=False, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Raw = _NOTHING


class Content(Struct, gc=False):
    parts: list[Part] | None = None


class Candidate(Struct, gc=False, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None


class Feedback(Struct, gc=False, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class Chunk(Struct, gc=False, rename="camel"):
    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: Raw = _NOTHING
    response_id: str | None = None
    model_version: str | None = None
    error: Raw = _NOTHING


_decode_chunk = msgspec.json.Decoder(Chunk).decode
_decode = msgspec.json.Decoder().decode


def given(value: Raw) -> bool:
    """Is the field there, and not null?"""
    return bytes(value) not in (b"", b"null")


_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def decode_chunk(data: bytes) -> Chunk:
    """Raises `UpstreamError` for what is no answer, and with the words of an error."""
    try:
        chunk = _decode_chunk(data)
    except _FAULTS as error:
        raise UpstreamError("The provider sent an event that is no answer.") from error
    return _checked(chunk, "The provider broke off")


def decode_whole(body: bytes) -> Chunk:
    """The same for a whole answer, which must have a candidate or say why it has none."""
    try:
        chunk = _decode_chunk(body)
    except _FAULTS as error:
        raise UpstreamError("The provider's answer is no generateContent answer.") from error
    _checked(chunk, "The provider answered with an error")
    if not chunk.candidates and not is_blocked(chunk):
        raise UpstreamError("The provider's answer has no candidates.")
    return chunk


def _checked(chunk: Chunk, what: str) -> Chunk:
    if given(chunk.error):
        raise UpstreamError(f"{what}: {error_text(_decode(chunk.error))}")
    return chunk


def is_blocked(chunk: Chunk) -> bool:
    return chunk.prompt_feedback is not None and bool(chunk.prompt_feedback.block_reason)


def error_text(error: Any) -> str:
    """The human part of Google's error object."""
    if isinstance(error, dict):
        error = error.get("message") or error.get("status") or error.get("code") or "no message"
    return str(error)[:500]


def read_usage(data: Raw | bytes) -> Usage | None:
    """`usageMetadata` in disjoint buckets; None for what cannot be true (TRUST B6).

    `promptTokenCount` includes what was cached; thoughts and results of Google's own tools are
    counted beside it. A count of zero is left out (protobuf's JSON).
    """
    said = _decode(data) if data else None
    if type(said) is not dict or said.get("promptTokenCount") is None:
        return None
    names = ("promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount",
             "candidatesTokenCount", "thoughtsTokenCount")  # fmt: skip
    counts = [said.get(name) or 0 for name in names]
    if any(type(count) is not int or not 0 <= count <= _MOST_TOKENS for count in counts):
        return None
    prompt, tools, cached, answered, thought = counts
    if cached > prompt:
        return None
    uncached = prompt + tools - cached
    audio, image = _modality(said, "AUDIO"), _modality(said, "IMAGE")
    if audio + image > uncached:
        audio = image = 0  # The details contradict the total; the total is what counts.
    return Usage(
        input=uncached - audio - image,
        cache_read=cached,
        output=answered + thought,
        reasoning=thought,
        audio=audio,
        image=image,
        service=service_name(said.get("serviceTier")),
    )


def _modality(given: dict[str, Any], modality: str) -> int:
    """Uncached tokens of the prompt in this modality."""
    return max(0, _sum(given.get("promptTokensDetails"), modality)
               - _sum(given.get("cacheTokensDetails"), modality))  # fmt: skip


def _sum(details: Any, modality: str) -> int:
    if type(details) is not list:
        return 0
    counts = [
        row.get("tokenCount")
        for row in details
        if type(row) is dict and row.get("modality") == modality
    ]
    return sum(count for count in counts if type(count) is int and 0 <= count <= _MOST_TOKENS)


_REASONS: dict[str, Reason] = {
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "refusal",
    "RECITATION": "refusal",
    "LANGUAGE": "refusal",
    "BLOCKLIST": "refusal",
    "PROHIBITED_CONTENT": "refusal",
    "SPII": "refusal",
    "IMAGE_SAFETY": "refusal",
    "IMAGE_PROHIBITED_CONTENT": "refusal",
    "IMAGE_RECITATION": "refusal",
    "MODEL_ARMOR": "refusal",
    "ESCALATION": "refusal",
    "PUP_LIMITED_DISABLED": "refusal",
}
_FAILURES = frozenset(
    {
        "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
        "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE",
    }
)  # fmt: skip


def reason_of(candidate: Candidate, *, called: bool) -> Reason:
    """Why it ended. Raises `UpstreamError` where the model itself failed: that is no answer.
    `called`: it wants tools called, which Gemini names like any other end."""
    named = candidate.finish_reason or "STOP"
    if named in _FAILURES:
        why = candidate.finish_message or named.replace("_", " ").lower()
        raise UpstreamError(f"The model's answer is of no use: {why[:500]}")
    reason = _REASONS.get(named, "stop")
    return "tool_calls" if called and reason == "stop" else reason
