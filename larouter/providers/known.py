"""Providers by name: reads `data/providers.toml`, so that a well-known one needs no address."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

ADDABLE_WIRES = ("openai", "anthropic", "gemini")
"""What a provider of one's own may speak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One row: what somebody who adds this provider need not look up."""

    name: str
    title: str
    wire: str
    url: str
    source: str
    checked: date
    """The day on which `source` was read."""


def read_known(text: str) -> dict[str, Known]:
    """Return the rows by name. Raises `KeyError` or `ValueError` for a row that is not whole."""
    rows = [_known(row) for row in tomllib.loads(text)["provider"]]
    known = {row.name: row for row in rows}
    if len(known) < len(rows):
        raise ValueError("two providers have the same name")
    return known


def _known(row: Mapping[str, Any]) -> Known:
    known = Known(**row)
    if known.wire not in ADDABLE_WIRES:
        raise ValueError(f"{known.name} has an unknown wire: {known.wire}")
    if not known.url.startswith("https://") or known.url.endswith("/"):
        raise ValueError(f"{known.name} has an address that is no https one, or ends in a slash")
    if not known.source.startswith("https://"):
        raise ValueError(f"{known.name} has no source")
    if not isinstance(known.checked, date) or isinstance(known.checked, datetime):
        raise ValueError(f"{known.name} has no day on which its source was read")
    return known
