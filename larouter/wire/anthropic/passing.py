"""A client's own Messages request, passed on to Anthropic: changed only where it must be.

What must be: the model's name, a lower limit of the answer, thoughts and ids of other makers from
the time when another model answered, and parameters that the model, which LARouter may have chosen,
answers with an error.
"""

from __future__ import annotations

from typing import Any

from larouter.core.chat import ChatRequest
from larouter.wire.anthropic.blocks import is_foreign
from larouter.wire.anthropic.messages import safe_id
from larouter.wire.anthropic.outbound import PATH, VERSION
from larouter.wire.anthropic.thinking import LEAST_BUDGET, effort_of
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import encode

_BETAS = ("betas", "anthropic_beta")
_SAMPLING = ("temperature", "top_p", "top_k")
_FORCING = ("any", "tool")
_IDS = {"tool_use": "id", "tool_result": "tool_use_id"}


def pass_on(request: ChatRequest, call: Call) -> Sending:
    body = passed_body(request, call)
    most, asked = call.max_output, request.max_output or 0
    body["max_tokens"] = asked if most is None else min(asked, most)
    _fit_budget(body)
    return Sending(PATH, encode(body), headers(request))


def passed_body(request: ChatRequest, call: Call) -> dict[str, Any]:
    """What counting tokens needs too."""
    body = {name: value for name, value in request.body.items() if name not in _BETAS}
    body["model"] = call.name
    body["messages"], gap = _messages(body["messages"])
    for name in call.refuses.intersection(_SAMPLING):
        body.pop(name, None)
    if "thinking_budget" in call.refuses:
        _adapt(body, call)
    elif gap:
        body.pop("thinking", None)
    choice = body.get("tool_choice") or {}
    if "forced_tools" in call.refuses and choice.get("type") in _FORCING:
        body["tool_choice"] = {
            "type": "auto",
            **{name: choice[name] for name in choice if name not in ("type", "name")},
        }
    return body


def headers(request: ChatRequest) -> tuple[tuple[str, str], ...]:
    """Betas are a header's, wherever the client put them."""
    betas = [request.headers.get("anthropic-beta", "")]
    for name in _BETAS:
        betas += request.body.get(name) or ()
    named = ",".join(dict.fromkeys(beta for beta in betas if beta))
    version = request.headers.get("anthropic-version") or VERSION
    return (
        ("anthropic-version", version),
        *((("anthropic-beta", named),) if named else ()),
    )


def _messages(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    """Without what Anthropic would refuse. Was a thought taken from the last turn of Claude's?"""
    kept: list[dict[str, Any]] = []
    gap = False
    for message in messages:
        content = message["content"]
        if type(content) is not list or not any(map(_is_strange, content)):
            gap = gap and message["role"] != "assistant"
            kept.append(message)
            continue
        blocks = [_with_safe_id(block) for block in content if not is_foreign(block)]
        if message["role"] == "assistant":
            gap = len(blocks) < len(content)
        if blocks:
            kept.append({**message, "content": blocks})
    return kept, gap


def _is_strange(block: dict[str, Any]) -> bool:
    return is_foreign(block) or _with_safe_id(block) is not block


def _with_safe_id(block: dict[str, Any]) -> dict[str, Any]:
    field = _IDS.get(block["type"])
    id = block.get(field) if field else None
    if field is None or type(id) is not str or safe_id(id) == id:
        return block
    return {**block, field: safe_id(id)}


def _adapt(body: dict[str, Any], call: Call) -> None:
    """A budget, or none at all, in the words of a model that knows only effort."""
    given = body.get("thinking") or {}
    if given.get("type") == "enabled":
        kept = {name: given[name] for name in given if name != "budget_tokens"}
        body["thinking"] = {**kept, "type": "adaptive"}
        effort = effort_of(given["budget_tokens"])
    elif given.get("type") == "disabled" and "thinking_off" in call.refuses:
        del body["thinking"]
        effort = "low"
    else:
        return
    body["output_config"] = {"effort": effort, **(body.get("output_config") or {})}


def _fit_budget(body: dict[str, Any]) -> None:
    """A limit that we lowered may be below the budget, which must be smaller."""
    given = body.get("thinking") or {}
    if given.get("type") != "enabled" or given["budget_tokens"] < body["max_tokens"]:
        return
    if body["max_tokens"] <= LEAST_BUDGET:
        del body["thinking"]
    else:
        body["thinking"] = {**given, "budget_tokens": body["max_tokens"] - 1}
