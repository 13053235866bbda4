"""What Anthropic refuses in the messages: their blocks, their pairs, their thoughts."""

from __future__ import annotations

from typing import Any

from tests.clouds import anthropic_errors as errors
from tests.clouds.anthropic_errors import known, one_of, refusal, required, tagged, typed
from tests.clouds.anthropic_rules import LATEST, PER_MESSAGE
from tests.clouds.signatures import Signatures

_BLOCKS = {
    "text": {"type", "text", "cache_control", "citations"},
    "image": {"type", "source", "cache_control", "transformations"},
    "document": {"type", "source", "cache_control", "citations", "context", "title"},
    "search_result": {"type", "source", "title", "content", "cache_control", "citations"},
    "tool_result": {
        "type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name",
    },
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller", "toolset_name"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
}  # fmt: skip
_NEEDED = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "tool_result": ("tool_use_id",),
    "tool_use": ("id", "name", "input"),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
}
_OF = {
    "user": ("text", "image", "document", "search_result", "tool_result"),
    "assistant": ("text", "document", "thinking", "redacted_thinking", "tool_use"),
    "system": ("text",),
}
_IN_RESULT = ("text", "image", "document", "search_result")
_SOURCES = {"base64": {"type", "media_type", "data"}, "url": {"type", "url"},
            "file": {"type", "file_id"}, "text": {"type", "media_type", "data"},
            "content": {"type", "content"}}  # fmt: skip
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
HIDDEN = "\0"
"""Between the thought that a signature stands for, and what of it was shown."""
_THOUGHTS = ("thinking", "redacted_thinking")


def turns(
    body: dict[str, Any], version: str, signatures: Signatures, betas: str | None = None
) -> list[dict[str, Any]]:
    """The messages with their content as blocks, neighbours of one role as one turn."""
    typed(body["messages"], list, "messages")
    if not body["messages"]:
        raise refusal("messages: at least one message is required")
    for index, message in enumerate(body["messages"]):
        _message(message, index, body, version, betas or "")
    merged = _merged(body["messages"])
    if merged[0]["role"] != "user":
        raise refusal('messages: first message must use the "user" role')
    _pairs(merged)
    _signed(merged, signatures)
    _opened(merged, body)
    _prefill(merged, body)
    return merged


def _message(message: Any, index: int, body: dict[str, Any], version: str, betas: str) -> None:
    at = f"messages.{index}"
    typed(message, dict, at)
    required(message, ["role", "content"], at)
    own = {"output_config"} if any(beta in betas for beta in PER_MESSAGE) else set()
    known(message, {"role", "content", *own}, at)
    one_of(message["role"], ["user", "assistant", "system"], f"{at}.role")
    if message["role"] == "system":
        _system(body, index)
    is_last = index == len(body["messages"]) - 1 and message["role"] == "assistant"
    if not message["content"] and not is_last:
        words = "all messages must have non-empty content except for the optional final"
        raise refusal(f"{at}: {words} assistant message")
    if not isinstance(message["content"], str):
        typed(message["content"], list, f"{at}.content")
        for number, block in enumerate(message["content"]):
            _block(block, f"{at}.content.{number}", _OF[message["role"]])
            _dated(block, message["role"], f"{at}.content.{number}", version)


def _system(body: dict[str, Any], index: int) -> None:
    """From 4.8 on, a system message may stand behind a user's."""
    if errors.generation(body["model"]) < (4, 8):
        raise refusal("role 'system' is not supported on this model")
    if index == 0 or body["messages"][index - 1]["role"] != "user":
        raise refusal(f"messages.{index}: role 'system' must immediately follow a user message")


def _block(block: Any, at: str, allowed: tuple[str, ...]) -> None:
    kind = tagged(block, allowed, at)
    required(block, _NEEDED.get(kind, ()), f"{at}.{kind}")
    known(block, _BLOCKS[kind], f"{at}.{kind}")
    if kind == "text" and not block["text"]:
        raise refusal("messages: text content blocks must be non-empty")
    if kind == "tool_use":
        errors.matches(block["id"], "^[a-zA-Z0-9_-]+$", f"{at}.tool_use.id")
        errors.matches(block["name"], "^[a-zA-Z0-9_-]{1,200}$", f"{at}.tool_use.name")
        typed(block["input"], dict, f"{at}.tool_use.input")
    if kind == "tool_result" and isinstance(block.get("content"), list):
        for number, part in enumerate(block["content"]):
            _block(part, f"{at}.tool_result.content.{number}", _IN_RESULT)
    if kind == "image":
        _image(block["source"], f"{at}.image.source")


