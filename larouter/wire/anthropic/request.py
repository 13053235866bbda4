"""Anthropic's Messages, as clients send them: checked where we interpret, else untouched.

Source: Claude API reference, "Create a Message" (versions 2023-06-01 and 2026-10-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import BadRequest
from larouter.wire.checks import Check, is_bool, is_messages, is_name, is_object, is_texts
from larouter.wire.fields import MEDIUM_COUNTS, kept, wrong
from larouter.wire.strict_json import MAX_INTEGER, decode_object

_ROLES = frozenset({"user", "assistant", "system"})
_MEDIA = {"image": "images", "document": "files"}


def read_request(
    body: bytes,
    *,
    tier: str | None = None,
    rid: str | None = None,
    model: str | None = None,
    counts: bool = False,
) -> ChatRequest:
    """Read a request's JSON; raises `BadRequest` naming the field. `model` is the default.
    `counts`: only its tokens are to be counted, so that `max_tokens` may be missing."""
    given = decode_object(body)
    if model is not None:
        given.setdefault("model", model)
    for name in ("model", "messages") if counts else ("model", "messages", "max_tokens"):
        if given.get(name) is None:
            raise BadRequest(f"{name}: Field required", param=name, code="missing_field")
    for name, value in given.items():
        check = _CHECKS.get(name)
        if check is not None and value is not None:
            check(name, value)
    seen = _Seen()
    messages = [*_system(given.get("system")), *seen.messages(given["messages"])]
    return ChatRequest(
        model=given["model"],
        messages=tuple(messages),
        body=kept(given),
        size=len(body) - seen.media,
        max_output=given.get("max_tokens"),
        stream=bool(given.get("stream")) and not counts,
        needs=frozenset(seen.needs | _needs(given)),
        tier=tier,
        rid=rid,
        dialect="anthropic",
        answers=_answers(given["messages"]),
    )


class _Seen:
    """What is met on the way through the messages."""

    __slots__ = ("media", "needs")

    def __init__(self) -> None:
        self.needs: set[str] = set()
        self.media = 0
        """Bytes of pictures and files beyond what they may cost: base64 is no text."""

    def messages(self, given: list[Any]) -> list[Message]:
        found: list[Message] = []
        for index, message in enumerate(given):
            found += self._message(f"messages[{index}]", message)
        return found

    def _message(self, name: str, message: Any) -> list[Message]:
        if type(message) is not dict:
            raise wrong(name, "an object")
        role, content = message.get("role"), message.get("content")
        if type(role) is not str or role not in _ROLES:
            raise wrong(f"{name}.role", "user, assistant or system")
        if type(content) is str:
            return [Message(role, content)]
        if type(content) is not list:
            raise wrong(f"{name}.content", "a string or a list of blocks")
        said: list[str] = []
        results: list[str] = []
        for place, block in enumerate(content):
            self._block(f"{name}.content[{place}]", block, said, results)
        found = [Message("tool", "\n".join(results))] if results else []
        # The results of tools are no words of the user's: they come apart.
        return [*found, Message(role, "\n".join(said))] if said or not found else found

    def _block(self, name: str, block: Any, said: list[str], results: list[str]) -> None:
        kind = block.get("type") if type(block) is dict else None
        if type(kind) is not str:
            raise wrong(name, "an object with a 'type'")
        if kind == "text":
            said.append(_text(f"{name}.text", block.get("text")))
        elif kind == "tool_result":
            _text(f"{name}.tool_use_id", block.get("tool_use_id"))
            text = self._result(f"{name}.content", block.get("content"))
            results.append(f"Error: {text}" if block.get("is_error") is True else text)
        elif kind in _MEDIA:
            self._medium(name, kind, block.get("source"))

    def _result(self, name: str, content: Any) -> str:
        if content is None or type(content) is str:
            return content or ""
        if type(content) is not list:
            raise wrong(name, "a string or a list of blocks")
        texts: list[str] = []
        for place, block in enumerate(content):
            self._block(f"{name}[{place}]", block, texts, texts)
        return "\n".join(texts)

    def _medium(self, name: str, kind: str, source: Any) -> None:
        if type(source) is not dict or type(source.get("type")) is not str:
            raise wrong(f"{name}.source", "an object with a 'type'")
        if source["type"] not in {"text", "content"}:
            self.needs.add(_MEDIA[kind])
            data = source.get("data")
            self.media += max(0, len(data) - MEDIUM_COUNTS) if type(data) is str else 0


def _system(system: Any) -> list[Message]:
    if system is None:
        return []
    if type(system) is str:
        return [Message("system", system)]
    if type(system) is not list:
        raise wrong("system", "a string or a list of text blocks")
    texts = [
        _text(f"system[{place}].text", block.get("text") if type(block) is dict else None)
        for place, block in enumerate(system)
    ]
    return [Message("system", "\n".join(texts))]


def _answers(messages: list[Any]) -> tuple[str, ...]:
    """The calls of tools whose results end the conversation. Agents put reminders after them."""
    ids: list[str] = []
    for message in reversed(messages):
        if message["role"] == "assistant":
            break
        content = message["content"] if type(message["content"]) is list else ()
        ids += [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
    return tuple(ids)


def _needs(given: Mapping[str, Any]) -> set[str]:
    needs = {"tools"} if given.get("tools") else set()
    config = given.get("output_config") or {}
    if config.get("format") or given.get("output_format"):
        needs.add("json_schema")
    return needs


def _text(name: str, value: Any) -> str:
    if type(value) is not str:
        raise wrong(name, "a string")
    return value


def _is_count(name: str, value: Any) -> None:
    if type(value) is not int or not 0 <= value <= MAX_INTEGER:
        raise wrong(name, "a whole number")


def _is_share(name: str, value: Any) -> None:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise wrong(name, "a number from 0 to 1")


def _is_typed(name: str, value: Any) -> None:
    if type(value) is not dict or type(value.get("type")) is not str:
        raise wrong(name, "an object with a 'type'")


def _is_tools(name: str, value: Any) -> None:
    if type(value) is not list:
        raise wrong(name, "a list")
    for index, tool in enumerate(value):
        is_object(f"{name}[{index}]", tool)
        kind = tool.get("type")
        if kind is not None and (type(kind) is not str or not kind):
            raise wrong(f"{name}[{index}].type", "the name of a kind of tool")
        if kind in (None, "custom"):
            is_name(f"{name}[{index}].name", tool.get("name"))
            is_object(f"{name}[{index}].input_schema", tool.get("input_schema"))


def _is_thinking(name: str, value: Any) -> None:
    _is_typed(name, value)
    if value["type"] == "enabled":
        _is_count(f"{name}.budget_tokens", value.get("budget_tokens"))


def _is_format(name: str, value: Any) -> None:
    _is_typed(name, value)
    is_object(f"{name}.schema", value.get("schema"))


def _is_output_config(name: str, value: Any) -> None:
    is_object(name, value)
    if value.get("effort") is not None:
        is_name(f"{name}.effort", value["effort"])
    if value.get("format") is not None:
        _is_format(f"{name}.format", value["format"])


_CHECKS: dict[str, Check] = {
    "model": is_name,
    "messages": is_messages,
    "max_tokens": _is_count,
    "stream": is_bool,
    "temperature": _is_share,
    "top_p": _is_share,
    "top_k": _is_count,
    "stop_sequences": is_texts,
    "tools": _is_tools,
    "tool_choice": _is_typed,
    "thinking": _is_thinking,
    "output_config": _is_output_config,
    "output_format": _is_format,
    "metadata": is_object,
    "betas": is_texts,
    "anthropic_beta": is_texts,
}
