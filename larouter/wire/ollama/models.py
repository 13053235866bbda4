"""What Ollama's clients ask about models: the list, one model, those that run. Shapes only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from larouter.core.catalog import Model

VERSION = "0.23.4"
"""The release of Ollama (May 2026) whose native API is answered here. Clients switch features on by
it and read each part as a number: GitHub Copilot wants 0.6.4 or more, thinking is from 0.9 on."""

_CAPABILITIES = (("tools", "tools"), ("images", "vision"), ("thinking", "thinking"))
_SIZE = re.compile(r"(?:^|[ -])[EA]?(\d+(?:\.\d+)?[BM])(?:$|[ -])", re.IGNORECASE)
_QUANTIZATION = re.compile(r"(?:^|[-_.])(I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|F32)(?=$|[-_.])", re.I)
_NEVER = "2318-01-01T00:00:00Z"
"""When a model leaves the memory that nobody has given a time: what Ollama says for it too."""


def tagged(name: str) -> str:
    """Every name in Ollama's lists has a tag; clients cut it off at the colon."""
    return name if ":" in name else f"{name}:latest"


def listed(name: str, models: Sequence[Model], date: str) -> dict[str, Any]:
    """One entry of `/api/tags`: a model, or a name for several (auto, a tier)."""
    file = models[0].file if len(models) == 1 else None
    seed = f"{name} {date}".encode()
    return {
        "name": tagged(name),
        "model": tagged(name),
        "modified_at": f"{date}T00:00:00Z",
        "size": (file.bytes if file else None) or 0,
        "digest": (file.sha256 if file else None) or hashlib.sha256(seed).hexdigest(),
        "details": _details(models),
    }


def shown(name: str, models: Sequence[Model], date: str) -> dict[str, Any]:
    """The answer of `/api/show`. Of several models what any of them can do, as each request goes
    to one that can do what it needs."""
    context = max((model.context or 0 for model in models), default=0)
    info: dict[str, Any] = {"general.architecture": "larouter", "general.basename": name}
    if context:
        info["larouter.context_length"] = context
    return {
        "license": "",
        "modelfile": f"# Served by LARouter\nFROM {name}\n",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": _details(models),
        "model_info": info,
        "capabilities": _capabilities(models),
        "modified_at": f"{date}T00:00:00Z",
    }


def running(models: Iterable[Model], date: str) -> dict[str, Any]:
    """The answer of `/api/ps`: the local models that hold memory."""
    found = []
    for model in models:
        entry = listed(model.id, (model,), date)
        del entry["modified_at"]
        # Where the layers lie is the engine's affair; not told means none of it.
        entry |= {"expires_at": _NEVER, "size_vram": 0, "context_length": model.context or 0}
        found.append(entry)
    return {"models": found}


def _capabilities(models: Sequence[Model]) -> list[str]:
    abilities = frozenset().union(*(model.abilities for model in models))
    if models and all("embeddings" in model.abilities for model in models):
        return ["embedding"]
    return ["completion", *(word for ability, word in _CAPABILITIES if ability in abilities)]


def _details(models: Sequence[Model]) -> dict[str, Any]:
    model = models[0] if len(models) == 1 else None
    file = model.file if model else None
    size = _SIZE.search(model.title or "") if model else None
    quantization = _QUANTIZATION.search(file.name) if file else None
    return {
        "parent_model": "",
        "format": "gguf" if file else "",
        "family": "larouter",
        "families": ["larouter"],
        "parameter_size": size[1].upper() if size else "",
        "quantization_level": quantization[1].upper() if quantization else "",
    }
