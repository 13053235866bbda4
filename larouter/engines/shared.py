"""One owner of this machine's models among several processes (`serve --workers`).

Whoever holds the lock runs the engines and answers the others on a port of this machine, with a
key that only the data folder tells. When it ends, its engines end with it, and the next one that
needs a model becomes the owner.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from larouter.config import write_private_file
from larouter.core.catalog import Model
from larouter.core.errors import Conflict, EngineBusy, EngineDown, LARouterError, ModelNotFound
from larouter.core.ports import Address, EngineStatus, Leaving, Runner

_METHODS = frozenset(
    {"ensure_ready", "running", "state", "status", "report_failure", "unload", "stop", "reset"}
)
_ERRORS: dict[str, type[LARouterError]] = {
    kind.__name__: kind for kind in (Conflict, EngineBusy, EngineDown, ModelNotFound)
}
_KNOWN_S = 0.25
"""So long is it believed what a model's state was: every decision asks."""
_LOADS_S = 660.0
"""Waiting for room, and then loading."""
_TRIES = 40
_PAUSE_S = 0.05

logger = logging.getLogger(__name__)


class Shared:
    """A `Runner` that several processes have in common; `own` is what this one runs as owner."""

    def __init__(
        self,
        own: Runner,
        folder: Path,
        find: Callable[[str], Model | None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`find` gives the model of an id."""
        self._own = own
        self._find = find
        self._clock = clock
        self._lock = FileLock(folder / "engines.lock", mode=0o600, thread_local=False)
        self._place = folder / "engines.json"
        self._server: socketserver.ThreadingTCPServer | None = None
        self._known: dict[tuple[str, str], tuple[float, Any]] = {}

    def ensure_ready(self, model: Model, leaving: Leaving | None = None) -> Address:
        if self._is_owner():
            return self._own.ensure_ready(model, leaving)
        found = self._ask("ensure_ready", model)
        return found if isinstance(found, Address) else Address(**found)

    def running(self, model: Model) -> Address | None:
        found = self._recent("running", model)
        return Address(**found) if isinstance(found, dict) else found

    def has(self, model: Model) -> bool:
        """The files are everybody's: the same folder."""
        return self._own.has(model)

    def state(self, model: Model) -> str:
        return str(self._recent("state", model))

    def status(self, model: Model) -> EngineStatus:
        found = self._ask("status", model)
        if isinstance(found, EngineStatus):
            return found
        return EngineStatus(**{**found, "last_lines": tuple(found["last_lines"])})

    def unload(self, model: Model) -> None:
        self._ask("unload", model)

    def stop(self, model: Model) -> None:
        self._ask("stop", model)

    def reset(self, model: Model) -> None:
        self._ask("reset", model)

    def report_failure(self, model: Model) -> None:
        self._ask("report_failure", model)

    def stop_all(self) -> None:
        """The owner's engines end with it."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._place.unlink(missing_ok=True)
        self._own.stop_all()
        self._lock.release()

    def _recent(self, method: str, model: Model) -> Any:
        key = (method, model.id)
        at, found = self._known.get(key, (-1.0, None))
        if self._server is not None or at < self._clock() - _KNOWN_S:
            found = self._ask(method, model)
            self._known[key] = (self._clock(), found)
        return found

    def _ask(self, method: str, model: Model) -> Any:
        for _ in range(_TRIES):
            if self._is_owner():
                return getattr(self._own, method)(model)
            try:
                return self._call(method, model)
            except (OSError, ValueError, KeyError):
                # The owner has just ended, or has not said yet where it is.
                time.sleep(_PAUSE_S)
        raise EngineDown(
            "The process that runs this machine's models does not answer; try again in a moment.",
            retry_after_s=1,
        )

    def _is_owner(self) -> bool:
        if self._server is None:
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                return False
            if self._server is None:
                self._server = self._serve()
        return True

    def _call(self, method: str, model: Model) -> Any:
        place = json.loads(self._place.read_text("utf-8"))
        line = json.dumps({"key": place["key"], "method": method, "model": model.id})
        with socket.create_connection(("127.0.0.1", place["port"]), timeout=_LOADS_S) as sock:
            sock.sendall(line.encode() + b"\n")
            with sock.makefile("rb") as file:
                answer = json.loads(file.readline())
        if "error" in answer:
            raise _error(answer["error"])
        return answer["result"]

    def _serve(self) -> socketserver.ThreadingTCPServer:
        key = secrets.token_urlsafe(32)
        owner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(json.dumps(owner._answered(self.rfile.readline(), key)).encode())

        server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(_PAUSE_S,), daemon=True).start()
        place = {"port": server.server_address[1], "key": key}
        write_private_file(self._place, json.dumps(place).encode())
        logger.info("this process runs the models of this machine")
        return server

    def _answered(self, line: bytes, key: str) -> dict[str, Any]:
        try:
            asked = json.loads(line)
            known = hmac.compare_digest(str(asked["key"]), key) and asked["method"] in _METHODS
            model = self._find(str(asked["model"]))
        except (ValueError, KeyError, TypeError):
            return {"error": {"kind": "EngineDown", "message": "Nobody asks like this."}}
        if not known or model is None:
            return {"error": {"kind": "EngineDown", "message": "Nobody asks like this."}}
        try:
            found = getattr(self._own, asked["method"])(model)
        except LARouterError as error:
            return {
                "error": {
                    "kind": type(error).__name__,
                    "message": error.message,
                    "code": error.code,
                    "retry_after_s": error.retry_after_s,
                }
            }
        return {"result": _as_json(found)}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


def _error(told: dict[str, Any]) -> LARouterError:
    kind = _ERRORS.get(told["kind"], EngineDown)
    return kind(told["message"], code=told.get("code"), retry_after_s=told.get("retry_after_s"))


def _as_json(found: Any) -> Any:
    return asdict(found) if isinstance(found, Address | EngineStatus) else found
