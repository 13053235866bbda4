"""How much to think: effort, a budget of tokens, or the model's own choice.

Current Claude models think adaptively, steered by `output_config.effort`, and answer a budget with
400; older ones know budgets alone. The catalogue says which (`refuses`: `thinking_budget`).
Source: Claude API docs, "Troubleshooting thinking".
"""

from __future__ import annotations

from typing import Any

from larouter.core.conversation import Conversation, Opaque
from larouter.wire.road import Call

LEAST_BUDGET = 1024
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 32_768}
_LARGEST_BUDGET = 65_536
# The pairs that a native reader would also make: Anthropic has no `none` and no `minimal` effort.
_EFFORTS = {"none": "low", "minimal": "low"}

NO_MAKER = "none"
_REDACTED = "redacted:"
_BINDING = {"block_binding": {"prefix_mismatch_behavior": "drop_block"}}
BINDING_BETA = "thinking-binding-controls-2026-08-01"


def effort_of(budget: int) -> str:
    """The effort that a budget stands for, for wires that know no budgets."""
    return next((name for name, most in list(_BUDGETS.items())[1:] if budget <= most), "max")


def budget_of(effort: str) -> int:
    return _BUDGETS.get(effort, _LARGEST_BUDGET)


def redacted(data: str) -> Opaque:
    """A `redacted_thinking` block, told apart from a signed thought whose text was omitted. No
    base64 has a colon in it."""
    return Opaque("anthropic", _REDACTED + data)


def thinking_block(text: str, data: str) -> dict[str, Any]:
    """The block as Anthropic sent it, from what `redacted` or a signature was kept as."""
    if data.startswith(_REDACTED):
        return {"type": "redacted_thinking", "data": data.removeprefix(_REDACTED)}
    return {"type": "thinking", "thinking": text, "signature": data}


def fields(
    conversation: Conversation, call: Call, max_tokens: int, *, forced: bool, holds: bool, gap: bool
) -> dict[str, Any]:
    """`thinking` and `output_config` for this call. `forced`: a tool must be called; `holds`: the
    turns hold thoughts of Claude's; `gap`: the tools' turn that goes on has none."""
    if "thinking_budget" in call.refuses:
        return _adaptive(conversation, call, holds=holds)
    return _budgeted(conversation, max_tokens, off=forced or gap)


def _adaptive(conversation: Conversation, call: Call, *, holds: bool) -> dict[str, Any]:
    effort = conversation.effort
    if effort is None and conversation.thinking_tokens is not None:
        effort = effort_of(conversation.thinking_tokens)
    if effort == "none" and "thinking_off" not in call.refuses:
        return {"thinking": {"type": "disabled"}}
    thinking: dict[str, Any] = {}
    if conversation.shows_thinking:
        thinking["display"] = "summarized"
    if holds:
        # A thought is bound to the words before it. A client of another dialect cannot know, and
        # may change them: better that the thought is dropped than that the request fails.
        thinking |= _BINDING
    found: dict[str, Any] = {}
    if thinking:
        found["thinking"] = {"type": "adaptive", **thinking}
    if effort is not None:
        found["output_config"] = {"effort": _EFFORTS.get(effort, effort)}
    return found


def _budgeted(conversation: Conversation, max_tokens: int, *, off: bool) -> dict[str, Any]:
    """Older models: forced tools, and a tools' turn that began without a thought, forbid it."""
    effort = conversation.effort or ("medium" if conversation.shows_thinking else "none")
    budget = conversation.thinking_tokens
    if budget is None and effort != "none":
        budget = budget_of(effort)
    if not budget or off or max_tokens <= LEAST_BUDGET:
        return {}
    budget = min(max(budget, LEAST_BUDGET), max_tokens - 1)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}
