"""Errors in the caller's own shape, by the path that was called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from larouter.core.errors import LARouterError
from larouter.wire.dialects import DIALECTS

_OLLAMA = frozenset(
    f"/api/{name}"
    for name in (
        "tags", "show", "chat", "generate", "embed", "embeddings", "version", "ps", "pull", "push",
        "create", "copy", "delete",
    )
)  # fmt: skip

# Google's methods have a capital inside (:generateContent); a model's tag (:latest) has none.
_GEMINI = re.compile(r"/v1beta/|/v1/models/.+:[a-z]+[A-Z][A-Za-z]*$")


def dialect_of(path: str, environ: Mapping[str, Any]) -> str:
    """Whose shape an answer at `path` has; OpenAI's where nobody's is asked for."""
    if _GEMINI.match(path):
        return "gemini"
    if path.startswith("/v1/messages") or "HTTP_ANTHROPIC_VERSION" in environ:
        return "anthropic"
    if "HTTP_X_GOOG_API_KEY" in environ:
        return "gemini"
    return "ollama" if path in _OLLAMA or path.startswith("/api/blobs/") else "chat"


def error_body(error: LARouterError, path: str, environ: Mapping[str, Any]) -> bytes:
    """The JSON of an error; the status is the same for all."""
    return DIALECTS[dialect_of(path, environ)].write_error(error)
