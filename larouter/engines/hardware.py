"""Finds out what this machine has for local models: processor, memory, disk, graphics cards.

Nothing here may be slow or fail: a fact that cannot be had within its time limit is None. The
engine is not imported, as that would bring its libraries into the server.
"""

from __future__ import annotations

import ctypes
import logging
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from larouter.config import import_path
from larouter.core.machine import Card, Machine
from larouter.engines.cgroup import limits

logger = logging.getLogger(__name__)

_TIME_LIMIT_S = 2.0
_MEASURING_S = 4.0
"""A busy machine takes its time to start a child."""
_TRIES = 3
_X86 = frozenset({"x86_64", "amd64", "x64"})
_ARM = frozenset({"arm64", "aarch64"})
_NVIDIA_SMI = ("--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_PF_AVX2, _PF_AVX512 = 40, 41
"""Windows' numbers for `IsProcessorFeaturePresent` (winnt.h)."""
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class Hardware:
    """What never changes is asked for once, by `learn`; memory and disk each time."""

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str],
        *,
        root: Path = Path("/"),
        system: str = sys.platform,
        architecture: str | None = None,
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        """`root` is where `proc` and `sys` are."""
        self._home = home
        self._environment = {**environment, "PYTHONPATH": import_path(environment)}
        self._root = root
        self._system = system
        self._python = tuple(python)
        self._architecture = _architecture(architecture or platform.machine())
        self._lock = threading.Lock()
        self._is_learnt = False
        self._processor = ""
        self._features: frozenset[str] | None = None
        self._cards: tuple[Card, ...] = ()
        self._bytes_per_s: int | None = None
        self._tries = 0

    def learn(self, *, with_speed: bool = True) -> None:
        """Ask the system's programs, and with its speed have a child measure memory. Waits."""
        with self._lock:
            if not self._is_learnt:
                self._processor = self._find_processor()
                self._features = self._find_features()
                self._cards = self._find_cards()
                self._is_learnt = True
            if with_speed and self._bytes_per_s is None and self._tries < _TRIES:
                self._tries += 1
                self._bytes_per_s = self._time_memory()

    def machine(self) -> Machine:
        """What is known by now. Not for the hub: it looks at the disk."""
        features = self._features
        memory, bounds = psutil.virtual_memory(), limits(self._root)
        threads = _usable_threads(bounds.processors)
        total = min(memory.total, bounds.memory_bytes or memory.total)
        available = min(memory.available, bounds.available_bytes or memory.available, total)
        return Machine(
            system=self._system,
            architecture=self._architecture,
            processor=self._processor,
            cores=min(psutil.cpu_count(logical=False) or threads, threads),
            threads=threads,
            has_avx2=None if features is None else "avx2" in features,
            has_avx512=None if features is None else "avx512f" in features,
            memory_bytes=total,
            available_bytes=available,
            is_limited=total < memory.total,
            disk_free_bytes=self._disk_free(),
            cards=self._cards,
            bytes_per_s=self._bytes_per_s,
        )

    def _time_memory(self) -> int | None:
        cores = str(psutil.cpu_count(logical=False) or 1)
        command = [*self._python, "-m", "larouter.engines.bandwidth", cores]
        said = self._said(command, _MEASURING_S)
        return int(said) if said.isdigit() else None

    def _disk_free(self) -> int | None:
        folder = self._home
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            return None

    def _find_processor(self) -> str:
        if self._system == "darwin":
            return self._said(["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"])
        return self._cpuinfo("model name") or platform.processor()

    def _find_features(self) -> frozenset[str] | None:
        """Only where it matters, and what of it matters; None: it does not, or nobody knows."""
        if self._architecture != "x86_64":
            return None
        if self._system == "darwin":
            said = self._said(["/usr/sbin/sysctl", "-n", "machdep.cpu.leaf7_features"])
            return frozenset(said.lower().split()) if said else None
        if sys.platform == "win32":
            has = ctypes.windll.kernel32.IsProcessorFeaturePresent
            numbers = {"avx2": _PF_AVX2, "avx512f": _PF_AVX512}
            return frozenset(name for name, number in numbers.items() if has(number))
        flags = self._cpuinfo("flags")
        return frozenset(flags.split()) if flags else None

    def _cpuinfo(self, name: str) -> str:
        for line in _text(self._root / "proc/cpuinfo").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
        return ""

    def _find_cards(self) -> tuple[Card, ...]:
        """The packaged engine computes on Apple's cards; elsewhere on the processor alone."""
        if self._system == "darwin":
            metal = self._architecture == "arm64"
            return (Card(name="Apple GPU (Metal)", computes=True),) if metal else ()
        return (*self._nvidia(), *self._other_cards())

    def _nvidia(self) -> tuple[Card, ...]:
        program = shutil.which("nvidia-smi", path=self._environment.get("PATH"))
        if program:
            rows = [
                line.rpartition(",") for line in self._said([program, *_NVIDIA_SMI]).split("\n")
            ]
            found = [(name.strip(), mib.strip()) for name, _, mib in rows if name]
            if found:
                return tuple(
                    Card(name=name, memory_bytes=int(mib) * 2**20 if mib.isdigit() else None)
                    for name, mib in found
                )
        told = sorted(self._root.glob("proc/driver/nvidia/gpus/*/information"))
        lines = [line for path in told for line in _text(path).splitlines()]
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
        return tuple(Card(name=name) for name in names)

    def _other_cards(self) -> tuple[Card, ...]:
        """AMD's, whose driver says how much memory there is."""
        told = sorted(self._root.glob("sys/class/drm/card[0-9]/device/mem_info_vram_total"))
        sizes = [text for text in map(_text, told) if text.isdigit()]
        return tuple(Card(name="AMD graphics", memory_bytes=int(text)) for text in sizes)

    def _said(self, command: Sequence[str], limit_s: float = _TIME_LIMIT_S) -> str:
        """What a program writes, or nothing."""
        try:
            done = subprocess.run(  # noqa: S603 - our own commands
                list(command),
                capture_output=True,
                text=True,
                timeout=limit_s,
                env=self._environment,
                creationflags=_NO_WINDOW,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            logger.info("%s did not say: %s", Path(command[0]).name, type(error).__name__)
            return ""
        return done.stdout.strip()


def _architecture(name: str) -> str:
    low = name.lower()
    return "x86_64" if low in _X86 else "arm64" if low in _ARM else low


def _usable_threads(limit: float | None) -> int:
    threads = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        threads = min(threads, len(os.sched_getaffinity(0)))
    return max(1, min(threads, int(limit or threads)))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
