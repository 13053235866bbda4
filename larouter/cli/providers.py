"""`larouter providers`: servers of your own, by name and address."""

from __future__ import annotations

import sys
from urllib.parse import quote

import click

from larouter.cli.calls import call


@click.group("providers")
def group() -> None:
    """Where models answer: the built-in providers and those that you add."""


@group.command()
@click.argument("name")
@click.option("--wire", type=click.Choice(["openai", "anthropic"]), default="openai")
@click.option("--url", required=True, help="Base URL, such as http://192.168.1.5:8000/v1")
@click.option("--key", "with_key", is_flag=True, help="Ask for a key (or read it from a pipe).")
def add(name: str, wire: str, url: str, with_key: bool) -> None:
    """Add a provider; its models are NAME/model.

    A key never stands on the command line, where others could see it: it is asked for, or piped in.
    """
    key = _read_key() if with_key or not sys.stdin.isatty() else None
    made = call("POST", "/api/providers", {"name": name, "wire": wire, "url": url, "key": key})
    click.echo(f"Added {name}: ask for its models as {name}/MODEL.")
    if made["key_in"] == "file":
        click.echo(
            "This system has no keyring, so the key is in an encrypted file of the data folder.",
            err=True,
        )


@group.command("list")
def list_providers() -> None:
    """List the providers, their addresses and whether they have a key."""
    for row in call("GET", "/api/providers")["data"]:
        key = "key" if row["has_key"] else "no key"
        click.echo(f"{row['name']:<12} {row['wire']:<10} {key:<7} {row['url'] or '-'}")


@group.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a provider that you added, and its key."""
    call("DELETE", f"/api/providers/{quote(name, safe='')}")
    click.echo(f"Removed {name}.")


def _read_key() -> str | None:
    if sys.stdin.isatty():
        key: str = click.prompt("Key", hide_input=True)
        return key.strip()
    return sys.stdin.readline().strip() or None
