"""Thought signatures: Gemini's own, other makers' in its dialect, and a stand-in for lost ones.

Gemini 3 and later refuse the first call of each step of the current turn without its signature.
For calls that another model made, or whose signature is lost, Google documents a value that skips
the check (https://ai.google.dev/gemini-api/docs/thought-signatures, FAQs). The calls beside the
first one carry none, and those of earlier turns are not checked.
"""

from __future__ import annotations

import re
from typing import Any

from larouter.core.conversation import Opaque
from larouter.wire.gemini.fields import get, without
from larouter.wire.opaque import seal_base64, unseal_base64

NATIVE = "gemini"
SKIP = "skip_thought_signature_validator"

_SEALED = "bGFyMS"
"""How the base64 of our mark begins (wire/opaque.py)."""
_GENERATION = re.compile(r"gemini-(\d+)")
_LATEST = 99


def generation(model: str) -> int:
    """3 of gemini-3.8-flash; an alias without a number is a recent one; 0 for other families."""
    found = _GENERATION.search(model)
    if found:
        return int(found[1])
    return _LATEST if "gemini" in model else 0


def sign(opaque: Opaque, identifier: str | None = None) -> str:
    """The `thoughtSignature` that a client keeps. The dialect has no place for the id of a
    thought (Responses has one), so it travels before the data."""
    if identifier is not None:
        opaque = Opaque(opaque.maker, f"{identifier}\n{opaque.data}")
    return seal_base64(opaque, NATIVE)


def read(signature: str) -> tuple[Opaque, str | None]:
    """What `sign` wrote, or Gemini's own."""
    opaque = unseal_base64(signature, NATIVE)
    identifier, line_end, data = opaque.data.partition("\n")
    if opaque.maker == NATIVE or not line_end:
        return opaque, None
    return Opaque(opaque.maker, data), identifier


def only_native(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The client's contents without what other models thought: Gemini would refuse it."""
    return [content for content in map(_native, contents) if content is not None]


def _native(content: dict[str, Any]) -> dict[str, Any] | None:
    parts = content.get("parts")
    if type(parts) is not list or not any(map(_is_foreign, parts)):
        return content
    kept = [
        without(part, "thoughtSignature") if _is_foreign(part) else part
        for part in parts
        if not (_is_foreign(part) and (part.get("thought") or part.get("text") == ""))
    ]
    return {**content, "parts": kept} if kept else None


def _is_foreign(part: dict[str, Any]) -> bool:
    signature = get(part, "thoughtSignature")
    if type(signature) is not str or not signature.startswith(_SEALED):
        return False
    return unseal_base64(signature, NATIVE).maker != NATIVE


def signed(contents: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    """The contents as Gemini 3 and later want them: every step's first call has a signature."""
    if generation(model) < 3:
        return contents
    start = _current_turn(contents)
    return [*contents[:start], *map(_signed, contents[start:])]


def _current_turn(contents: list[dict[str, Any]]) -> int:
    """Where the turn begins that the last message of the user (no result of a tool) started."""
    for at in range(len(contents) - 1, -1, -1):
        if contents[at].get("role") != "model" and _first(contents[at], "functionResponse") is None:
            return at
    return 0


def _first(content: dict[str, Any], kind: str) -> int | None:
    parts = content.get("parts")
    if type(parts) is not list:
        return None
    return next((at for at, part in enumerate(parts) if get(part, kind) is not None), None)


def _signed(content: dict[str, Any]) -> dict[str, Any]:
    at = _first(content, "functionCall") if content.get("role") == "model" else None
    if at is None or get(content["parts"][at], "thoughtSignature"):
        return content
    parts = list(content["parts"])
    parts[at] = {**parts[at], "thoughtSignature": SKIP}
    return {**content, "parts": parts}
