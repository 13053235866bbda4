"""The command line: each command is one call of our own HTTP API."""

from __future__ import annotations

import sys

import click

from larouter import __version__
from larouter.cli import (
    alerts,
    bearers,
    budgets,
    catalog,
    db,
    doctor,
    keys,
    learning,
    local_models,
    model_files,
    models,
    projects,
    providers,
    replay,
    routing,
    server,
    usage,
)
from larouter.config import SettingsError
from larouter.core.errors import LARouterError


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="larouter")
@click.pass_context
def larouter(context: click.Context) -> None:
    """LARouter: one endpoint on your machine that picks the best model for each request.

    Without a command it opens LARouter's page, and starts the server if none runs.
    """
    if context.invoked_subcommand is None:
        context.invoke(server.open_page)


for command in model_files.COMMANDS:
    models.models.add_command(command)

for command in (
    server.serve,
    server.open_page,
    projects.group,
    bearers.group,
    budgets.group,
    alerts.group,
    providers.group,
    keys.group,
    models.models,
    catalog.group,
    routing.route,
    replay.replay,
    learning.feedback,
    usage.group,
    db.group,
    doctor.doctor,
):
    larouter.add_command(command)


for command in local_models.COMMANDS:
    models.models.add_command(command)


def run() -> None:
    """Run a command; a fault that we know is one sentence, not a traceback."""
    try:
        larouter(prog_name="larouter")
    except (SettingsError, LARouterError) as error:
        click.echo(f"larouter: {error}", err=True)
        sys.exit(1)
