"""Settings of the models on this machine, read out of the environment that `config` hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SettingsError(Exception):
    """A setting is wrong; the message names it and says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Of all local models together."""

    folders: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """Where other programs keep model files, by the program's name."""


def read_model_settings(env: Mapping[str, str]) -> ModelSettings:
    """Nothing in it can be wrong yet."""
    return ModelSettings(folders=_folders(env))


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
