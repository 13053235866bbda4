"""How many streams are read on although their clients left (TRUST B8)."""

from __future__ import annotations

MOST = 32


class Drains:
    """Hands out places."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._taken = 0
        self._closed = False

    def take(self) -> bool:
        """Is there a place? Then it is taken until it is given back."""
        if self._closed or self._taken >= self._most:
            return False
        self._taken += 1
        return True

    def give_back(self) -> None:
        self._taken -= 1

    def close(self) -> None:
        """The server stops: who is cut off now has not left."""
        self._closed = True
