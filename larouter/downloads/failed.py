"""How a download ends that does not succeed, and what to try again."""

from __future__ import annotations

GB = 1_000_000_000


class Failed(Exception):
    """It stops here until somebody does something; the message says what."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Again(Exception):
    """The same request may succeed later: after `wait_s`, where the other side said so.

    `is_network`: nobody was reached, which passes when the network is back, whenever that is.
    """

    def __init__(self, why: str, *, wait_s: float | None = None, is_network: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.wait_s = wait_s
        self.is_network = is_network


def shown_bytes(count: int) -> str:
    """A size as people say it: 3.3 GB, 420 MB."""
    if count >= GB:
        return f"{count / GB:.1f} GB"
    return f"{count / 1_000_000:.0f} MB"


def too_little_room(needed: int, free: int) -> Failed:
    """Both in bytes; `needed` with what is left to the system."""
    return Failed(
        f"The disk of the models has {shown_bytes(free)} left, and {shown_bytes(needed)} are "
        "needed. Make room, then resume: what has arrived is kept.",
        code="disk_full",
    )
