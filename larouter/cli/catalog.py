"""`larouter catalog`: which models and prices are in force, and how to bring in newer ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from larouter.cli.calls import call
from larouter.core.errors import BadRequest, NotFound

_LISTED = ("context", "max_output", "abilities", "refuses", "retires", "successor")


@click.group("catalog")
def group() -> None:
    """The catalogue: models, prices and tiers, each with a source and a day."""


@group.command()
@click.argument("model", required=False)
@click.option("--toml", "as_toml", is_flag=True, help="Print the file that is in force.")
def show(model: str | None, as_toml: bool) -> None:
    """Show the models and their prices, or all that is known of one MODEL."""
    state = call("GET", "/api/catalog")
    if as_toml:
        click.echo(state["toml"], nl=False)
        return
    rows = call("GET", "/api/models/catalog")["data"]
    if model is not None:
        _show_one(model, rows)
        return
    whose = "shipped with LARouter" if state["from"] == "shipped" else "yours"
    click.echo(f"Catalogue of {state['date']}, {whose}. US dollars per million tokens.")
    if state["problem"]:
        click.echo(state["problem"], err=True)
    for row in rows:
        figures = f"{row['price']['input']:>8} {row['price']['output']:>8}"
        closes = f"  closes {row['retires']}" if row["retires"] else ""
        click.echo(f"{row['id']:<24} {row['provider']:<10} {figures}{closes}")


@group.command()
@click.argument("source", metavar="FILE_OR_URL")
@click.option("--yes", is_flag=True, help="Do not ask.")
def update(source: str, yes: bool) -> None:
    """Use another catalogue: show what it would change, and ask."""
    given = _given(source)
    shown = call("POST", "/api/catalog", given)
    if not shown["changes"]:
        click.echo("Nothing would change.")
        return
    for change in shown["changes"]:
        click.echo(_line(change))
    if not yes:
        click.confirm("Use this catalogue?", abort=True)
    done = call("POST", "/api/catalog", {**given, "apply": True, "digest": shown["digest"]})
    click.echo(f"The catalogue of {done['date']} is in force, for the next request already.")


@group.command()
def reset() -> None:
    """Use the catalogue that came with this version again."""
    done = call("DELETE", "/api/catalog")
    for change in done["changes"]:
        click.echo(_line(change))
    click.echo(f"The shipped catalogue of {done['date']} is in force.")


def _given(source: str) -> dict[str, str]:
    if "://" in source:
        return {"url": source}
    try:
        return {"toml": Path(source).read_text(encoding="utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"The file {source} cannot be read: {error}.") from error


def _line(change: dict[str, str]) -> str:
    if change["kind"] != "changed":
        return f"{change['kind']}: {change['what']}"
    before, after = change.get("before", "-"), change.get("after", "-")
    return f"  {change['what']}: {change['fact']}: {before} → {after}"


def _show_one(name: str, rows: list[dict[str, Any]]) -> None:
    row = next((row for row in rows if name in {row["id"], f"{row['provider']}/{row['id']}"}), None)
    if row is None:
        raise NotFound(f"The catalogue has no model {name!r}.")
    click.echo(f"{row['title']} ({row['provider']}/{row['id']})")
    for fact in _LISTED:
        _echo_fact(fact, row[fact])
    click.echo(f"  read on {row['checked']}: {row['source']}")
    for price in row["prices"] or [row["price"]]:
        click.echo("  price" + (f" from {price['from']}" if "from" in price else ""))
        for fact, value in price.items():
            if fact != "from":
                _echo_fact(f"  {fact}", value)


def _echo_fact(fact: str, value: Any) -> None:
    if value not in (None, [], ""):
        click.echo(f"  {fact}: {_words(value)}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(_words(inner) for inner in value)
    return str(value)
