"""Asks a child what the head of a model file says, with a deadline (TRUST S9)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from larouter.config import import_path
from larouter.core.errors import Unavailable
from larouter.engines.gguf import Head, NotGGUF

_DEADLINE_S = 30.0
_MOST_KEPT = 500
_LISTS = ("heads", "kv_heads", "window_layers")
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class Heads:
    """What was read is kept while the file stays as it is."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        python: Sequence[str] = (sys.executable,),
        deadline_s: float = _DEADLINE_S,
    ) -> None:
        self._environment = {**environment, "PYTHONPATH": import_path(environment)}
        self._command = (*python, "-m", "larouter.engines.inspect")
        self._deadline_s = deadline_s
        self._known: dict[str, tuple[tuple[int, int], Head]] = {}

    def of(self, path: Path) -> Head:
        """Raises `NotGGUF` with what is wrong, `OSError` for a file that is not there,
        `Unavailable` when the reader came to no end."""
        facts = path.stat()
        mark = (facts.st_size, facts.st_mtime_ns)
        known = self._known.get(str(path))
        if known is not None and known[0] == mark:
            return known[1]
        head = self._read(path)
        while len(self._known) >= _MOST_KEPT:
            del self._known[next(iter(self._known))]
        self._known[str(path)] = (mark, head)
        return head

    def _read(self, path: Path) -> Head:
        try:
            done = subprocess.run(  # noqa: S603 - our own command; the file's name is one argument
                [*self._command, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                timeout=self._deadline_s,
                check=False,
                creationflags=_NO_WINDOW,
            )
            said: dict[str, Any] = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            # The machine's fault as likely as the file's: nobody deletes a file for it.
            raise Unavailable(
                "The head of the file could not be read in time. Try again; if it stays so, the "
                "file is no model."
            ) from None
        if "error" in said:
            raise NotGGUF(said["error"])
        return Head(**{**said, **{name: tuple(said[name]) for name in _LISTS}})
