"""Embeddings: clients ask in OpenAI's, Gemini's or Ollama's shape; providers know the first two.

No conversation and no stream, so neither a `Dialect` nor a `Wire`: a request is read by its door,
and `road` turns it into what the provider is sent and the way that its answer takes.
Sources: OpenAI API reference, "Create embeddings"; ai.google.dev/api/embeddings; Ollama's
docs/api.md.
"""

from larouter.wire.embeddings.request import (
    DIALECTS,
    LOSSES,
    no_inputs,
    read_gemini,
    read_ollama,
    read_openai,
)
from larouter.wire.embeddings.road import WIRES, road, wire_among

__all__ = [
    "DIALECTS",
    "LOSSES",
    "WIRES",
    "no_inputs",
    "read_gemini",
    "read_ollama",
    "read_openai",
    "road",
    "wire_among",
]
