"""Responses' `usage` and ours: disjoint buckets (TRUST B6)."""

from __future__ import annotations

from typing import Any

from larouter.core.chat import Usage
from larouter.core.price import service_name

_MOST_TOKENS = 1_000_000_000
"""More than this in one call cannot be true, and its cost might not fit the database."""


def read_usage(usage: Any, service: Any = None) -> Usage | None:
    """None for what cannot be true. `input_tokens` includes what the cache gave and took."""
    prompt, output = _get(usage, "input_tokens"), _get(usage, "output_tokens")
    details = _get(usage, "input_tokens_details")
    cached = _get(details, "cached_tokens") or 0
    written = _get(details, "cache_write_tokens") or 0
    # Kept for 12 hours, and not for 30 minutes.
    long = _get(_get(details, "cache_write_tokens_details"), "ttl_12h_tokens") or 0
    thought = _get(_get(usage, "output_tokens_details"), "reasoning_tokens") or 0
    for count in (prompt, output, cached, written, long, thought):
        if type(count) is not int or not 0 <= count <= _MOST_TOKENS:
            return None
    if cached + written > prompt or long > written or thought > output:
        return None
    return Usage(
        input=prompt - cached - written,
        cache_read=cached,
        cache_write_5m=written - long,
        cache_write_1h=long,
        output=output,
        reasoning=thought,
        service=service_name(service),
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """As OpenAI says it."""
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.output,
    }


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
