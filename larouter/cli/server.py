"""`larouter serve` and `larouter open`."""

from __future__ import annotations

import html
import os
import subprocess
import sys
import time
import webbrowser
from dataclasses import replace

import click

from larouter.cli.calls import Runtime, call, running
from larouter.config import Settings, read_settings, self_command, write_private_file
from larouter.core.errors import Unavailable
from larouter.web.serve import AlreadyRunning, refuse_open_house
from larouter.web.serve import serve as serve_forever

_START_S = 30.0


@click.command()
@click.option("--host", help="Address to listen on; beyond this machine only if you mean it.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 picks a free one.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
@click.option("--quiet", is_flag=True, help="Print nothing: for a server without a terminal.")
def serve(host: str | None, port: int | None, workers: int, quiet: bool) -> None:
    """Run the server until Ctrl-C."""
    settings = read_settings()
    settings = replace(
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
    )
    if workers > 1:
        _become_workers(settings, workers, quiet)
    try:
        serve_forever(settings, out=None if quiet else sys.stdout)
    except AlreadyRunning as error:
        click.echo(str(error))


def _become_workers(settings: Settings, workers: int, quiet: bool) -> None:
    """Make way for the arbiter (`larouter.workers`), which must not be patched by gevent."""
    if settings.database_url is None:
        raise click.UsageError(
            "SQLite has one writer, so --workers 1 is all that a SQLite database allows. For more, "
            "name a PostgreSQL database in LAROUTER_DATABASE_URL (docs/postgresql.md)."
        )
    if sys.platform == "win32":
        raise click.UsageError("Windows has one process only: --workers 1.")
    refuse_open_house(settings)
    command = self_command("workers", str(workers), settings.host, str(settings.port))
    sys.stdout.flush()
    os.execv(command[0], [*command, "--quiet"] if quiet else command)  # noqa: S606 - ourselves


@click.command("open")
def open_page() -> None:
    """Open LARouter's page in the browser, signed in; start the server if none runs."""
    settings = read_settings()
    server = running(settings) or _start(settings)
    code = str(call("POST", "/api/sign-in-codes")["code"])
    # A file that posts the code keeps it out of the browser's argument list (TRUST S5).
    page = settings.home / "open.html"
    write_private_file(page, _launcher(server.url, code).encode())
    opened = webbrowser.open(page.as_uri())
    if sys.stdout.isatty():
        click.echo(f"LARouter is at {server.url}")
        click.echo(f"If no browser opened: {server.url}/sign-in/{_fresh_code(opened, code)}")
    elif not opened:
        click.echo(f"LARouter is at {server.url}, but no browser could be opened.", err=True)


def _fresh_code(opened: bool, code: str) -> str:
    """The browser may use its code up at any moment: the printed link needs its own."""
    return str(call("POST", "/api/sign-in-codes")["code"]) if opened else code


def _start(settings: Settings) -> Runtime:
    """Start a server that outlives this command; its words go to the log."""
    log = settings.home / "logs" / "serve.out"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            self_command("serve", "--quiet"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        server = running(settings)
        if server is not None:
            return server
        time.sleep(0.1)
    raise Unavailable(f"The server did not start; {log} says why.")


def _launcher(url: str, code: str) -> str:
    return (
        '<!doctype html><meta charset="utf-8"><title>LARouter</title>'
        f'<form method="post" action="{html.escape(url)}/sign-in">'
        f'<input type="hidden" name="code" value="{html.escape(code)}">'
        "<button>Open LARouter</button></form>"
        "<script>document.forms[0].submit()</script>"
    )
