"""`larouter serve`: one process, one data folder, from first start to an orderly stop."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from typing import Any, TextIO

import gevent
from filelock import FileLock, Timeout
from flask import Flask
from gevent.event import Event

from larouter.bootstrap import Services, bootstrap
from larouter.config import (
    Settings,
    SettingsError,
    make_private_folder,
    shown_command,
)
from larouter.core.errors import LARouterError
from larouter.runtime import WILDCARDS, authority, running_address, write_runtime
from larouter.store.damage import look_before_serving
from larouter.store.invariants import EVERY_S, FIRST_S
from larouter.store.restore import finish
from larouter.store.runs import HEARTBEAT_S
from larouter.store.sql import Error
from larouter.web import create_app, session, upkeep
from larouter.web.crier import Crier
from larouter.web.pages import LAUNCH_PATHS
from larouter.web.redacting import Redacting
from larouter.web.server import Server

logger = logging.getLogger("larouter")

DRAIN_S = 20.0
_LOCK_S = 0.5
_FOLLOW_S = 1.0
_BEAT_S = 1.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOG_BYTES = 1024 * 1024


Lives = Callable[[], None]


class AlreadyRunning(Exception):
    """Another `serve` holds this data folder; the message says where it listens."""


def serve(settings: Settings, *, out: TextIO | None = sys.stdout) -> None:
    """Serve until SIGTERM or Ctrl-C; greet on `out`, which shows a new bearer, so never a log.

    Raises `AlreadyRunning`, `SettingsError`, `LARouterError`.
    """
    refuse_open_house(settings)
    make_private_folder(settings.home)
    redacting = _log_to(settings)
    # Held for as long as the process lives, kill -9 included: the system lets go of it.
    lock = FileLock(settings.home / "serve.lock", mode=0o600)
    try:
        # A command looks at the lock for an instant: that is not yet a server.
        lock.acquire(timeout=_LOCK_S)
    except Timeout:
        raise AlreadyRunning(running_address(settings)) from None
    # What a killed server wrote; commands would knock there until we have written our own.
    settings.runtime_file.unlink(missing_ok=True)
    is_whole = True
    try:
        if settings.database_url is None:
            finish(settings.database_file)
            is_whole = look_before_serving(settings.database_file)
        with _opened(settings, redacting) as services:
            _serve(services, out, is_whole=is_whole)
    finally:
        settings.runtime_file.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _opened(settings: Settings, redacting: Redacting) -> Iterator[Services]:
    """The house, with what the last stop left open put in order."""
    services = bootstrap(settings)
    token = settings.hub_token
    ours = {services.admin_key, token} if token else {services.admin_key}
    redacting.secrets = lambda: services.keys.known() | ours
    try:
        services.ledger.replay()
        services.run.recover()
        yield services
    finally:
        services.close()


def _serve(services: Services, out: TextIO | None, *, is_whole: bool) -> None:
    settings = services.settings
    app = create_app(services)
    server = Server(app, hosts=_host_names(settings.host), launch_paths=LAUNCH_PATHS, logger=logger)
    port = _listen(server, settings)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    # Before anybody is answered: the first request may need the bearer that is made here.
    _welcome(services, app, port, out)
    server.start()
    write_runtime(settings, authority(settings.host, port))
    _go_on(services, server, stop, is_whole=is_whole, at_last=lambda: os._exit(1))


def work(
    settings: Settings,
    sockets: Sequence[int],
    stop: Event,
    *,
    out: TextIO | None,
    ready: Callable[[], None],
    lives: Lives,
) -> None:
    """Be one of several processes that serve on `sockets`, file numbers of a parent's, until
    `stop`. `ready` is called once it answers, `lives` every second. Raises `LARouterError`."""
    with _opened(settings, _log_to(settings)) as services:
        app = create_app(services)
        server = Server(
            app, hosts=_host_names(settings.host), launch_paths=LAUNCH_PATHS, logger=logger
        )
        port, *_ = [server.adopt(number) for number in sockets]
        _welcome(services, app, port, out)
        server.start()
        ready()
        _go_on(services, server, stop, lives=lives)


def _welcome(services: Services, app: Flask, port: int, out: TextIO | None) -> None:
    """Whoever looks on is told where it is, and a new bearer."""
    settings = services.settings
    services.address = authority(settings.host, port)
    app.config["SESSION_COOKIE_NAME"] = session.cookie_name(services.address)
    # Made when somebody can see its bearer, or when it is needed without one.
    shows = out is not None or settings.keyless
    bearer = services.projects.ensure_default() if shows else None
    if out is not None:
        with app.app_context():
            code = session.issue_code() if out.isatty() else None
        _greet(out, services.address, bearer, code)


def _go_on(
    services: Services,
    server: Server,
    stop: Event,
    *,
    is_whole: bool = True,
    lives: Lives | None = None,
    at_last: Callable[[], None] | None = None,
) -> None:
    """Serve until `stop`, then let what is under way end. `at_last`: a second Ctrl-C."""
    told = services.telling
    tasks: list[gevent.Greenlet[..., Any]] = [
        gevent.spawn(_renew_lease, services),
        gevent.spawn(_check_books, services),
        gevent.spawn(upkeep.keep_to_days, services),
        gevent.spawn(upkeep.prewarm, services),
        gevent.spawn(upkeep.keep_measures, services),
        gevent.spawn(told.postman.work),
        gevent.spawn(told.unusual.work),
    ]
    if services.backups is not None:
        tasks.append(gevent.spawn(upkeep.keep_backups, services, services.backups))
        if not is_whole:
            tasks.append(gevent.spawn(upkeep.look_at_large_file, services, services.backups))
    if told.desktop.is_there:
        crier = Crier(told.desktop.tell, told.alerts.claim_new, services.reports.alerts)
        tasks.append(gevent.spawn(crier.work))
    if services.is_shared:
        tasks.append(gevent.spawn(_follow, services))
    services.downloads.serve()
    while lives is not None and not stop.wait(_BEAT_S):
        lives()
    stop.wait()
    if at_last is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, at_last)
    logger.info("stopping: %d requests are still being answered", server.in_flight)
    services.feed.close()
    services.downloads.stop()
    services.gateway.drains.close()
    server.drain(DRAIN_S)
    gevent.killall(tasks)
    with suppress(LARouterError):
        services.bearers.keep_up(at_once=True)


def refuse_open_house(settings: Settings) -> None:
    """Without a bearer anybody may ask: that is for one's own machine."""
    if settings.keyless and not settings.is_loopback:
        raise SettingsError(
            "LAROUTER_KEYLESS=1 is for this machine only, but LARouter is to listen on "
            f"{settings.host}, where other machines reach it. Leave one of the two out."
        )


