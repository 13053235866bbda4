"""`larouter projects`: make, list, rename, rotate, put away, delete."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from larouter.cli.calls import call
from larouter.cli.export import FILE, export, file_name, write_export
from larouter.cli.learning import learning
from larouter.cli.policy import policy
from larouter.core.account import UNKNOWN_MODEL
from larouter.core.duration import duration_ms


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
@click.option(
    "--overlap", metavar="1h", help="How long the old ones go on working, such as 15m, 1h or 7d."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate(name: str, overlap: str | None, as_json: bool) -> None:
    """Replace a project's bearers by a new one; the old ones stop at once, or after --overlap.

    At once, what its programs had kept (Responses) is deleted too: use this when a bearer got lost.
    """
    body = {"overlap_s": _seconds(overlap)} if overlap else None
    _print_bearer(call("POST", f"{_path(name)}/rotate", body), as_json)
    if overlap and not as_json:
        click.echo(f"The old ones work for {overlap} more.", err=True)


@group.command("list")
@click.option("--all", "with_archived", is_flag=True, help="Those that are archived, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_projects(with_archived: bool, as_json: bool) -> None:
    """List the projects."""
    rows = call("GET", "/api/projects" + ("?archived=1" if with_archived else ""))["data"]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        mark = "  (archived)" if row["archived_ms"] else ""
        click.echo(f"{row['id']}  {row['name']}{mark}")


@group.command()
@click.argument("name")
@click.argument("new_name")
def rename(name: str, new_name: str) -> None:
    """Call project NAME by NEW_NAME; its bearers, usage and budgets stay."""
    row = call("PATCH", _path(name), {"name": new_name})
    click.echo(f"{row['id']} is called {row['name']!r}.")


@group.command()
@click.argument("name")
def archive(name: str) -> None:
    """Put project NAME away: its bearers are refused, everything else stays."""
    row = call("POST", f"{_path(name)}/archive")
    back = f"larouter projects restore {shlex.quote(row['name'])}"
    click.echo(f"Archived {row['name']}. Bring it back: {back}")


@group.command()
@click.argument("name")
def restore(name: str) -> None:
    """Take an archived project into use again, with the bearers that it had."""
    row = call("POST", f"{_path(name)}/restore")
    click.echo(f"Restored {row['name']}.")


@group.command()
@click.argument("name")
@click.argument("aliases", nargs=-1, metavar="[ALIAS=MODEL]...")
@click.option("--remove", multiple=True, metavar="ALIAS", help="Take an alias away.")
def alias(name: str, aliases: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Give models other names in project NAME, such as gpt-4o=auto; without any, list them."""
    path = _path(name)
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
    row = call("PATCH", _path(name), changes)
    click.echo(f"{row['name']}: unknown models: {row['unknown_model']}, time zone: {row['zone']}")


@group.command()
@click.argument("name")
@click.option("--export", "file", type=FILE, metavar="FILE", help="Export it to FILE first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, file: Path | None, yes: bool) -> None:
    """Delete a project. Its usage stays on the books; what it had kept does not."""
    project = call("GET", _path(name))
    if file is None and not yes:
        usual = file_name(project["name"])
        file = usual if click.confirm(f"Export it to {usual} first?", default=True) else None
    if file is not None:
        click.echo(f"Wrote {file}, {write_export(name, file):,} rows.")
    if not yes:
        click.confirm(
            f"Delete the project {project['name']!r}? Its bearers stop at once; its stored "
            "responses, feedback, policy and aliases are erased. Its requests stay, for the bills.",
            abort=True,
        )
    call("DELETE", _path(name))
    click.echo(f"Deleted {project['name']}.")


@group.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(name: str, yes: bool) -> None:
    """Delete the answers that programs of project NAME had kept (Responses)."""
    if not yes:
        click.confirm(
            f"Delete every stored response of {name!r}? They cannot be read again.", abort=True
        )
    gone = call("DELETE", f"{_path(name)}/responses")["deleted"]
    click.echo(f"Deleted {gone} stored responses of {name}.")


group.add_command(export)
group.add_command(policy)
group.add_command(learning)


def _path(name: str) -> str:
    return f"/api/projects/{quote(name, safe='')}"


def _seconds(text: str) -> int:
    found = duration_ms(text)
    if found is None:
        raise click.UsageError(f"{text!r} is no length of time; write 15m, 1h or 7d.")
    return found // 1000


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
