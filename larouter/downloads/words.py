"""How far a download is, in words: of a row as the API gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.downloads.failed import shown_bytes

_PHASES = {
    "starting": "starting",
    "asking": "asking the hub",
    "checking": "checking what is there",
}


def percent(row: Mapping[str, Any]) -> int | None:
    total = row["bytes_total"]
    return 100 * row["bytes_done"] // total if total else None


def words(row: Mapping[str, Any]) -> str:
    """What it does, and how far it is."""
    parts = []
    if (done := percent(row)) is not None:
        parts.append(
            f"{done} %  {shown_bytes(row['bytes_done'])} of {shown_bytes(row['bytes_total'])}"
        )
    if row["phase"] == "fetching" and row["speed"] is not None:
        parts.append(f"{shown_bytes(row['speed'])}/s")
        if row["left_s"] is not None:
            parts.append(f"{_time(row['left_s'])} left")
    elif row["phase"] == "waiting":
        parts.append(f"waiting: {row['why']}")
    elif row["phase"] in _PHASES:
        parts.append(_PHASES[row["phase"]])
    return "  ".join(parts)


def _time(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
