"""Is there room on the disk for one more download, and for all that is still to come?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from larouter.core.errors import DiskFull
from larouter.downloads.failed import shown_bytes
from larouter.downloads.order import Order
from larouter.downloads.orders import Orders


def check_room(orders: Orders, order: Order, free: Callable[[Path], int], reserve: int) -> None:
    """Raises `DiskFull`, with the figures. `reserve` bytes are left to everybody else."""
    others = [one for one in orders.all() if one.state == "queued" and one.id != order.id]
    needed = orders.left([order])
    promised = orders.left(others)
    there = free(orders.folder)
    if needed + promised + reserve <= there:
        return
    parts = [f"{order.title} needs {shown_bytes(needed)} more"]
    if promised:
        parts.append(f"other downloads {shown_bytes(promised)}")
    raise DiskFull(
        f"{', '.join(parts)}, and {shown_bytes(reserve)} stay free for everything else, but the "
        f"disk has {shown_bytes(there)} left. Make room, or choose a smaller model.",
        param="id",
    )
