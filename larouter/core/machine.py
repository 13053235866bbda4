"""What this machine has for local models. Found by `engines/hardware.py`; here it is only data."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 2**30
_PERCENT = 60
"""Of the memory, for all loaded models together: the rest stays with everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A graphics card."""

    name: str
    memory_bytes: int | None = None
    computes: bool = False
    """Does the engine that is installed compute on it? Else its memory is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """None is what could not be found out."""

    system: str
    """As Python says it: linux, darwin, win32."""
    architecture: str
    """x86_64, arm64."""
    processor: str = ""
    cores: int = 1
    """Physical ones that this process may use."""
    threads: int = 1
    has_avx2: bool | None = None
    has_avx512: bool | None = None
    memory_bytes: int
    """All of it, or what the container may use."""
    available_bytes: int
    """Free now, or freed at once when somebody asks."""
    is_limited: bool = False
    """Is the memory that of a container rather than of the machine?"""
    models_bytes: int | None = None
    """What loaded models may hold together, where somebody has set it."""
    disk_free_bytes: int | None = None
    """Where the data folder is."""
    cards: tuple[Card, ...] = ()
    bytes_per_s: int | None = None
    """How fast memory was read and written, measured by copying."""

    @property
    def is_x86(self) -> bool:
        return self.architecture in {"x86_64", "i686"}

    @property
    def is_apple_silicon(self) -> bool:
        return self.system == "darwin" and self.architecture == "arm64"

    @property
    def runs_engine(self) -> bool:
        """The engine's packages for Linux and Windows on x86 need AVX2, and fail without a word."""
        return not (self.is_x86 and self.system != "darwin" and self.has_avx2 is False)

    @property
    def budget_bytes(self) -> int:
        """What all loaded models may hold together, so that the machine stays usable."""
        return (
            self.memory_bytes * _PERCENT // 100 if self.models_bytes is None else self.models_bytes
        )

    @property
    def left_bytes(self) -> int:
        """What models leave to everything else."""
        return max(self.memory_bytes - self.budget_bytes, 0)
