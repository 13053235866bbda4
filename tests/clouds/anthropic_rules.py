"""What Anthropic refuses on /v1/messages, apart from the messages themselves.

Version 2026-10-21 has no sampling parameters; under 2023-06-01, models from 4.7 on take none.
Thinking by budget ends with 4.6, where adaptive thinking begins.
"""

from __future__ import annotations

from typing import Any

from tests.clouds import anthropic_errors as errors
from tests.clouds.anthropic_errors import known, one_of, refusal, required, typed
from tests.clouds.schemas import is_closed

LATEST = "2026-10-21"
VERSIONS = ("2023-06-01", LATEST)
_COUNTED = {
    "cache_control", "messages", "model", "output_config", "speed", "system", "thinking",
    "tool_choice", "tools", "user_profile_id", "workspace_id",
}  # fmt: skip
_FIELDS = {
    *_COUNTED, "container", "diagnostics", "inference_geo", "max_tokens", "metadata",
    "service_tier", "stop_sequences", "stream",
}  # fmt: skip
_BETAS = {"context-management-2025-06-27": "context_management"}
PER_MESSAGE = ("per-turn-control-2026-07-01", "mid-conversation-output-config-2026-07-01")
"""Either lets a message have an `output_config` of its own; Claude Code sends the first."""
_SAMPLING = ("temperature", "top_p", "top_k")
_TOOL = {
    "type", "name", "description", "input_schema", "cache_control", "strict", "allowed_callers",
    "defer_loading", "eager_input_streaming", "input_examples",
}  # fmt: skip
NAME = "^[a-zA-Z0-9_-]{1,128}$"
_THINKING = {
    "enabled": {"type", "budget_tokens", "display"},
    "adaptive": {"type", "display"},
    "disabled": {"type"},
    "between_tools": {"type"},
}
_CHOICE = {
    "auto": {"type", "disable_parallel_tool_use"},
    "any": {"type", "disable_parallel_tool_use"},
    "tool": {"type", "name", "disable_parallel_tool_use"},
    "none": {"type"},
}


BINDING_BETA = "thinking-binding-controls-2026-08-01"


def check(
    body: dict[str, Any], version: str, counting: bool = False, betas: str | None = None
) -> None:
    fields = {*(_COUNTED if counting else _FIELDS), *_unlocked(betas or "")}
    known(body, fields if version == LATEST else {*fields, *_SAMPLING})
    required(body, ["model"])
    if not counting:
        required(body, ["max_tokens"])
        typed(body["max_tokens"], int, "max_tokens")
        if body["max_tokens"] < 0:
            raise refusal("max_tokens: Input should be greater than or equal to 0")
    required(body, ["messages"])
    for rule in (_sampling, _stop, _system, _tools, _choice, _output, _breakpoints):
        rule(body)
    _thinking(body, betas or "")


def _unlocked(betas: str) -> set[str]:
    return {field for beta, field in _BETAS.items() if beta in betas}


def _sampling(body: dict[str, Any]) -> None:
    for name in _SAMPLING:
        if body.get(name) is None:
            continue
        if errors.generation(body["model"]) >= (4, 7):
            raise refusal(f"`{name}` is deprecated for this model.")
        if name != "top_k" and body[name] > 1:
            raise refusal(f"{name}: Input should be less than or equal to 1")
        if body[name] < 0:
            raise refusal(f"{name}: Input should be greater than or equal to 0")
    both = body.get("temperature") is not None and body.get("top_p") is not None
    if both and errors.generation(body["model"]) >= (4, 5):
        message = "`temperature` and `top_p` cannot both be specified for this model."
        raise refusal(f"{message} Please use only one.")


def _stop(body: dict[str, Any]) -> None:
    for stop in body.get("stop_sequences") or ():
        if not stop.strip():
            raise refusal("stop_sequences: each stop sequence must contain non-whitespace")


def _system(body: dict[str, Any]) -> None:
    system = body.get("system", "")
    if isinstance(system, str):
        return
    typed(system, list, "system")
    for index, block in enumerate(system):
        at = f"system.{index}"
        errors.tagged(block, ["text"], at)
        known(block, {"type", "text", "cache_control", "citations"}, at)
        if not block.get("text"):
            raise refusal("system: text content blocks must be non-empty")


def _tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    for index, tool in enumerate(tools):
        if tool.get("type") in {None, "custom"}:
            _tool(tool, f"tools.{index}.custom")
    names = [tool["name"] for tool in tools if "name" in tool]
    if len(set(names)) < len(names):
        raise refusal("tools: Tool names must be unique.")


