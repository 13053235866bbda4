"""`larouter projects`: make, list, rotate, delete."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from larouter.cli.calls import call
from larouter.cli.learning import learning
from larouter.cli.policy import policy
from larouter.store.project_row import UNKNOWN_MODEL


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
@click.argument("aliases", nargs=-1, metavar="[ALIAS=MODEL]...")
@click.option("--remove", multiple=True, metavar="ALIAS", help="Take an alias away.")
def alias(name: str, aliases: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Give models other names in project NAME, such as gpt-4o=auto; without any, list them."""
    path = f"/api/projects/{quote(name, safe='')}"
    kept: dict[str, str] = call("GET", path)["aliases"]
    unknown = [gone for gone in remove if gone not in kept]
    if unknown:
        raise click.UsageError(f"{unknown[0]!r} is no alias of {name}.")
    if aliases or remove:
        left = {alias: model for alias, model in kept.items() if alias not in remove}
        kept = call("PATCH", path, {"aliases": left | dict(map(_pair, aliases))})["aliases"]
    for word, model in sorted(kept.items()):
        click.echo(f"{word} = {model}")


@group.command("set")
@click.argument("name")
@click.option(
    "--unknown-model",
    type=click.Choice(UNKNOWN_MODEL),
    help="What becomes of a model's name that nobody knows; default: as the server's setting says.",
)
@click.option("--zone", help="Where its days begin, such as Europe/Berlin; default: as here.")
def set_fields(name: str, unknown_model: str | None, zone: str | None) -> None:
    """Change how project NAME is served."""
    given = {"unknown_model": unknown_model, "zone": zone}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("Say what to change: --unknown-model or --zone.")
    row = call("PATCH", f"/api/projects/{quote(name, safe='')}", changes)
    click.echo(f"{row['name']}: unknown models: {row['unknown_model']}, time zone: {row['zone']}")


@group.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, yes: bool) -> None:
    """Stop a project's bearers. Its usage stays on the books."""
    if not yes:
        click.confirm(f"Delete the project {name!r}? Its bearers stop at once.", abort=True)
    call("DELETE", f"/api/projects/{quote(name, safe='')}")
    click.echo(f"Deleted {name}.")


@group.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(name: str, yes: bool) -> None:
    """Delete the answers that programs of project NAME had kept (Responses)."""
    if not yes:
        click.confirm(
            f"Delete every stored response of {name!r}? They cannot be read again.", abort=True
        )
    gone = call("DELETE", f"/api/projects/{quote(name, safe='')}/responses")["deleted"]
    click.echo(f"Deleted {gone} stored responses of {name}.")


group.add_command(policy)
group.add_command(learning)


def _pair(text: str) -> tuple[str, str]:
    word, equals, model = text.partition("=")
    if not (word.strip() and equals and model.strip()):
        raise click.UsageError(f"{text!r} is no alias; write ALIAS=MODEL, such as gpt-4o=auto.")
    return word.strip(), model.strip()


def _print_bearer(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({key: made[key] for key in ("id", "name", "bearer")}))
        return
    click.echo(f"{made['bearer']}")
    click.echo(f"The bearer of {made['name']!r}; it is shown this once.", err=True)
