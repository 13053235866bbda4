"""How OpenAI answers on /v1/responses: the object, its items and the events that build them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from tests.clouds import openai_errors as errors
from tests.clouds import openai_responses_rules as rules
from tests.clouds.mind import ANY, Ask, Call, Count, Said, Tool, pieces, say, strings
from tests.clouds.server import Reply, Stream, Whole, event
from tests.clouds.signatures import Signatures

_STATUS = {"length": "incomplete"}


class Store:
    """What was stored: the whole conversation up to each response, and each item by its id."""

    def __init__(self) -> None:
        self.responses: dict[str, list[dict[str, Any]]] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.led: dict[str, str] = {}
        """Which thought led to an item, by their ids."""

    def keep(self, response: str, given: list[Any], output: list[dict[str, Any]]) -> None:
        self.responses[response] = [*given, *output]
        self.items |= {item["id"]: item for item in output}
        if output[0]["type"] == "reasoning":
            self.led |= {item["id"]: output[0]["id"] for item in output[1:]}


def answer(body: dict[str, Any], store: Store, signatures: Signatures) -> Reply:
    rules.check(body)
    given = _before(body, store) + rules.items(body.get("input") or [], signatures, store.items)
    given = [store.items[item["id"]] if _is_reference(item) else item for item in given]
    rules.pairs(given)
    rules.led(given, store.led)
    said = say(_ask(body, given))
    output = _items(said, body, signatures)
    response = _response(body, said.count)
    if body.get("store") is not False:
        store.keep(response["id"], given, output)
    response |= _ending(said, output)
    if body.get("stream"):
        return Stream(tuple(_Events(response).all()))
    return Whole(response)


def failed(message: str) -> bytes:
    """The event that ends a stream which goes wrong."""
    error = {"code": "server_error", "message": message}
    body = {"model": "unknown"}
    count = Count(input=0, cached=0, written=0, output=0, reasoning=0)
    response = {**_response(body, count), "status": "failed", "error": error, "usage": None}
    data = {"type": "response.failed", "response": response, "sequence_number": 99}
    return event(data, "response.failed")


def _is_reference(item: dict[str, Any]) -> bool:
    return item["type"] == "item_reference"


def _before(body: dict[str, Any], store: Store) -> list[dict[str, Any]]:
    previous = body.get("previous_response_id")
    if previous is None:
        return []
    if previous not in store.responses:
        message = f"Previous response with id '{previous}' not found."
        raise errors.refusal(message, "previous_response_id", "previous_response_not_found")
    return store.responses[previous]


def _ask(body: dict[str, Any], given: list[dict[str, Any]]) -> Ask:
    wanted = (body.get("text") or {}).get("format") or {}
    choice = body.get("tool_choice")
    limit = body.get("max_output_tokens")
    effort = (body.get("reasoning") or {}).get("effort")
    users = [item for item in given if item["type"] == "message" and item["role"] == "user"]
    return Ask(
        text=_words(users[-1]["content"]) if users else "",
        everything="".join(strings([given, body.get("instructions"), body.get("tools")])),
        results=_results(given),
        tools=() if choice == "none" else _tools(body, given),
        forced=choice.get("name", ANY)
        if isinstance(choice, dict)
        else ANY * (choice == "required"),
        parallel=body.get("parallel_tool_calls") is not False,
        schema=wanted.get("schema"),
        json_mode=wanted.get("type") == "json_object",
        # The least that it takes is 16: as tiny here as 3 is elsewhere.
        limit=None if limit is None else limit - 13,
        thinks=bool(errors.generation(body["model"])) and effort != "none",
    )


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _results(given: list[dict[str, Any]]) -> tuple[str, ...]:
    results: list[str] = []
    for item in reversed(given):
        if not item["type"].endswith("_output"):
            break
        results.insert(0, _words(item["output"]))
    return tuple(results)


def _tools(body: dict[str, Any], given: list[dict[str, Any]]) -> tuple[Tool, ...]:
    added = [tool for item in given for tool in item.get("tools") or ()]
    return tuple(
        Tool(
            name=tool["name"],
            schema=tool.get("parameters"),
            custom=tool["type"] == "custom",
            namespace=namespace,
        )
        for namespace, tool in _opened([*(body.get("tools") or ()), *added])
        if tool["type"] in {"function", "custom"}
    )


def _opened(tools: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for tool in tools:
        if tool["type"] == "namespace":
            yield from ((tool["name"], inner) for inner in tool["tools"])
        else:
            yield "", tool


def _items(said: Said, body: dict[str, Any], signatures: Signatures) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if said.thinking:
        items.append(_thought(said, body, signatures))
    if said.calls:
        return items + [_call(call) for call in said.calls]
    part: dict[str, Any] = {
        "type": "output_text", "text": said.text, "annotations": [], "logprobs": [],
    }  # fmt: skip
    if said.reason == "refusal":
        part = {"type": "refusal", "refusal": said.text}
    message = {
        "id": f"msg_{secrets.token_hex(20)}",
        "type": "message",
        "status": _STATUS.get(said.reason, "completed"),
        "content": [part],
        "role": "assistant",
        "phase": "final_answer",
    }
    return [*items, message]


def _thought(said: Said, body: dict[str, Any], signatures: Signatures) -> dict[str, Any]:
    reasoning = body.get("reasoning") or {}
    is_told = reasoning.get("summary") or reasoning.get("generate_summary")
    summary = [{"type": "summary_text", "text": said.thinking}] if is_told else []
    thought = {"id": f"rs_{secrets.token_hex(20)}", "type": "reasoning", "summary": summary}
    if "reasoning.encrypted_content" in (body.get("include") or ()):
        thought["encrypted_content"] = signatures.issue(said.thinking, b"\x80\x00\x00\x00\x00")
    return thought


def _call(call: Call) -> dict[str, Any]:
    call_id = f"call_{secrets.token_hex(12)}"
    named = {"status": "completed", "call_id": call_id, "name": call.name}
    if call.namespace:
        named["namespace"] = call.namespace
    if call.custom:
        own = {"id": f"ctc_{secrets.token_hex(20)}", "type": "custom_tool_call"}
        return {**own, **named, "input": call.text}
    own = {"id": f"fc_{secrets.token_hex(20)}", "type": "function_call"}
    return {**own, **named, "arguments": call.text}


def _ending(said: Said, output: list[dict[str, Any]]) -> dict[str, Any]:
    if said.reason == "length":
        details = {"reason": "max_output_tokens"}
        return {"status": "incomplete", "incomplete_details": details, "output": output}
    return {"status": "completed", "completed_at": 1790000001, "output": output}


def _response(body: dict[str, Any], count: Count) -> dict[str, Any]:
    reasoning = {"effort": None, "summary": None, **(body.get("reasoning") or {})}
    text = {"format": {"type": "text"}, "verbosity": "medium", **(body.get("text") or {})}
    return {
        "id": f"resp_{secrets.token_hex(20)}",
        "object": "response",
        "created_at": 1790000000,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": reasoning,
        "safety_identifier": None,
        "service_tier": "default",
        "store": body.get("store") is not False,
        "temperature": body.get("temperature", 1.0),
        "text": text,
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_logprobs": 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": _usage(count),
        "user": None,
        "metadata": body.get("metadata") or {},
    }


def _usage(count: Count) -> dict[str, Any]:
    details = {"cached_tokens": count.cached, "cache_write_tokens": count.written}
    return {
        "input_tokens": count.input,
        "input_tokens_details": details,
        "output_tokens": count.output,
        "output_tokens_details": {"reasoning_tokens": count.reasoning},
        "total_tokens": count.total,
    }


class _Events:
    """The events of one response, numbered from 0."""

    def __init__(self, response: dict[str, Any]) -> None:
        self._response = response
        self._events: list[bytes] = []

    def all(self) -> list[bytes]:
        blank: dict[str, Any] = {
            "usage": None,
            "output": [],
            "completed_at": None,
            "incomplete_details": None,
        }
        begun = {**self._response, **blank, "status": "in_progress"}
        self._add("response.created", response={**begun})
        self._add("response.in_progress", response=begun)
        for index, item in enumerate(self._response["output"]):
            self._item(index, item)
        self._add(f"response.{self._response['status']}", response=self._response)
        return self._events

    def _add(self, kind: str, **fields: Any) -> None:
        data = {"type": kind, **fields, "sequence_number": len(self._events)}
        self._events.append(event(data, kind))

    def _item(self, index: int, item: dict[str, Any]) -> None:
        begin, build = _BUILDERS[item["type"]]
        begun = {**item, "status": "in_progress", **begin}
        if item["type"] == "reasoning":
            begun.pop("status")
        self._add("response.output_item.added", output_index=index, item=begun)
        build(self, {"item_id": item["id"], "output_index": index}, item)
        self._add("response.output_item.done", output_index=index, item=item)

    def _message(self, at: dict[str, Any], item: dict[str, Any]) -> None:
        part = item["content"][0]
        at = {**at, "content_index": 0}
        name, blank = ("text", "output_text") if "text" in part else ("refusal", "refusal")
        more: dict[str, Any] = {"logprobs": []} if name == "text" else {}
        self._add("response.content_part.added", **at, part={**part, name: ""})
        for piece in pieces(part[name]):
            self._add(f"response.{blank}.delta", **at, delta=piece, **more)
        self._add(f"response.{blank}.done", **at, **{name: part[name]}, **more)
        self._add("response.content_part.done", **at, part=part)

    def _function_call(self, at: dict[str, Any], item: dict[str, Any]) -> None:
        kind = "response.function_call_arguments"
        for piece in pieces(item["arguments"]):
            self._add(f"{kind}.delta", **at, delta=piece)
        self._add(f"{kind}.done", **at, arguments=item["arguments"])

    def _custom_call(self, at: dict[str, Any], item: dict[str, Any]) -> None:
        for piece in pieces(item["input"]):
            self._add("response.custom_tool_call_input.delta", **at, delta=piece)
        self._add("response.custom_tool_call_input.done", **at, input=item["input"])

    def _reasoning(self, at: dict[str, Any], item: dict[str, Any]) -> None:
        for index, part in enumerate(item["summary"]):
            where = {**at, "summary_index": index}
            kind = "response.reasoning_summary"
            self._add(f"{kind}_part.added", **where, part={**part, "text": ""})
            for piece in pieces(part["text"]):
                self._add(f"{kind}_text.delta", **where, delta=piece)
            self._add(f"{kind}_text.done", **where, text=part["text"])
            self._add(f"{kind}_part.done", **where, part=part)


_BUILDERS: dict[str, Any] = {
    "message": ({"content": []}, _Events._message),
    "function_call": ({"arguments": ""}, _Events._function_call),
    "custom_tool_call": ({"input": ""}, _Events._custom_call),
    "reasoning": ({"summary": []}, _Events._reasoning),
}