def _renew_lease(services: Services) -> None:
    while True:
        gevent.sleep(HEARTBEAT_S)
        try:
            services.run.renew()
            if services.is_shared:
                services.run.recover()
            services.ledger.replay()
            services.bearers.keep_up()
            services.responses.forget_expired()
            services.idempotency.forget_expired()
            services.results.forget_expired()
        except LARouterError:
            logger.exception("the lease could not be renewed")


def _follow(services: Services) -> None:
    """What another process has changed counts here a second later."""
    fails = False
    while True:
        gevent.sleep(_FOLLOW_S)
        try:
            services.refresh()
            fails = False
        except LARouterError as error:
            if not fails:
                logger.warning("changes of other processes cannot be read: %s", error)
            fails = True


def _check_books(services: Services) -> None:
    gevent.sleep(FIRST_S)
    while True:
        try:
            # A clock that was set back is noticed even where every request is refused.
            services.budgets.standing(services.budgets.every())
            services.books.check()
        except (Error, LARouterError):
            logger.exception("the books could not be looked at")
        gevent.sleep(EVERY_S)


def _listen(server: Server, settings: Settings) -> int:
    try:
        port = server.listen(settings.host, settings.port)
    except OSError as error:
        raise SettingsError(_why_not(error, settings)) from error
    if settings.host in _LOOPBACK and settings.host != "::1":
        try:
            server.listen("::1", port)
        except OSError as error:
            # No IPv6 on this machine is fine; another program there is worth a word.
            if error.errno == errno.EADDRINUSE:
                logger.warning("another program uses [::1]:%d; use 127.0.0.1 for LARouter", port)
    return port


def _why_not(error: OSError, settings: Settings) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {settings.port} is used by another program. Stop it, or choose another port: "
            f"LAROUTER_PORT={settings.port + 1 if settings.port < 65535 else 18790}"
        )
    if error.errno == errno.EACCES:
        return f"Port {settings.port} needs more rights; choose one above 1023 with LAROUTER_PORT."
    return f"LARouter cannot listen on {settings.host}:{settings.port}: {error.strerror or error}."


def _host_names(host: str) -> list[str]:
    """What a client may call us in its Host header (TRUST S1)."""
    if host in _LOOPBACK:
        return list(_LOOPBACK)
    name = socket.gethostname()
    names = {*_LOOPBACK, name, f"{name}.local"}
    if host in WILDCARDS:
        try:
            names |= {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
        except socket.gaierror:
            logger.warning("this machine's own name has no address: connect by name or loopback")
    else:
        names.add(host)
    return sorted(names)


def _greet(out: TextIO, address: str, bearer: str | None, code: str | None) -> None:
    larouter = shown_command()
    lines = ["", f"  LARouter is running at http://{address}", ""]
    lines.append(f"  Base URL   http://{address}/v1")
    if bearer:
        lines.append(f"  Bearer     {bearer}")
        lines.append("             for the project 'default'; shown this once, so keep it")
    else:
        lines.append(f"  Bearer     {larouter} projects rotate default   makes a new one")
    if code:
        lines.append(f"  Page       http://{address}/sign-in/{code}")
        lines.append("             signs you in once, within ten minutes")
    else:
        lines.append(f"  Page       {larouter} open   signs you in")
    print(*lines, "", sep="\n", file=out, flush=True)


def _log_to(settings: Settings) -> Redacting:
    """Warnings to the terminal, everything to a file that cannot grow without bound (TRUST A12).

    Return what forms the lines: it hides the keys that it is told of.
    """
    folder = settings.home / "logs"
    make_private_folder(folder)
    file = RotatingFileHandler(
        folder / settings.own_file("larouter.log").name, maxBytes=_LOG_BYTES, backupCount=3
    )
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    form = Redacting(
        "%(asctime)s %(levelname)s %(name)s: %(message)s",
        lambda: frozenset(settings.keys.values()),
    )
    root = logging.getLogger()
    root.setLevel(settings.log_level.upper())
    for handler in (file, terminal):
        handler.setFormatter(form)
        root.addHandler(handler)
    return form
