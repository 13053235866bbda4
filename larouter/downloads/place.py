"""Where models come from and where they go, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

RESERVE = 512 * 1024 * 1024
"""Bytes of the disk that no download takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where models come from and where they go."""

    models: Path
    endpoint: str
    token: str | None = field(default=None, repr=False)
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    reserve: int = RESERVE
