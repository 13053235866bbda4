"""Reads what providers document of their media: `data/media.toml`, dated and with its sources."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from typing import Any

from larouter.core.media import Facts
from larouter.core.price_toml import read_source
from larouter.core.toml_row import Row, exact_decimal

_FACTS = ("image", "patch", "per_patch", "high", "page", "audio_per_s")
_KEYS = frozenset({*_FACTS, "provider", "models", "source", "checked"})
_MOST_PER_PATCH = 10_000


def read_media(text: str) -> tuple[Facts, ...]:
    """Raises `ValueError` that says what is wrong, also for a row without its source and date."""
    top = Row(tomllib.loads(text), "the media", frozenset({"medium"}))
    return tuple(_facts(data) for data in top.tables("medium"))


def _facts(data: Any) -> Facts:
    row = Row(data, "a row of the media", _KEYS)
    row.day("checked")
    read_source(row, _FACTS)
    per_patch = row.any("per_patch", "1")
    return Facts(
        provider=row.text("provider"),
        models=row.words("models"),
        image=row.number("image"),
        patch=row.number("patch"),
        per_patch=Fraction(exact_decimal(per_patch, row.what, _MOST_PER_PATCH)),
        high=row.number("high"),
        page=row.number("page"),
        audio_per_s=row.number("audio_per_s"),
    )