def _tool(tool: dict[str, Any], at: str) -> None:
    required(tool, ["name", "input_schema"], at)
    known(tool, _TOOL, at)
    errors.matches(tool["name"], NAME, f"{at}.name")
    schema = tool["input_schema"]
    typed(schema, dict, f"{at}.input_schema")
    required(schema, ["type"], f"{at}.input_schema")
    one_of(schema["type"], ["object"], f"{at}.input_schema.type")
    for union in ("oneOf", "allOf", "anyOf"):
        if union in schema:
            message = "input_schema does not support oneOf, allOf, or anyOf at the top level"
            raise refusal(f"{at}.input_schema: {message}")
    if tool.get("strict"):
        _closed(schema, at)


def _closed(schema: Any, at: str) -> None:
    if not is_closed(schema):
        message = "For 'object' type, 'additionalProperties' must be explicitly set to false"
        raise refusal(f"{at}: {message}")


def _choice(body: dict[str, Any]) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    kind = errors.tagged(choice, _CHOICE, "tool_choice")
    known(choice, _CHOICE[kind], f"tool_choice.{kind}")
    if not body.get("tools"):
        raise refusal("tool_choice: may only be specified while providing tools")
    if kind == "tool":
        required(choice, ["name"], "tool_choice.tool")
        if choice["name"] not in [tool.get("name") for tool in body["tools"]]:
            raise refusal(f"Tool '{choice['name']}' not found in provided tools")


def _thinking(body: dict[str, Any], betas: str) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = errors.tagged(thinking, _THINKING, "thinking")
    bound = {"block_binding"} if BINDING_BETA in betas else set()
    known(thinking, {*_THINKING[kind], *bound}, f"thinking.{kind}")
    if thinking.get("display") is not None:
        one_of(thinking["display"], ["summarized", "omitted"], f"thinking.{kind}.display")
    generation = errors.generation(body["model"])
    if kind == "enabled" and generation >= (4, 7):
        message = '"thinking.type.enabled" is not supported for this model. Use '
        message += '"thinking.type.adaptive" and "output_config.effort" to control thinking'
        raise refusal(f"{message} behavior.")
    if kind == "adaptive" and generation < (4, 6):
        raise refusal("adaptive thinking is not supported on this model")
    if kind == "disabled" and errors.always_thinks(body["model"]):
        raise refusal('"thinking.type.disabled" is not supported for this model.')
    if kind == "enabled":
        _budget(body, thinking)


def _budget(body: dict[str, Any], thinking: dict[str, Any]) -> None:
    """The rules of thinking by budget."""
    required(thinking, ["budget_tokens"], "thinking.enabled")
    budget = thinking["budget_tokens"]
    if budget < 1024:
        message = "Input should be greater than or equal to 1024"
        raise refusal(f"thinking.enabled.budget_tokens: {message}")
    if budget >= body.get("max_tokens", budget + 1):
        raise refusal("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if body.get("temperature") not in {None, 1}:
        raise refusal("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        message = "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
        raise refusal(message)
    if body.get("top_k") is not None:
        raise refusal("`top_k` must be unset when thinking is enabled.")
    if (body.get("tool_choice") or {}).get("type") in {"any", "tool"}:
        raise refusal("Thinking may not be enabled when tool_choice forces tool use.")


def _output(body: dict[str, Any]) -> None:
    config = body.get("output_config") or {}
    known(config, {"effort", "format"}, "output_config")
    if config.get("effort") is not None:
        efforts = ("low", "medium", "high", "xhigh", "max")
        one_of(config["effort"], efforts, "output_config.effort")
    wanted = config.get("format")
    if wanted is not None:
        errors.tagged(wanted, ["json_schema"], "output_config.format")
        known(wanted, {"type", "schema"}, "output_config.format")
        required(wanted, ["schema"], "output_config.format")
        _closed(wanted["schema"], "output_config.format.schema")


def _breakpoints(body: dict[str, Any]) -> None:
    found = _breakpoints_in(body)
    if found > 4:
        message = "A maximum of 4 blocks with cache_control may be provided."
        raise refusal(f"{message} Found {found}.")


def _breakpoints_in(value: Any) -> int:
    if isinstance(value, list):
        return sum(_breakpoints_in(each) for each in value)
    if not isinstance(value, dict):
        return 0
    here = 0
    if value.get("cache_control") is not None:
        known(value["cache_control"], {"type", "ttl"}, "cache_control")
        one_of(value["cache_control"].get("type"), ["ephemeral"], "cache_control.type")
        here = 1
    inside = (each for name, each in value.items() if name not in {"input", "input_schema"})
    return here + sum(_breakpoints_in(each) for each in inside)
