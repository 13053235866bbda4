"""`larouter serve --workers N`: gunicorn's arbiter, and N processes with our own strict server.

The arbiter holds the data folder's lock and the sockets, and starts a worker again that has died
or hangs. It imports nothing of the house: gevent is patched in each worker, before other imports.
The house they share is a PostgreSQL database (`docs/postgresql.md`).
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from larouter.config import Settings, SettingsError, make_private_folder, read_settings
from larouter.core.errors import LARouterError
from larouter.runtime import authority, running_address, write_runtime
from larouter.secrets import admin_key

if TYPE_CHECKING:
    from gevent.event import Event

_BACKLOG = 512
_HANGS_S = 60
"""A worker whose loop has not turned for so long is ended."""
_ENDS_S = 25
_MOST = 64


def main(arguments: Sequence[str]) -> None:
    """Be the arbiter: `workers N HOST PORT [--quiet]`. Never returns."""
    workers, host, port, *flags = arguments
    settings = replace(read_settings(), host=host, port=int(port), workers=int(workers))
    try:
        make_private_folder(settings.home)
        # Held as long as one of them lives: a child has it too.
        lock = FileLock(settings.home / "serve.lock", mode=0o600)
        lock.acquire(timeout=0.5)
        # Made by one of them, or several would make one each.
        admin_key(settings.home, settings.admin_key)
        sockets = bound(settings.host, settings.port)
    except Timeout:
        sys.exit(running_address(settings))
    except (SettingsError, LARouterError) as error:
        sys.exit(f"larouter: {error}")
    port_now = sockets[0].getsockname()[1]
    _App(replace(settings, port=port_now), sockets, quiet="--quiet" in flags).run()


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen, on both loopbacks for one. Raises `SettingsError`."""
    try:
        first = _listening(host, port)
    except OSError as error:
        raise SettingsError(
            f"LARouter cannot listen on {host}:{port}: {error.strerror or error}. Choose another "
            "port with LAROUTER_PORT."
        ) from error
    found = [first]
    if host in {"127.0.0.1", "localhost"}:
        # No IPv6 on this machine is fine.
        with suppress(OSError):
            found.append(_listening("::1", first.getsockname()[1]))
    return found


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


class _App(BaseApplication):
    """What gunicorn is told; it serves no WSGI app by itself."""

    def __init__(self, settings: Settings, sockets: list[socket.socket], *, quiet: bool) -> None:
        self.settings = settings
        self.quiet = quiet
        self._sockets = sockets
        super().__init__()

    def load_config(self) -> None:
        chosen = {
            "bind": [f"fd://{sock.fileno()}" for sock in self._sockets],
            "workers": self.settings.workers,
            "worker_class": StrictWorker,
            "timeout": _HANGS_S,
            "graceful_timeout": _ENDS_S,
            "loglevel": "error",
            "control_socket_disable": True,
            "proc_name": "larouter",
            "on_exit": lambda arbiter: self.settings.runtime_file.unlink(missing_ok=True),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self


class StrictWorker(Worker):
    """One process with one hub, our own listener and a house of its own."""

    app: _App

    def init_process(self) -> None:
        from gevent import monkey  # noqa: PLC0415 - in the worker, before everything else

        monkey.patch_all()
        super().init_process()

    def init_signals(self) -> None:
        """In `run`: gevent has its own way. The terminal's Ctrl-C reaches the arbiter, which says
        what to do."""

    def run(self) -> None:
        import signal  # noqa: PLC0415 - patched

        import gevent  # noqa: PLC0415
        from gevent.event import Event  # noqa: PLC0415

        from larouter.config import use_one_thread  # noqa: PLC0415

        use_one_thread()
        from larouter.web.serve import work  # noqa: PLC0415 - after the patch

        stop = Event()
        for number in (signal.SIGTERM, signal.SIGQUIT):
            gevent.signal_handler(number, stop.set)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGWINCH):
            signal.signal(number, signal.SIG_IGN)
        settings, _lock = _with_slot(self.app.settings)
        # One of them speaks for all; whoever takes its place says nothing again.
        greets = settings.worker == 0 and self.age <= settings.workers and not self.app.quiet
        numbers = [sock.fileno() for sock in self.sockets]
        try:
            work(
                settings,
                numbers,
                stop,
                out=sys.stdout if greets else None,
                ready=lambda: self._tell(settings),
                lives=lambda: self._beat(stop),
            )
        except (SettingsError, LARouterError) as error:
            sys.stderr.write(f"larouter: {error}\n")
            # The arbiter gives up: the next one would fail as well.
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    def _tell(self, settings: Settings) -> None:
        """Commands find the server from here on: in the arbiter's name, as workers come and go."""
        if settings.worker == 0:
            write_runtime(settings, authority(settings.host, settings.port), pid=self.ppid)

    def _beat(self, stop: Event) -> None:
        self.notify()
        if os.getppid() != self.ppid:
            stop.set()


def _with_slot(settings: Settings) -> tuple[Settings, FileLock]:
    """The lowest number that nobody has, and the lock that keeps it: what could not be written,
    and the log, have a file for each number."""
    for number in range(_MOST):
        lock = FileLock(settings.home / f"worker-{number}.lock", mode=0o600)
        with suppress(Timeout):
            lock.acquire(timeout=0)
            return replace(settings, worker=number), lock
    raise SettingsError(f"LARouter has at most {_MOST} workers.")
