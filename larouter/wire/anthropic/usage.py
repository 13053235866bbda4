"""Anthropic's `usage` and ours. Its `input_tokens` leave out what the cache read and wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.chat import Usage
from larouter.core.price import service_name

_MOST_TOKENS = 1_000_000_000
"""More than this in one call cannot be true, and its cost might not fit the database."""

_FAST = "fast"
"""Not a tier but a speed there, with a price of its own."""


def latest(before: Any, update: Any) -> Any:
    """`message_start` says the prompt's tokens; `message_delta` repeats or corrects them. Its
    counts are totals, not additions, and null where it does not say."""
    if not isinstance(update, Mapping):
        return before
    known = before if isinstance(before, Mapping) else {}
    return {**known, **{name: value for name, value in update.items() if value is not None}}


def read_usage(usage: Any) -> Usage | None:
    """Map Anthropic's usage to disjoint buckets; None for what cannot be true (TRUST B6)."""
    if not isinstance(usage, Mapping):
        return None
    prompt: Any = usage.get("input_tokens")
    output: Any = usage.get("output_tokens")
    read = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    hour = _get(usage.get("cache_creation"), "ephemeral_1h_input_tokens") or 0
    thought = _get(usage.get("output_tokens_details"), "thinking_tokens") or 0
    for count in (prompt, output, read, written, hour, thought):
        if type(count) is not int or not 0 <= count <= _MOST_TOKENS:
            return None
    if hour > written or thought > output:
        return None
    return Usage(
        input=prompt,
        cache_read=read,
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        output=output,
        reasoning=thought,
        service=service_name(_FAST if usage.get("speed") == _FAST else usage.get("service_tier")),
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """As `message_delta` says it."""
    return {
        "input_tokens": usage.input + usage.audio + usage.image,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }


def write_whole_usage(usage: Usage) -> dict[str, Any]:
    """As a whole message says it, and `message_start`."""
    return {
        **write_usage(usage),
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "service_tier": "standard",
    }


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None
