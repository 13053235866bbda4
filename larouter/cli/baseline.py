"""`larouter usage baseline`: which model savings are measured against."""

from __future__ import annotations

import json
from typing import Any

import click

from larouter.cli.calls import call

_PATH = "/api/usage/baseline"


@click.command()
@click.argument("model", required=False)
@click.option("--project", help="Of this project alone; else of this machine.")
@click.option("--reset", is_flag=True, help="Take the choice back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def baseline(model: str | None, project: str | None, reset: bool, as_json: bool) -> None:
    """Measure savings against MODEL from now on; without one, tell which it is."""
    if model is not None and reset:
        raise click.UsageError("Name a model, or --reset: not both.")
    if model is None and not reset:
        told = call("GET", _PATH)
        if project is not None:
            told = _of_project(told, project)
    else:
        told = call("PUT", _PATH, {"model": model, "project": project})
    if as_json:
        click.echo(json.dumps(told))
        return
    _print(told, project)


def _of_project(told: dict[str, Any], project: str) -> dict[str, Any]:
    """What the server says of one project; without a choice of its own it has this machine's."""
    own = [row for row in told["projects"] if project in (row["project"], row["projectId"])]
    return own[0] if own else {key: told[key] for key in ("baselineModel", "chosenFor")}


def _print(told: dict[str, Any], project: str | None) -> None:
    why = {
        "project": "chosen for this project",
        "machine": "chosen for this machine",
        None: "nobody chose one: the first model of the dearest tier",
    }[told["chosenFor"]]
    whose = f"{project}: " if project else ""
    click.echo(f"{whose}{told['baselineModel'] or 'no model'} ({why})")
    for row in told.get("projects", []):
        click.echo(f"{row['project']}: {row['baselineModel']} (chosen for this project)")
    if "note" in told:
        click.echo(told["note"])
