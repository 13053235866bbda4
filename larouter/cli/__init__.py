"""The command line: each command is one call of our own HTTP API."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import cast

import click

from larouter import __version__
from larouter.cli.open import open_page
from larouter.config import SettingsError
from larouter.core.errors import LARouterError

_COMMANDS = {
    "serve": "serve.serve",
    "open": "open.open_page",
    "projects": "projects.group",
    "bearers": "bearers.group",
    "budgets": "budgets.group",
    "alerts": "alerts.group",
    "providers": "providers.group",
    "keys": "keys.group",
    "models": "models.models",
    "catalog": "catalog.group",
    "route": "routing.route",
    "replay": "replay.replay",
    "feedback": "learning.feedback",
    "usage": "usage.group",
    "db": "db.group",
    "doctor": "doctor.doctor",
}
"""A command's module and its name there."""


class Commands(click.Group):
    """Imports the command that is called, and no other: `serve` needs the whole app, and a call of
    the running server next to nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(".")
        return cast(click.Command, getattr(import_module(f"larouter.cli.{module}"), name))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="larouter")
@click.pass_context
def larouter(context: click.Context) -> None:
    """LARouter: one endpoint on your machine that picks the best model for each request.

    Without a command it opens LARouter's page, and starts the server if none runs.
    """
    if context.invoked_subcommand is None:
        context.invoke(open_page)


def run() -> None:
    """Run a command; a fault that we know is one sentence, not a traceback."""
    try:
        larouter(prog_name="larouter")
    except (SettingsError, LARouterError) as error:
        click.echo(f"larouter: {error}", err=True)
        sys.exit(1)
