"""The models that a Gemini client may name, as `GET /v1beta/models` lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from larouter.core.catalog import Model

_METHODS = ["generateContent", "streamGenerateContent", "countTokens"]


def model_entry(name: str, model: Model | None) -> dict[str, Any]:
    """`model` None: a name that we route ourselves (`auto`, a tier)."""
    title = (model.title if model is not None else "") or name
    entry: dict[str, Any] = {
        "name": f"models/{name}",
        "version": "1",
        "displayName": title,
        "description": f"{title}, by LARouter" if model is not None else "LARouter picks the model",
        "supportedGenerationMethods": _METHODS,
    }
    if model is not None:
        if model.context:
            entry["inputTokenLimit"] = model.context
        if model.max_output:
            entry["outputTokenLimit"] = model.max_output
        entry["thinking"] = "thinking" in model.abilities
    return entry


def model_list(entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"models": list(entries)}
