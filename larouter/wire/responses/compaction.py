"""Our own compaction of a long conversation: a summary that any model can go on from.

OpenAI's compaction item can be read by OpenAI alone, which would tie the conversation to it. Ours
holds the summary itself, marked as ours; it comes back as a message before any model sees it.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from larouter.core.conversation import Opaque
from larouter.core.errors import CannotCarry
from larouter.wire.opaque import seal, unseal

KINDS = frozenset({"compaction", "compaction_summary", "context_compaction"})
INSTRUCTION = (
    "The conversation above becomes too long and is replaced by a summary that you write now. "
    "Another model goes on from it and sees nothing else but the user's own messages. Say what was "
    "asked for and why, what was done and found (names of files, functions, commands, figures), "
    "which decisions were made, and what remains to be done, in this order. Be exact and brief. "
    "Answer with the summary alone and call no tools."
)
_MAKER = "larouter"
_OPENING = "Summary of the conversation so far, written when it became too long:\n\n"


def response(final: Mapping[str, Any], items: Iterable[Mapping[str, Any]], summary: str) -> Any:
    """What `/v1/responses/compact` answers: the user's messages as they are, and one item that
    stands for all the rest. `final` is the response that holds the summary."""
    return {
        "id": final["id"],
        "object": "response.compaction",
        "created_at": final["created_at"],
        "output": [*map(_shown, filter(_is_users, items)), item(summary)],
        "usage": final["usage"],
    }


def transcript(items: Iterable[Mapping[str, Any]]) -> str:
    """The conversation as text, for a model to sum up. Raises for what cannot be read here."""
    return "\n\n".join(text for item in items if (text := _told(item)))


def item(summary: str) -> dict[str, Any]:
    data = base64.b64encode(summary.encode()).decode()
    return {
        "id": f"cmp_{secrets.token_hex(24)}",
        "type": "compaction",
        "encrypted_content": seal(Opaque(_MAKER, data), "responses"),
    }


def opened(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The summary of our own item as a message; None for an item that we did not make."""
    sealed = given.get("encrypted_content")
    opaque = unseal(sealed, "responses") if isinstance(sealed, str) else None
    if opaque is None or opaque.maker != _MAKER:
        return None
    try:
        summary = base64.b64decode(opaque.data, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": _OPENING + summary}],
    }


def _told(item: Mapping[str, Any]) -> str:
    kind = item.get("type") or "message"
    if kind in KINDS:
        raise CannotCarry(
            "This conversation was compacted by OpenAI, and only OpenAI can read that.",
            param="input",
        )
    if kind == "message":
        return f"[{item['role']}]\n{_text(item.get('content'))}"
    if kind in {"function_call", "custom_tool_call"}:
        return f"[call of {item['name']}]\n{item.get('arguments') or item.get('input')}"
    if kind in {"function_call_output", "custom_tool_call_output"}:
        return f"[result]\n{_text(item.get('output'))}"
    return ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(
        part.get("text") or part.get("refusal") or f"[{part['type'].removeprefix('input_')}]"
        for part in content or ()
    )


def _is_users(item: Mapping[str, Any]) -> bool:
    """Did the user say it? A summary of ours comes back as the user's message, and is none."""
    return item.get("role") == "user" and not _text(item.get("content")).startswith(_OPENING)


def _shown(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    id = message.get("id") or f"msg_{secrets.token_hex(24)}"
    return {
        "id": id,
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": content,
    }
