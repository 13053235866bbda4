"""Figures and codes in words: what the pages show instead of nano-dollars and milliseconds."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from flask import Flask

_DEGRADED = {
    "no-key": "no {provider} key",
    "no-address": "{provider} has no address",
    "not-downloaded": "not downloaded",
    "loading": "still loading",
    "engine-down": "its engine has stopped",
    "provider-down": "{provider} is not available",
    "context": "the request is too long for it",
    "budget": "the budget is used up",
    "offline": "no network",
    "policy": "your rules prefer another",
    "local-only": "this project stays on this machine",
}
_STAGES = {
    "rules": "by rule",
    "learned": "by classifier",
    "judge": "judged by a model",
    "default": "by default",
    "policy": "by your rules",
    "explicit": "asked for by name",
    "gate": "only one that could",
    "sticky": "same model as before",
    "fallback": "second choice",
    "escalated": "tried again higher up",
    "privacy": "kept on this machine",
}
_PROBLEMS = {
    "client_left": "the program that asked did not wait",
    "context_length_exceeded": "too long for every model that may answer",
    "crash": "LARouter itself failed; its log says why",
    "engine_down": "the local engine stopped",
    "engine_quarantined": "the local engine keeps stopping",
    "engines_busy": "no memory for another local model now",
    "insufficient_quota": "the budget is used up",
    "model_file_damaged": "the model's file is damaged",
    "model_not_downloaded": "the model is not downloaded",
    "model_not_found": "no model has that name",
    "provider_key_refused": "the provider refused its key",
    "provider_not_configured": "that provider has no key yet",
    "provider_resting": "the provider keeps failing and is left alone for a moment",
    "rate_limit_exceeded": "too many requests at once",
    "storage_unavailable": "it could not be written down",
    "too_many_in_flight": "too many requests at once",
    "upstream_error": "the provider failed",
    "upstream_timeout": "the provider took too long",
    "upstream_unreachable": "the provider could not be reached",
}
_PROVIDERS = {
    "local": "this machine",
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "google": "Google",
    "deepseek": "DeepSeek",
    "ollama": "Ollama",
    "llamacpp": "llama.cpp",
}


def install(app: Flask) -> None:
    """Give the templates these words as filters."""
    for word in (plain, money, thousands, took, clock, iso, span, stage, problem, degraded):
        app.add_template_filter(word)


def plain(text: object) -> str:
    """Strip what would act on a screen instead of being read on it (TRUST S5).

    Control characters, and the format characters that reorder or hide text; a line break or a tab
    becomes a space.
    """
    return "".join(
        " " if letter in "\n\r\t" else letter
        for letter in str(text)
        if letter in "\n\r\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )


def money(nusd: int) -> str:
    """Nano-dollars as dollars: four places below one dollar, two from there on."""
    dollars = Decimal(nusd) / 1_000_000_000
    if 0 < dollars < Decimal("0.0001"):
        return "< $0.0001"
    places = Decimal("0.0001") if 0 < dollars < 1 else Decimal("0.01")
    return f"${dollars.quantize(places, ROUND_HALF_UP):,}"


def thousands(number: int) -> str:
    return f"{number:,}"


def took(ms: int) -> str:
    """Milliseconds as a time that people can compare: 412 ms, 1.73 s, 2 min 5 s."""
    if ms < 1:
        return "< 1 ms"
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f} s" if ms < 10_000 else f"{ms / 1000:.1f} s"
    return f"{ms // 60_000} min {ms % 60_000 // 1000} s"


def clock(ms: int) -> str:
    """A moment in this machine's zone; with its day unless that is today."""
    moment, today = _local(ms), datetime.now(UTC).astimezone().date()
    return f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment.day} {moment:%b %H:%M}"


def iso(ms: int) -> str:
    return _local(ms).isoformat(timespec="seconds")


def span(seconds: float) -> str:
    """How long something has run, in its two largest units."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} d {minutes // 60 % 24} h"


def stage(name: str) -> str:
    """Who decided."""
    return _STAGES.get(name, name)


def problem(code: str) -> str:
    """Why there was no answer; a code without words of its own is read out."""
    return _PROBLEMS.get(code, code.replace("_", " "))


def provider(name: str) -> str:
    return _PROVIDERS.get(name, name)


def degraded(reason: str, model_provider: str = "") -> str:
    """Why a model does not serve its own tier; `model_provider` is that model's."""
    name = provider(model_provider) if model_provider else "provider"
    return _DEGRADED.get(reason, reason).format(provider=name)


def _local(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).astimezone()
