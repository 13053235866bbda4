"""`larouter providers`: servers of your own, by name and address."""

from __future__ import annotations

from urllib.parse import quote

import click

from larouter.cli.calls import call
from larouter.cli.keys import FILE_NOTE, read_key
from larouter.providers.known import ADDABLE_WIRES


@click.group("providers")
def group() -> None:
    """Where models answer: the built-in providers and those that you add."""


@group.command()
@click.argument("name")
@click.option(
    "--wire", type=click.Choice(ADDABLE_WIRES), help="The format that it speaks; else openai."
)
@click.option("--url", help="Base URL, such as http://192.168.1.5:8000/v1; some NAMEs have one.")
@click.option("--key", "with_key", is_flag=True, help="Ask for a key, or read it from a pipe.")
def add(name: str, wire: str | None, url: str | None, with_key: bool) -> None:
    """Add a provider; its models are NAME/model.

    A key never stands on the command line, where others could see it: it is asked for, or piped in.
    """
    key = read_key() if with_key else None
    made = call("POST", "/api/providers", {"name": name, "wire": wire, "url": url, "key": key})
    click.echo(f"Added {name} at {made['url']}: ask for its models as {name}/MODEL.")
    if made["key_in"] == "file":
        click.echo(FILE_NOTE, err=True)
    if made["key_in"] is None:
        click.echo(f"If it wants a key: larouter keys set {name}", err=True)


@group.command("list")
def list_providers() -> None:
    """List the providers, their addresses and whether they have a key."""
    for row in call("GET", "/api/providers")["data"]:
        key = "key" if row["has_key"] else "no key"
        refused = "  its key was refused" if row["key_refused"] else ""
        click.echo(f"{row['name']:<12} {row['wire']:<10} {key:<7} {row['url'] or '-'}{refused}")


@group.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a provider that you added, and its key."""
    call("DELETE", f"/api/providers/{quote(name, safe='')}")
    click.echo(f"Removed {name}.")
