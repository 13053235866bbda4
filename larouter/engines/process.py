"""One child process that serves one model: start, wait until ready, stop, state.

`subprocess` and `threading` are used in the plain way. In the server gevent has replaced both, so
that a thread here is a greenlet and nothing blocks the hub; in tests they are what they seem.
"""

from __future__ import annotations

import http.client
import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from larouter.core.ports import Address
from larouter.engines.log import EngineLog

logger = logging.getLogger(__name__)

_GRACE_S = 2.0
_ANSWER_S = 2.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What the child said when it was ready."""

    pid: int
    port: int
    context: int
    """Tokens that one request may use, prompt and answer together."""
    total_context: int
    """Tokens that all requests may use together."""
    slots: int
    """Requests worked on at once; further ones wait in the engine, first come, first served."""
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the child said when it gave up before it was ready."""

    kind: str
    message: str


class Process:
    """A child from its start to its end; it is never started twice.

    `on_exit` is called once, after the child has ended and before any waiter is woken.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        key: str,
        environment: Mapping[str, str],
        log: EngineLog,
        on_exit: Callable[[Process], None],
    ) -> None:
        self.log = log
        self.started_at = time.monotonic()
        self.ready: Ready | None = None
        self.refusal: Refusal | None = None
        self.is_stopping = False
        self._key = key
        self._on_exit = on_exit
        self._decided = threading.Event()
        self._gone = threading.Event()
        self._child: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own command
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            creationflags=_NO_WINDOW,
        )
        for work in (self._watch, self._keep_log):
            threading.Thread(target=work, name=f"engine-{self.pid}", daemon=True).start()
        self._say({"key": key})

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def is_alive(self) -> bool:
        return not self._gone.is_set()

    @property
    def returncode(self) -> int | None:
        return self._child.returncode

    @property
    def address(self) -> Address | None:
        """Where it answers; None before it is ready and after its end."""
        if self.ready is None or not self.is_alive:
            return None
        return Address(url=f"http://127.0.0.1:{self.ready.port}/v1", key=self._key)

    def wait_decided(self, timeout_s: float) -> bool:
        """Wait until the child is ready or gone; False when it is neither in time."""
        return self._decided.wait(timeout_s)

    def wait_gone(self, timeout_s: float) -> bool:
        return self._gone.wait(timeout_s)

    def stop(self) -> None:
        """End the child and wait until it is gone. Idempotent."""
        self.is_stopping = True
        _close(_pipe(self._child.stdin))
        if not self._gone.wait(_GRACE_S):
            self.kill()

    def kill(self) -> None:
        """End a child that does not do its work; it counts as a crash unless it was stopped."""
        self._child.kill()
        self._gone.wait(_GRACE_S)

    def is_answering(self) -> bool:
        return self._get("/health") is not None

    def is_busy(self) -> bool:
        """Is a request being worked on? True also when the child does not say."""
        body = self._get("/slots")
        return body is None or any(slot["is_processing"] for slot in json.loads(body))

    def _get(self, path: str) -> bytes | None:
        if self.ready is None:
            return None
        connection = http.client.HTTPConnection("127.0.0.1", self.ready.port, timeout=_ANSWER_S)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self._key}"})
            response = connection.getresponse()
            return response.read() if response.status == http.client.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _say(self, line: Mapping[str, str]) -> None:
        stdin = _pipe(self._child.stdin)
        try:
            stdin.write(json.dumps(line).encode() + b"\n")
            stdin.flush()
        except OSError:
            # The child is gone already; `_watch` sees it too, and knows more.
            logger.debug("engine %s left before it was told its key", self.pid)

    def _watch(self) -> None:
        stdout = _pipe(self._child.stdout)
        self._hear(stdout.readline())
        if self.ready is not None:
            self._decided.set()
        # Nothing more is said: what comes is the end of the pipe, at the end of the child.
        while stdout.read(1024):
            pass
        self._child.wait()
        try:
            self._on_exit(self)
        finally:
            self._gone.set()
            self._decided.set()
            _close(_pipe(self._child.stdin))
            _close(stdout)

    def _hear(self, line: bytes) -> None:
        try:
            said: dict[str, Any] = json.loads(line)
            if "error" in said:
                self.refusal = Refusal(kind=said["error"], message=said["message"])
                self.log.write(self.refusal.message.encode())
            else:
                self.ready = Ready(
                    pid=self.pid,
                    port=said["port"],
                    context=said["n_ctx"],
                    total_context=said["total"],
                    slots=said["slots"],
                    engine=said["engine"],
                )
        except (ValueError, KeyError, TypeError):
            # It died before it could say anything.
            logger.debug("engine %s said nothing", self.pid)

    def _keep_log(self) -> None:
        stderr = _pipe(self._child.stderr)
        for line in stderr:
            self.log.write(line)
        _close(stderr)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "every pipe of the child was asked for"
    return pipe


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        # Unsaid bytes for a child that is gone.
        logger.debug("a pipe was closed at its other end")
