"""What a container or a service may use of the machine: Linux's control groups, both versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_V1_MEMORY = "sys/fs/cgroup/memory"
_V2 = "sys/fs/cgroup"
_NO_LIMIT = 2**60
"""The first version writes a number like this where nothing is limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None: not limited."""

    memory_bytes: int | None = None
    available_bytes: int | None = None
    processors: float | None = None


def limits(root: Path) -> Limits:
    """The narrowest limit of this process's group and of those around it."""
    groups = _groups(root)
    rooms = [_memory_v2(folder) for folder in _folders(root / _V2, groups.get("", ""))]
    rooms += [
        _memory_v1(folder) for folder in _folders(root / _V1_MEMORY, groups.get("memory", ""))
    ]
    known = [room for room in rooms if room is not None]
    shares = [_processors(folder) for folder in _folders(root / _V2, groups.get("", ""))]
    counted = [share for share in shares if share is not None]
    return Limits(
        memory_bytes=min((total for total, _ in known), default=None),
        available_bytes=min((free for _, free in known), default=None),
        processors=min(counted, default=None),
    )


def _groups(root: Path) -> dict[str, str]:
    """Controller to path; the second version has one group for all, named by nothing."""
    found = {}
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for name in controllers.split(","):
            found[name] = path
    return found


def _folders(base: Path, group: str) -> Iterator[Path]:
    """The group's folder and those above it. In a container its path is often not to be seen."""
    parts = PurePosixPath(group.lstrip("/")).parts
    if ".." not in parts:
        for count in range(len(parts), 0, -1):
            yield base.joinpath(*parts[:count])
    yield base


def _memory_v2(folder: Path) -> tuple[int, int] | None:
    return _room(folder, "memory.max", "memory.current", "inactive_file")


def _memory_v1(folder: Path) -> tuple[int, int] | None:
    return _room(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _room(folder: Path, limit: str, used: str, reclaimed: str) -> tuple[int, int] | None:
    """The limit, and what is left of it; pages of files that nobody uses are given back."""
    total = _read(folder / limit)
    if not total.isdigit() or int(total) >= _NO_LIMIT:
        return None
    now = _read(folder / used)
    stats = dict(
        line.split(" ", 1) for line in _read(folder / "memory.stat").splitlines() if " " in line
    )
    back = stats.get(reclaimed, "0")
    held = int(now or 0) - int(back) if now.isdigit() and back.isdigit() else 0
    return int(total), max(int(total) - max(held, 0), 0)


def _processors(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
