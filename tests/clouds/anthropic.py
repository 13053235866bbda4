"""Anthropic: messages, their tokens counted, and models."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

from tests.clouds import anthropic_errors as errors
from tests.clouds import anthropic_rules as rules
from tests.clouds.anthropic_turns import HIDDEN, turns
from tests.clouds.mind import ANY, Ask, Count, Said, Tool, pieces, say, strings, tokens
from tests.clouds.server import Cloud, Refusal, Reply, Seen, Stream, Whole, event
from tests.clouds.signatures import Signatures

MODELS = (
    "claude-fable-5-2", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5",
    "claude-opus-4-8", "claude-sonnet-4-6", "claude-haiku-4-5",
)  # fmt: skip
_REASONS = {
    "stop": "end_turn", "length": "max_tokens", "stop_sequence": "stop_sequence",
    "tools": "tool_use", "refusal": "refusal",
}  # fmt: skip
_SIGNED = b"\x12\xa4\x01"
_COUNTED_LAST = (
    "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
    "output_tokens_details",
)  # fmt: skip


class AnthropicCloud(Cloud):
    key = "sk-ant-api03-fake-anthropic"

    def __init__(self) -> None:
        self.signatures = Signatures()
        super().__init__()

    @property
    def headers(self):
        return {
            "request-id": f"req_011C{secrets.token_hex(10)}",
            "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
            "anthropic-ratelimit-requests-remaining": "999",
        }

    def authorise(self, seen: Seen) -> None:
        """Either header will do; `x-api-key` wins when both are there."""
        key = seen.headers.get("x-api-key")
        scheme, _, bearer = seen.headers.get("authorization", "").partition(" ")
        if key is None and scheme.lower() == "bearer":
            key = bearer
            if key != self.key:
                raise errors.refusal("Invalid bearer token", 401)
        if key is None:
            raise errors.refusal("x-api-key header is required", 401)
        if key != self.key:
            raise errors.refusal("invalid x-api-key", 401)
        version = seen.headers.get("anthropic-version")
        if version is None:
            raise errors.refusal("anthropic-version: header is required")
        if version not in rules.VERSIONS:
            raise errors.refusal(f'anthropic-version: "{version}" is not a valid version')

    def refusal(self, status: int, message: str = "") -> Refusal:
        return errors.refusal(message, status)

    def error_event(self, seen: Seen) -> bytes:
        return event(errors.body(529), "error")

    def messages(self, seen: Seen, _: re.Match[str]) -> Reply:
        body = self._json(seen)
        version, betas = seen.headers["anthropic-version"], seen.headers.get("anthropic-beta")
        rules.check(body, version, betas=betas)
        ask = _ask(body, turns(body, version, self.signatures, betas))
        self._model(body["model"])
        message = self._message(say(ask), body)
        return Stream(tuple(_events(message))) if body.get("stream") else Whole(message)

    def count(self, seen: Seen, _: re.Match[str]) -> Reply:
        body = self._json(seen)
        version, betas = seen.headers["anthropic-version"], seen.headers.get("anthropic-beta")
        rules.check(body, version, True, betas)
        ask = _ask(body, turns(body, version, self.signatures, betas))
        self._model(body["model"])
        return Whole({"input_tokens": tokens(ask.everything)})

    def models(self, _: Seen, __: re.Match[str]) -> Reply:
        data = [_described(model) for model in MODELS]
        ends = {"first_id": MODELS[0], "last_id": MODELS[-1]}
        return Whole({"data": data, "has_more": False, **ends})

    def model(self, _: Seen, match: re.Match[str]) -> Reply:
        self._model(match[1])
        return Whole(_described(match[1]))

    def _json(self, seen: Seen) -> Any:
        if not isinstance(seen.json, dict):
            raise errors.refusal("The request body is not valid JSON")
        return seen.json

    def _model(self, model: Any) -> None:
        if not str(model).startswith("claude-"):
            raise errors.refusal(f"model: {model}", 404)

    def _message(self, said: Said, body: dict[str, Any]) -> dict[str, Any]:
        refused = {"type": "refusal", "category": None, "explanation": None}
        return {
            "model": body["model"],
            "id": f"msg_01{secrets.token_hex(11)}",
            "type": "message",
            "role": "assistant",
            "content": self._content(said, body),
            "stop_reason": _REASONS[said.reason],
            "stop_sequence": said.stop,
            "stop_details": refused if said.reason == "refusal" else None,
            "usage": _usage(said.count),
        }

    def _content(self, said: Said, body: dict[str, Any]) -> list[dict[str, Any]]:
        content = [self._thought(said.thinking, body)] if said.thinking else []
        if said.reason == "refusal":
            return []
        if said.text:
            content.append({"type": "text", "text": said.text})
        for call in said.calls:
            tool_use = {"type": "tool_use", "id": f"toolu_01{secrets.token_hex(11)}"}
            caller = {"caller": {"type": "direct"}}
            content.append({**tool_use, "name": call.name, "input": call.args, **caller})
        return content

    def _thought(self, text: str, body: dict[str, Any]) -> dict[str, Any]:
        if "redacted" in text:
            return {"type": "redacted_thinking", "data": self.signatures.issue(text, _SIGNED)}
        usual = "omitted" if errors.generation(body["model"]) >= (4, 7) else "summarized"
        display = (body.get("thinking") or {}).get("display") or usual
        shown = "" if display == "omitted" else text
        signature = self.signatures.issue(f"{text}{HIDDEN}{shown}", _SIGNED)
        return {"type": "thinking", "thinking": shown, "signature": signature}

    routes = (
        ("POST", "/v1/messages", messages),
        ("POST", "/v1/messages/count_tokens", count),
        ("GET", "/v1/models", models),
        ("GET", "/v1/models/(.+)", model),
    )


def _ask(body: dict[str, Any], merged: list[dict[str, Any]]) -> Ask:
    choice = body.get("tool_choice") or {}
    users = [turn["content"] for turn in merged if turn["role"] == "user"]
    last = next(turn["content"] for turn in reversed(merged) if turn["role"] != "system")
    results = tuple(_words(block) for block in last if block["type"] == "tool_result")
    spoken = [_text(content) for content in users if _text(content)]
    return Ask(
        text=spoken[-1] if spoken else "",
        everything="".join(strings([merged, body.get("system"), body.get("tools")])),
        results=() if results and _text(last) else results,
        tools=() if choice.get("type") == "none" else _tools(body),
        forced={"any": ANY, "tool": choice.get("name", "")}.get(choice.get("type", ""), ""),
        parallel=not choice.get("disable_parallel_tool_use"),
        schema=((body.get("output_config") or {}).get("format") or {}).get("schema"),
        stop=tuple(body.get("stop_sequences") or ()),
        limit=body.get("max_tokens"),
        thinks=_thinks(body, bool(results)),
    )


def _thinks(body: dict[str, Any], after_tools: bool) -> bool:
    """From 5 on, a model thinks unless it is told not to."""
    kind = (body.get("thinking") or {}).get("type")
    if kind == "between_tools":
        return after_tools
    if kind is None:
        return errors.generation(body["model"]) >= (5, 0)
    return kind != "disabled"


def _tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    tools = body.get("tools") or ()
    return tuple(
        Tool(name=tool["name"], schema=tool["input_schema"])
        for tool in tools
        if "input_schema" in tool
    )


def _text(content: list[dict[str, Any]]) -> str:
    return "".join(block["text"] for block in content if block["type"] == "text")


def _words(result: dict[str, Any]) -> str:
    content = result.get("content") or ""
    return content if isinstance(content, str) else _text(content)


def _usage(count: Count) -> dict[str, Any]:
    """What was read from the cache or written to it is not part of `input_tokens` here."""
    return {
        "input_tokens": count.input - count.cached - count.written,
        "cache_creation_input_tokens": count.written,
        "cache_read_input_tokens": count.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": count.written,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": count.output,
        "output_tokens_details": {"thinking_tokens": count.reasoning},
        "service_tier": "standard",
        "inference_geo": "global",
    }


def _events(message: dict[str, Any]) -> Iterator[bytes]:
    ending = ("stop_reason", "stop_sequence", "stop_details")
    usage = {**message["usage"], "output_tokens": 1}
    usage.pop("output_tokens_details")
    begun = {**message, "content": [], "usage": usage, **dict.fromkeys(ending)}
    yield _event("message_start", message=begun)
    for index, block in enumerate(message["content"]):
        blank, deltas = _BLOCKS[block["type"]](block)
        yield _event("content_block_start", index=index, content_block={**block, **blank})
        if not index:
            yield _event("ping")
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    delta = {name: message[name] for name in ending}
    usage = {name: message["usage"][name] for name in _COUNTED_LAST}
    yield _event("message_delta", delta=delta, usage=usage)
    yield _event("message_stop")


def _event(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)


def _text_deltas(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    return {"text": ""}, deltas


def _thinking_deltas(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    thought = block["thinking"]
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(thought)]
    signed = {"type": "signature_delta", "signature": block["signature"]}
    return {"thinking": "", "signature": ""}, [*deltas, signed]


def _input_deltas(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    text = Whole(block["input"]).data.decode()
    parts = ["", *pieces(text)]
    return {"input": {}}, [{"type": "input_json_delta", "partial_json": each} for each in parts]


_BLOCKS: dict[str, Any] = {
    "text": _text_deltas,
    "thinking": _thinking_deltas,
    "redacted_thinking": lambda _block: ({}, []),
    "tool_use": _input_deltas,
}


def _described(model: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model,
        "display_name": model.replace("-", " ").title(),
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "line": model.split("-")[1],
        "max_input_tokens": 1000000,
        "max_tokens": 128000,
    }
