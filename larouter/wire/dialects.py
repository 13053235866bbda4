"""Every format: what clients speak to us, and what we speak to providers. One row each."""

from __future__ import annotations

from larouter.wire import anthropic, chat, completions, gemini, ollama, responses
from larouter.wire.road import Dialect, Wire

DIALECTS: dict[str, Dialect] = {
    row.name: row
    for row in (
        chat.DIALECT,
        responses.DIALECT,
        completions.DIALECT,
        anthropic.DIALECT,
        gemini.DIALECT,
        ollama.DIALECT,
    )
}

WIRES: dict[str, Wire] = {
    row.name: row
    for row in (chat.WIRE, responses.WIRE, completions.WIRE, anthropic.WIRE, gemini.WIRE)
}
