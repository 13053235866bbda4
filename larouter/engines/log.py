"""What a child says on stderr: the last lines at hand, more of them in a bounded file."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

_LINES = 50
_LINE_BYTES = 2_000
_FILE_BYTES = 512 * 1024
"""Of the file; with the one before it that is kept, 1 MiB."""


class EngineLog:
    """Never raises and never waits for anything but the page cache (TRUST A12)."""

    def __init__(self, folder: Path, model_id: str) -> None:
        self.path = folder / f"engine-{re.sub(r'[^A-Za-z0-9._-]', '_', model_id)}.log"
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._size = self.path.stat().st_size if self.path.exists() else 0

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self._lines)

    @property
    def last_line(self) -> str:
        return self._lines[-1] if self._lines else ""

    def write(self, line: bytes) -> None:
        text = line[:_LINE_BYTES].decode(errors="replace").rstrip()
        if not text:
            return
        self._lines.append(text)
        try:
            self._append(text.encode() + b"\n")
        except OSError:
            # A full disk must not stop the engine, nor must a folder that is gone.
            return

    def _append(self, line: bytes) -> None:
        if self._size + len(line) > _FILE_BYTES:
            self.path.replace(self.path.with_suffix(".log.1"))
            self._size = 0
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.open("ab") as file:
            file.write(line)
        self._size += len(line)
