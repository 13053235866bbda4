"""OpenAI's `usage` and ours: disjoint buckets, whatever the provider's habits (TRUST B6)."""

from __future__ import annotations

from typing import Any

from larouter.core.chat import Usage
from larouter.core.price import service_name

_MOST_TOKENS = 1_000_000_000
"""More than this in one call cannot be true, and its cost might not fit the database."""


def read_usage(usage: Any, service: Any = None) -> Usage | None:
    """Map OpenAI's usage to disjoint buckets; None for what cannot be true.

    `prompt_tokens` includes what was read from and written to the cache. DeepSeek names the former
    `prompt_cache_hit_tokens`.
    """
    prompt, output = _get(usage, "prompt_tokens"), _get(usage, "completion_tokens")
    details = _get(usage, "prompt_tokens_details")
    cached = _get(details, "cached_tokens")
    if cached is None:
        cached = _get(usage, "prompt_cache_hit_tokens") or 0
    written = _get(details, "cache_write_tokens") or 0
    sound = _get(details, "audio_tokens") or 0
    thought = _get(_get(usage, "completion_tokens_details"), "reasoning_tokens") or 0
    for count in (prompt, output, cached, written, sound, thought):
        if type(count) is not int or not 0 <= count <= _MOST_TOKENS:
            return None
    if cached + written + sound > prompt or thought > output:
        return None
    return Usage(
        input=prompt - cached - written - sound,
        cache_read=cached,
        cache_write_5m=written,
        output=output,
        reasoning=thought,
        audio=sound,
        service=service_name(service),
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """As OpenAI says it."""
    written = usage.cache_write_5m + usage.cache_write_1h
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": written,
            "audio_tokens": usage.audio,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
