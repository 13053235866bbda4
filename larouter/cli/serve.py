"""`larouter serve`: the server itself, in this process or as several."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import click

from larouter.config import Settings, read_settings, self_command
from larouter.web.serve import AlreadyRunning, refuse_open_house
from larouter.web.serve import serve as serve_forever


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
