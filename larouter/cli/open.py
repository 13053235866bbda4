"""`larouter open`: the page in a browser, and a server behind it."""

from __future__ import annotations

import html
import subprocess
import sys
import time
import webbrowser

import click

from larouter.cli.calls import Runtime, call, running
from larouter.config import Settings, read_settings, self_command, write_private_file
from larouter.core.errors import Unavailable

_START_S = 30.0


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
