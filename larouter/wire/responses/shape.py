"""The response object: every field that OpenAI's has, filled from the request, then the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.errors import LARouterError
from larouter.core.events import Finished
from larouter.wire.responses.usage import write_usage
from larouter.wire.strict_json import encode

# What clients read, as openai-python types it; null where an answer has nothing to say.
_EMPTY: Mapping[str, Any] = {
    "status": "in_progress",
    "background": False,
    "completed_at": None,
    "conversation": None,
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "model": "",
    "output": (),
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt": None,
    "prompt_cache_diagnostics": None,
    "prompt_cache_key": None,
    "prompt_cache_options": None,
    "prompt_cache_retention": None,
    "reasoning": None,
    "safety_identifier": None,
    "service_tier": None,
    "store": True,
    "temperature": None,
    "text": None,
    "tool_choice": "auto",
    "tools": (),
    "tool_usage": None,
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "usage": None,
    "user": None,
    "metadata": None,
    "moderation": None,
    "access_programs": None,
    "image": None,
    "input_transformations": None,
}
_ECHOED = (
    "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
    "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "prompt_cache_retention",
    "safety_identifier", "store", "temperature", "tool_choice", "top_logprobs", "top_p",
    "truncation", "user",
)  # fmt: skip
# Codes of an error inside a response (openai-python, response_error.py), and two that Codex knows.
_CODES = {
    "rate_limit_exceeded": "rate_limit_exceeded",
    "too_many_in_flight": "rate_limit_exceeded",
    "context_length_exceeded": "context_length_exceeded",
    "insufficient_quota": "insufficient_quota",
}


def blank(request: ChatRequest, id: str, created_at: int) -> dict[str, Any]:
    """The response before the first word."""
    body = request.body
    given = {name: body[name] for name in _ECHOED if body.get(name) is not None}
    reasoning, text = body.get("reasoning") or {}, body.get("text") or {}
    return {
        "id": id,
        "object": "response",
        "created_at": created_at,
        **_EMPTY,
        "output": [],
        "metadata": {},
        **given,
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "text": {"format": {"type": "text"}, **text},
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
    }


def ended(
    response: Mapping[str, Any], output: list[dict[str, Any]], finished: Finished
) -> dict[str, Any]:
    """The response as it ended."""
    why = _incomplete(output, finished)
    return {
        **response,
        "status": "incomplete" if why else "completed",
        "completed_at": None if why else int(time.time()),
        "incomplete_details": {"reason": why} if why else None,
        "output": output,
        "usage": write_usage(finished.usage) if finished.usage is not None else None,
    }


def numbered(kind: str, fields: Mapping[str, Any], number: int) -> bytes:
    data = encode({"type": kind, "sequence_number": number, **fields})
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def broken(response: Mapping[str, Any], error: LARouterError, number: int) -> bytes:
    """The last events of a stream that broke, from this number on, in both of OpenAI's ways: the
    SDKs know the event `error`, Codex only a failed response."""
    said = {"code": error.code, "message": error.message, "param": error.param}
    inside = {"code": _CODES.get(error.code, "server_error"), "message": error.message}
    failed = {**response, "status": "failed", "error": inside}
    return numbered("error", said, number) + numbered(
        "response.failed", {"response": failed}, number + 1
    )


def write_error(error: LARouterError) -> bytes:
    """OpenAI's error object, for an HTTP error."""
    return encode(
        {
            "error": {
                "message": error.message or "Something went wrong inside LARouter.",
                "type": error.type,
                "param": error.param,
                "code": error.code,
            }
        }
    )


def _incomplete(output: list[dict[str, Any]], finished: Finished) -> str | None:
    """A model that says no in words has answered; one that was stopped has not."""
    if finished.reason == "length":
        return "max_output_tokens"
    if finished.reason != "refusal":
        return None
    said = [part["type"] for item in output for part in item.get("content") or ()]
    return None if "refusal" in said else "content_filter"


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    if tool["type"] != "function":
        return tool
    return {"description": None, "parameters": None, "strict": None, **tool}
