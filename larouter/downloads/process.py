"""One worker, seen from its parent: its order goes in, what it says comes out, its end is told.

`subprocess` and `threading` are used in the plain way; in the server gevent has replaced both, so
that nothing here blocks the hub.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

logger = logging.getLogger(__name__)

_GRACE_S = 3.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)

Line = dict[str, Any]

HUB_ENVIRONMENT = {
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
}
"""The hub's library reads them once, as it is imported: it sends nothing about this machine, takes
no login that lies about, and never goes by Xet."""


class Process:
    """A child from its start to its end. `on_end` is called once, after the last line."""

    def __init__(
        self,
        command: Sequence[str],
        job: bytes,
        *,
        environment: Mapping[str, str],
        on_line: Callable[[Line], None],
        on_end: Callable[[], None],
    ) -> None:
        self._on_line = on_line
        self._on_end = on_end
        self._gone = threading.Event()
        self._child: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own command
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback there may quote an address with a signature
            env=dict(environment),
            creationflags=_NO_WINDOW,
        )
        stdin = _pipe(self._child.stdin)
        with suppress(OSError):  # gone already: `_listen` sees it
            stdin.write(job + b"\n")
            stdin.flush()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def stop(self) -> None:
        """End the child and wait until it is gone; what has arrived stays. Idempotent."""
        self.let_go()
        if not self._gone.wait(_GRACE_S):
            self._child.kill()
            self._gone.wait(_GRACE_S)

    def let_go(self) -> None:
        """Tell the child to leave."""
        with suppress(OSError):
            _pipe(self._child.stdin).close()

    def _listen(self) -> None:
        stdout = _pipe(self._child.stdout)
        for line in stdout:
            try:
                said = json.loads(line)
            except ValueError:
                # It ended in the middle of a line.
                continue
            self._on_line(said)
        self._child.wait()
        self.let_go()
        stdout.close()
        self._gone.set()
        self._on_end()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "every pipe of the child was asked for"
    return pipe
