"""How OpenAI answers on /v1/chat/completions; DeepSeek's answers are made of the same parts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from tests.clouds.mind import ANY, Ask, Call, Count, Said, Tool, pieces, strings
from tests.clouds.server import event

FINISH = {
    "stop": "stop", "length": "length", "stop_sequence": "stop", "tools": "tool_calls",
    "refusal": "stop",
}  # fmt: skip
DONE = event("[DONE]")


def ask(body: dict[str, Any], thinks: bool) -> Ask:
    messages = body["messages"]
    wanted = body.get("response_format") or {}
    stop = body.get("stop") or ()
    return Ask(
        text=_last_words(messages),
        everything="".join(strings([messages, body.get("tools")])),
        results=_results(messages),
        tools=() if body.get("tool_choice") == "none" else _tools(body),
        forced=_forced(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls") is not False,
        schema=(wanted.get("json_schema") or {}).get("schema"),
        json_mode=wanted.get("type") == "json_object",
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        limit=body.get("max_completion_tokens") or body.get("max_tokens"),
        thinks=thinks,
    )


def words(content: Any) -> str:
    """The text of a content, a string or parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])


def _last_words(messages: list[Any]) -> str:
    users = [message for message in messages if message["role"] == "user"]
    return words(users[-1]["content"]) if users else ""


def _results(messages: list[Any]) -> tuple[str, ...]:
    results: list[str] = []
    for message in reversed(messages):
        if message["role"] != "tool":
            break
        results.insert(0, words(message["content"]))
    return tuple(results)


def _tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    return tuple(
        Tool(
            name=tool[tool["type"]]["name"],
            schema=tool[tool["type"]].get("parameters"),
            custom=tool["type"] == "custom",
        )
        for tool in body.get("tools") or ()
    )


def _forced(choice: Any) -> str:
    if isinstance(choice, dict):
        return (choice.get("function") or choice.get("custom") or {}).get("name", ANY)
    return ANY if choice == "required" else ""


def whole(said: Said, shape: dict[str, Any], usage: dict[str, Any], n: int = 1) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": said.text,
        "refusal": None,
        "annotations": [],
    }
    if said.reason == "refusal":
        message |= {"content": None, "refusal": said.text}
    if said.calls:
        message |= {"content": None, "tool_calls": [_call(call) for call in said.calls]}
    choices = [
        {
            "index": index,
            "message": message,
            "logprobs": None,
            "finish_reason": FINISH[said.reason],
        }
        for index in range(n)
    ]
    return {**shape, "object": "chat.completion", "choices": choices, "usage": usage}


def chunks(
    said: Said, shape: dict[str, Any], usage: dict[str, Any] | None, obfuscated: bool = True
) -> tuple[bytes, ...]:
    """The stream; `usage` only if it was asked for."""
    shape = {**shape, "object": "chat.completion.chunk"}
    padding = {"obfuscation": secrets.token_hex(2)} if obfuscated else {}
    extra = padding if usage is None else {"usage": None, **padding}
    sent = [
        event({**shape, "choices": [_choice(delta, reason)], **extra})
        for delta, reason in _deltas(said)
    ]
    if usage is not None:
        sent.append(event({**shape, "choices": [], "usage": usage, **padding}))
    return (*sent, DONE)


def _choice(delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _deltas(said: Said) -> Iterator[tuple[dict[str, Any], str | None]]:
    yield {"role": "assistant", "content": None if said.calls else "", "refusal": None}, None
    if said.calls:
        for delta in call_deltas(said.calls):
            yield delta, None
    else:
        name = "refusal" if said.reason == "refusal" else "content"
        for piece in pieces(said.text):
            yield {name: piece}, None
    yield {}, FINISH[said.reason]


def call_deltas(calls: tuple[Call, ...]) -> Iterator[dict[str, Any]]:
    for index, call in enumerate(calls):
        begun = _call(call)
        kind, what = ("custom", "input") if call.custom else ("function", "arguments")
        begun[kind] = {**begun[kind], what: ""}
        yield {"tool_calls": [{"index": index, **begun}]}
        for piece in pieces(call.text):
            yield {"tool_calls": [{"index": index, kind: {what: piece}}]}


def _call(call: Call) -> dict[str, Any]:
    call_id = f"call_{secrets.token_hex(12)}"
    if call.custom:
        custom = {"name": call.name, "input": call.text}
        return {"id": call_id, "type": "custom", "custom": custom}
    function = {"name": call.name, "arguments": call.text}
    return {"id": call_id, "type": "function", "function": function}


def usage(count: Count) -> dict[str, Any]:
    return {
        "prompt_tokens": count.input,
        "completion_tokens": count.output,
        "total_tokens": count.total,
        "prompt_tokens_details": {
            "cached_tokens": count.cached,
            "cache_write_tokens": count.written,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": count.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
