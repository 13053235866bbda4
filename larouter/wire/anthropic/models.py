"""The list of models in Anthropic's shape (`GET /v1/models` with `anthropic-version`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A model, a tier, or `auto`, as a client may name it."""

    id: str
    title: str
    created_s: int
    context: int | None = None
    max_output: int | None = None


def model_list(entries: Iterable[Entry]) -> dict[str, Any]:
    """Everything on one page."""
    data = [model_info(entry) for entry in entries]
    return {
        "data": data,
        "has_more": False,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }


def model_info(entry: Entry) -> dict[str, Any]:
    created = datetime.fromtimestamp(entry.created_s, UTC)
    return {
        "type": "model",
        "id": entry.id,
        "display_name": entry.title or entry.id,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "max_input_tokens": entry.context,
        "max_tokens": entry.max_output,
    }