def _image(source: Any, at: str) -> None:
    kind = tagged(source, ["base64", "url", "file"], at)
    known(source, _SOURCES[kind], f"{at}.{kind}")
    required(source, _SOURCES[kind], f"{at}.{kind}")
    if kind == "base64":
        one_of(source["media_type"], _IMAGES, f"{at}.base64.media_type")
        if source["data"].startswith("data:"):
            raise refusal(f"{at}.base64: The image was not a valid base64 string")


def _dated(block: Any, role: str, at: str, version: str) -> None:
    """What version 2026-10-21 took away."""
    if version != LATEST:
        return
    if role == "assistant" and block["type"] == "document":
        raise refusal(f"{at}: document blocks are not permitted in assistant messages")
    if role == "user" and block["type"] == "text" and block.get("citations"):
        raise refusal(f"{at}.text.citations: Extra inputs are not permitted")


def _merged(messages: list[Any]) -> list[dict[str, Any]]:
    merged: list[dict[str, Any]] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1] = {**merged[-1], "content": [*merged[-1]["content"], *blocks]}
        else:
            merged.append({"role": message["role"], "content": blocks})
    return merged


def _pairs(merged: list[dict[str, Any]]) -> None:
    """Each call is answered at the start of the very next user turn, and nothing else is."""
    for index, turn in enumerate(merged):
        asked = ids(turn, "tool_use", "id")
        before = ids(merged[index - 1], "tool_use", "id") if index else []
        after = merged[index + 1] if index + 1 < len(merged) else {"content": []}
        answered = ids(after, "tool_result", "tool_use_id")
        _orphans(ids(turn, "tool_result", "tool_use_id"), before, index)
        missing = [each for each in asked if each not in answered]
        if missing:
            message = (
                "`tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding "
                "`tool_result` block in the next message."
            )
            raise refusal(f"messages.{index}: {message}")
        _first(turn, index)


def _orphans(results: list[str], before: list[str], index: int) -> None:
    for number, each in enumerate(results):
        if each not in before:
            message = (
                f"unexpected `tool_use_id` found in `tool_result` blocks: {each}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous "
                "message."
            )
            raise refusal(f"messages.{index}.content.{number}: {message}")
        if results.count(each) > 1:
            message = "each tool_use must have a single result. Found multiple `tool_result`"
            raise refusal(f"messages.{index}.content: {message} blocks with id: {each}")


def _first(turn: dict[str, Any], index: int) -> None:
    kinds = [block["type"] for block in turn["content"]]
    count = kinds.count("tool_result")
    if "tool_result" in kinds[count:]:
        message = "`tool_use` ids were found without `tool_result` blocks immediately after"
        raise refusal(f"messages.{index}: {message}: tool_result blocks must come first")


def ids(turn: dict[str, Any], kind: str, name: str) -> list[str]:
    return [block[name] for block in turn["content"] if block["type"] == kind]


def _signed(merged: list[dict[str, Any]], signatures: Signatures) -> None:
    for index, turn in enumerate(merged):
        for number, block in enumerate(turn["content"]):
            at = f"messages.{index}.content.{number}"
            if block["type"] == "redacted_thinking" and signatures.text(block["data"]) is None:
                raise refusal(f"{at}: Invalid `data` in `redacted_thinking` block")
            if block["type"] == "thinking":
                signed = signatures.text(block["signature"])
                if signed is None or signed.partition(HIDDEN)[2] != block["thinking"]:
                    raise refusal(f"{at}: Invalid `signature` in `thinking` block")


def _opened(merged: list[dict[str, Any]], body: dict[str, Any]) -> None:
    """With thinking by budget, the turn that is being worked on begins with a thought."""
    if (body.get("thinking") or {}).get("type") != "enabled":
        return
    index = max((at for at, turn in enumerate(merged) if turn["role"] == "assistant"), default=-1)
    if index < 0 or not (index == len(merged) - 1 or ids(merged[index], "tool_use", "id")):
        return
    if ids(merged[index], "tool_use", "id") and not ids(merged[-1], "tool_result", "tool_use_id"):
        return
    found = merged[index]["content"][0]["type"]
    if found not in _THOUGHTS:
        message = (
            f"Expected `thinking` or `redacted_thinking`, but found `{found}`. When `thinking` is "
            "enabled, a final `assistant` message must start with a thinking block (preceding "
            "the lastmost set of `tool_use` and `tool_result` blocks)."
        )
        raise refusal(f"messages.{index}.content.0.type: {message}")


def _prefill(merged: list[dict[str, Any]], body: dict[str, Any]) -> None:
    if merged[-1]["role"] != "assistant":
        return
    if errors.generation(body["model"]) >= (4, 6):
        message = "This model does not support assistant message prefill."
        raise refusal(f"{message} The conversation must end with a user message.")
    last = merged[-1]["content"][-1] if merged[-1]["content"] else {}
    if last.get("type") == "text" and last["text"] != last["text"].rstrip():
        raise refusal("messages: final assistant content cannot end with trailing whitespace")
