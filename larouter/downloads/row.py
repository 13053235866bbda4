"""A download as the API shows it: how far, how fast, how long still."""

from __future__ import annotations

from typing import Any

import msgspec

from larouter.downloads.order import Order, Piece
from larouter.downloads.process import Line


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One download now."""

    id: str
    title: str
    state: str
    """queued, running, paused, failed, done or cancelled."""
    phase: str | None
    """While it runs: starting, asking (the hub), checking (what is there), fetching, waiting."""
    why: str | None
    """What it waits for."""
    bytes_done: int
    bytes_total: int | None
    speed: int | None
    """Bytes a second, over the last seconds."""
    left_s: int | None
    pinned: bool
    """Do all sizes and hashes come from the catalogue, none from the hub alone?"""
    files: tuple[Piece, ...]
    error: dict[str, str | None] | None
    made_ms: int
    ended_ms: int | None


def row_of(order: Order, last: Line | None, arrived: int) -> Row:
    """`last` is what its worker said last; None: none runs. `arrived`: bytes on the disk."""
    runs = last is not None and order.state == "queued"
    said: dict[str, Any] = (last or {}) if runs else {}
    phase = said.get("phase", "starting") if runs else None
    # What is hashed again after a break is on the disk: the bar does not go back for it.
    done = said["done"] if phase == "fetching" else arrived
    total = said.get("total") or order.total
    speed = said.get("speed") if phase == "fetching" else None
    return Row(
        id=order.id,
        title=order.title,
        state="running" if runs else order.state,
        phase=phase,
        why=said.get("why") if phase == "waiting" else None,
        bytes_done=done,
        bytes_total=total,
        speed=speed,
        left_s=_left(done, total, speed),
        pinned=all(piece.pinned for piece in order.files),
        files=order.files,
        error={"code": order.code, "message": order.message} if order.state == "failed" else None,
        made_ms=order.made_ms,
        ended_ms=order.ended_ms,
    )


def _left(done: int, total: int | None, speed: int | None) -> int | None:
    return round((total - done) / speed) if total is not None and speed else None
