"""Settings of the models on this machine, read out of the environment that `config` hands over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VARIABLES = frozenset({"LAROUTER_MODEL_MEMORY", "LAROUTER_MODEL_IDLE", "LAROUTER_PREWARM"})

_SIZE = re.compile(r"(\d{1,7})\s*(%|mb|gb)", re.IGNORECASE)
_MB, _GB = 1_000_000, 1_000_000_000
_MOST_MINUTES = 100_000


class SettingsError(Exception):
    """A setting is wrong; the message names it and says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Of all local models together."""

    memory_percent: int = 60
    """Of the machine's memory: what loaded models may take together."""
    memory_bytes: int | None = None
    """Or so many bytes."""
    idle_s: float | None = 900.0
    """A model that nobody has asked for so long is unloaded; None: never."""
    prewarm: tuple[str, ...] = ()
    """Ids of models that are loaded when the server starts."""
    folders: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """Where other programs keep model files, by the program's name."""


def read_model_settings(env: Mapping[str, str]) -> ModelSettings:
    """Raises `SettingsError`."""
    percent, size = _memory(env.get("LAROUTER_MODEL_MEMORY") or "60%")
    names = (env.get("LAROUTER_PREWARM") or "").split(",")
    return ModelSettings(
        memory_percent=percent,
        memory_bytes=size,
        idle_s=_idle_s(env.get("LAROUTER_MODEL_IDLE") or "15"),
        prewarm=tuple(name.strip() for name in names if name.strip()),
        folders=_folders(env),
    )


def _memory(text: str) -> tuple[int, int | None]:
    match = _SIZE.fullmatch(text.strip())
    if match is not None:
        number, unit = int(match[1]), match[2].lower()
        if unit == "%" and 5 <= number <= 95:
            return number, None
        if unit != "%" and number > 0:
            return 60, number * (_MB if unit == "mb" else _GB)
    raise SettingsError(
        f"LAROUTER_MODEL_MEMORY is {text!r}; write a share of this machine's memory from 5% "
        "to 95%, or a size such as 8GB."
    )


def _idle_s(text: str) -> float | None:
    if text.lower() == "never":
        return None
    if text.isascii() and text.isdigit() and 1 <= int(text[:7]) <= _MOST_MINUTES:
        return 60.0 * int(text[:7])
    raise SettingsError(
        f"LAROUTER_MODEL_IDLE is {text!r}; write a number of minutes from 1, or never."
    )


def _folders(env: Mapping[str, str]) -> dict[str, tuple[Path, ...]]:
    """Each program's own rule, and where its service keeps them on Linux."""
    if not env.get("HOME") and not env.get("USERPROFILE"):
        return {}
    home = Path(env.get("HOME") or env["USERPROFILE"])
    cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache")
    hub = Path(env.get("HF_HOME") or cache / "huggingface") / "hub"
    ollama = env.get("OLLAMA_MODELS")
    return {
        "ollama": (Path(ollama),)
        if ollama
        else (home / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models")),
        "lm-studio": (home / ".lmstudio" / "models", cache / "lm-studio" / "models"),
        "hugging-face": (Path(env.get("HF_HUB_CACHE") or hub),),
        "llama.cpp": (
            Path(env.get("LLAMA_CACHE") or cache / "llama.cpp"),
            home / "Library" / "Caches" / "llama.cpp",
        ),
    }
