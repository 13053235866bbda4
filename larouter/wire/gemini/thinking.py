"""How hard a Gemini model is to think: a level since Gemini 3, a number of tokens before.

Source: ai.google.dev/gemini-api/docs/generate-content/thinking and the guides of Gemini 4. No model
takes both; Gemini 4 refuses a budget; since Gemini 3 thinking cannot be turned off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.conversation import Conversation
from larouter.wire.gemini.fields import get
from larouter.wire.gemini.signature import generation
from larouter.wire.road import Call

_LEVELS = {
    "none": "LOW", "minimal": "LOW", "low": "LOW", "medium": "MEDIUM", "high": "HIGH",
    "xhigh": "HIGH", "max": "HIGH",
}  # fmt: skip
_BUDGETS = {
    "none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 32_768,
    "max": 32_768,
}  # fmt: skip
_HARDEST = frozenset({"xhigh", "max"})
_EASIEST = frozenset({"none", "minimal"})
_KNOWS_XHIGH = ("gemini-4-hydrogen",)
_BY_TOKENS = ((0, "none"), (4096, "low"), (16_384, "medium"))


def write(conversation: Conversation, call: Call) -> dict[str, Any]:
    """The `thinkingConfig`; empty if the client asked for nothing."""
    config: dict[str, Any] = {}
    if conversation.effort is not None or conversation.thinking_tokens is not None:
        if generation(call.name) == 2 and "thinking_budget" not in call.refuses:
            config["thinkingBudget"] = _budget(conversation, call.name)
        else:
            config["thinkingLevel"] = _level(_effort(conversation), call.name)
    if conversation.shows_thinking:
        config["includeThoughts"] = True
    return config


def _budget(conversation: Conversation, model: str) -> int:
    tokens = conversation.thinking_tokens
    if tokens is None:
        tokens = _BUDGETS.get(conversation.effort or "", -1)
    least, most = (128, 32_768) if "pro" in model else (0, 24_576)
    return tokens if tokens < 0 else min(max(tokens, least), most)


def _effort(conversation: Conversation) -> str:
    if conversation.effort is not None:
        return conversation.effort
    tokens = conversation.thinking_tokens or 0
    return next((effort for most, effort in _BY_TOKENS if tokens <= most), "high")


def _level(effort: str, model: str) -> str:
    if effort in _HARDEST and any(name in model for name in _KNOWS_XHIGH):
        return "XHIGH"
    if effort in _EASIEST and generation(model) == 3 and "flash" in model:
        return "MINIMAL"
    return _LEVELS.get(effort, "HIGH")


def read(config: Mapping[str, Any]) -> tuple[str | None, int | None, bool]:
    """A client's `thinkingConfig`: effort, tokens, and whether it wants to see thoughts."""
    level, budget = get(config, "thinkingLevel"), get(config, "thinkingBudget")
    shows = bool(get(config, "includeThoughts"))
    effort = level.lower() if level else None
    if effort == "thinking_level_unspecified":
        effort = None
    if budget == 0:
        return effort or "none", None, shows
    return effort, budget if budget and budget > 0 else None, shows
