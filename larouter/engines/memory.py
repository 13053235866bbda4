"""How much memory the models of this machine may take together, so that it stays usable."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import psutil

from larouter.engines.cgroup import limits

_KEPT_FREE = 0.05
"""Of all memory: whatever runs beside us may need some more."""
_ROOT = Path("/")


class Memory(Protocol):
    """What the pool asks."""

    def most(self) -> int:
        """What models may take together at best, in bytes."""
        ...

    def room(self, held: int) -> int:
        """What they may take together now, of which they hold so much already."""
        ...


class MachineMemory:
    """A share of the machine's memory, or a size; less while other programs need it."""

    def __init__(self, *, percent: int = 60, size: int | None = None, root: Path = _ROOT) -> None:
        self._percent = percent
        self._size = size
        self._root = root

    def most(self) -> int:
        total = self._total()
        return min(total, self._size) if self._size else total * self._percent // 100

    def room(self, held: int) -> int:
        total, available = self._total(), int(psutil.virtual_memory().available)
        left = limits(self._root).available_bytes
        available = available if left is None else min(available, left)
        return max(0, min(self.most(), available + held - int(total * _KEPT_FREE)))

    def _total(self) -> int:
        total = int(psutil.virtual_memory().total)
        limit = limits(self._root).memory_bytes
        return total if limit is None else min(total, limit)


def rss(pid: int) -> int | None:
    """What a process holds in memory; None: nobody can say."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
