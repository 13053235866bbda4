"""`larouter route`."""

from __future__ import annotations

import json

import click

from larouter.cli.calls import bearer_for_calls, call


@click.command()
@click.argument("prompt")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def route(prompt: str, as_json: bool) -> None:
    """Say where a prompt would go and why; nothing is sent."""
    body = {"messages": [{"role": "user", "content": prompt}]}
    decision = call("POST", "/v1/route", body, bearer=bearer_for_calls())
    if as_json:
        click.echo(json.dumps(decision))
        return
    refused = decision["refused"]
    click.echo(f"{decision['tier']} → {refused['code'] if refused else decision['model']}")
    for reason in decision["reasons"]:
        click.echo(f"  {reason}")
