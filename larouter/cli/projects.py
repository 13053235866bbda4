"""`larouter projects`: make, list, rotate, delete."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from larouter.cli.calls import call


@click.group("projects")
def group() -> None:
    """Projects: each has a bearer of its own, and its own usage."""


@group.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def create(name: str, as_json: bool) -> None:
    """Make a project and print its bearer, this once."""
    _print_bearer(call("POST", "/api/projects", {"name": name}), as_json)


@group.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate(name: str, as_json: bool) -> None:
    """Replace a project's bearer; the old one stops at once."""
    _print_bearer(call("POST", f"/api/projects/{quote(name, safe='')}/rotate"), as_json)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_projects(as_json: bool) -> None:
    """List the projects."""
    rows = call("GET", "/api/projects")["data"]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['name']}")


@group.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, yes: bool) -> None:
    """Stop a project's bearers. Its usage stays on the books."""
    if not yes:
        click.confirm(f"Delete the project {name!r}? Its bearers stop at once.", abort=True)
    call("DELETE", f"/api/projects/{quote(name, safe='')}")
    click.echo(f"Deleted {name}.")


def _print_bearer(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({key: made[key] for key in ("id", "name", "bearer")}))
        return
    click.echo(f"{made['bearer']}")
    click.echo(f"The bearer of {made['name']!r}; it is shown this once.", err=True)
