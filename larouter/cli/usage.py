"""`larouter usage`: what was asked and what it cost."""

from __future__ import annotations

import json

import click

from larouter.cli.calls import call_text
from larouter.core.money import decimal_text


@click.group("usage", invoke_without_command=True)
@click.option("--period", type=click.Choice(["daily", "weekly", "monthly", "all"]), default="all")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def group(context: click.Context, period: str, as_json: bool) -> None:
    """What was asked and what it cost."""
    if context.invoked_subcommand is not None:
        return
    answer = call_text("GET", f"/api/usage?period={period}")
    if as_json:
        click.echo(answer)
        return
    usage = json.loads(answer)
    click.echo(f"{usage['totalCalls']} requests, {usage['succeededCalls']} answered")
    click.echo(f"{usage['inputTokens']} tokens in, {usage['outputTokens']} out")
    click.echo(f"${decimal_text(usage['totalCostNusd'])}")
    for row in usage["byModel"]:
        click.echo(f"  {row['model']:<40} {row['calls']:>6}  ${decimal_text(row['costNusd'])}")


@group.command()
@click.option("--attempts", is_flag=True, required=True, help="One JSON object for each call.")
def export(attempts: bool) -> None:
    """Print the ledger, one line for each call of a provider."""
    assert attempts
    click.echo(call_text("GET", "/api/usage/attempts"), nl=False)
