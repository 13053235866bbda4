"""`larouter bearers`: who may ask in a project's name, until when, and when each did so last."""

from __future__ import annotations

import json
import shlex
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

import click

from larouter.cli.calls import call

_EXPIRES = "30d, 12h, a date such as 2027-01-31, or never."
_AGO = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@click.group("bearers")
def group() -> None:
    """Bearers: one for each program, so that one can be taken back alone."""


@group.command("list")
@click.argument("project")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_bearers(project: str, as_json: bool) -> None:
    """List the bearers of PROJECT."""
    rows = _rows(project)
    if as_json:
        click.echo(json.dumps(rows))
        return
    if not rows:
        click.echo(f"No bearers. Make one: larouter bearers create {shlex.quote(project)} NAME")
    for row in rows:
        click.echo(f"{row['id']}  {row['begins']}…  {row['name']}: {_standing(row)}")


@group.command()
@click.argument("project")
@click.argument("name")
@click.option("--expires", default="never", show_default=True, help=_EXPIRES)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def create(project: str, name: str, expires: str, as_json: bool) -> None:
    """Make a bearer of PROJECT for whoever is called NAME and print it, this once."""
    made = call("POST", _path(project), {"name": name, "expires": expires})
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(made["bearer"])
    click.echo(
        f"The bearer {made['name']!r} of {project!r}: {_end(made)}; it is shown this once.",
        err=True,
    )


@group.command()
@click.argument("project")
@click.argument("bearer")
@click.argument("name")
def rename(project: str, bearer: str, name: str) -> None:
    """Call a bearer (by its id or name) NAME; it goes on working."""
    row = call("PATCH", _path(project, _find(project, bearer)), {"name": name})
    click.echo(f"{row['id']} is called {row['name']!r}.")


@group.command()
@click.argument("project")
@click.argument("bearer")
@click.argument("when")
def expire(project: str, bearer: str, when: str) -> None:
    """Let a bearer end WHEN: 30d, 12h, a date such as 2027-01-31, or never."""
    row = call("PATCH", _path(project, _find(project, bearer)), {"expires": when})
    click.echo(f"{row['name']}: {_end(row)}.")


@group.command()
@click.argument("project")
@click.argument("bearer")
@click.option("--yes", is_flag=True, help="Do not ask.")
def revoke(project: str, bearer: str, yes: bool) -> None:
    """Stop one bearer (by its id or name) at once."""
    row = _find(project, bearer)
    if not yes:
        others = [other for other in _rows(project) if other != row and not _is_over(other)]
        last = "" if others else f" It is the last one: nobody can ask as {project} then."
        click.echo(f"{row['begins']}…  {row['name']}: {_standing(row)}")
        click.confirm(f"Revoke it? It stops at once.{last}", abort=True)
    gone = call("DELETE", _path(project, row))
    click.echo(f"Revoked {gone['name']}.")
    if "message" in gone:
        click.echo(gone["message"])


def _rows(project: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = call("GET", _path(project))["data"]
    return rows


def _find(project: str, bearer: str) -> dict[str, Any]:
    """By id first, then by name; a name may hold what a path may not."""
    rows = _rows(project)
    for field in ("id", "name"):
        for row in rows:
            if row[field] == bearer:
                return row
    raise click.UsageError(
        f"{project!r} has no bearer {bearer!r}; see: larouter bearers list {shlex.quote(project)}"
    )


def _path(project: str, row: dict[str, Any] | None = None) -> str:
    path = f"/api/projects/{quote(project, safe='')}/bearers"
    return path if row is None else f"{path}/{quote(row['id'], safe='')}"


def _standing(row: dict[str, Any]) -> str:
    used = row["last_used_ms"]
    last = "never used" if used is None else f"used {_ago(used)}"
    return f"{last}, {_end(row)}"


def _end(row: dict[str, Any]) -> str:
    ends = row["expires_ms"]
    if ends is None:
        return "does not expire"
    when = f"{datetime.fromtimestamp(ends / 1000).astimezone():%Y-%m-%d %H:%M}"
    return f"expired {when}" if _is_over(row) else f"expires {when}"


def _is_over(row: dict[str, Any]) -> bool:
    ends: int | None = row["expires_ms"]
    return ends is not None and ends <= time.time() * 1000


def _ago(then_ms: int) -> str:
    seconds = time.time() - then_ms / 1000
    for unit_s, unit in _AGO:
        count = int(seconds // unit_s)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
