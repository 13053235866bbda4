"""`larouter keys`: give LARouter the keys of providers, and see what they open."""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import quote

import click

from larouter.cli.calls import call
from larouter.core.errors import BadRequest

_PLACES = {
    "environment": "environment",
    "keyring": "keyring",
    "file": "encrypted file",
    "none": "none",
}
_WHY = {
    "retired": "is not served any more",
    "unlisted": "is not open to this key",
}
FILE_NOTE = "This system has no keyring, so the key is in an encrypted file of the data folder."


@click.group("keys")
def group() -> None:
    """Keys of providers: kept in the system's keyring, else in an encrypted file."""


@group.command("set")
@click.argument("provider")
def set_key(provider: str) -> None:
    """Keep the key of PROVIDER; it works at once.

    A key never stands on the command line, where others could see it: it is asked for, or piped in.
    """
    row = call("PUT", _path(provider), {"key": read_key()})
    if row["kept_in"] == "file":
        click.echo(FILE_NOTE, err=True)
    if row["key_in"] == "environment":
        click.echo(
            f"The key is kept, but {row['variable']} is set where LARouter runs and goes before "
            "it. Unset that variable and start LARouter again to use the kept one.",
            err=True,
        )
        return
    click.echo(f"The key of {provider} is kept and used from now on.")
    click.echo(f"See what it opens: larouter keys check {provider}")


@group.command("list")
def list_keys() -> None:
    """List the providers and where the key of each comes from."""
    for row in call("GET", "/api/keys")["data"]:
        click.echo(f"{row['name']:<20} {_PLACES[row['key_in']]}{_note(row)}")


@group.command("remove")
@click.argument("provider")
def remove_key(provider: str) -> None:
    """Forget the key of PROVIDER that LARouter keeps."""
    row = call("DELETE", _path(provider))
    click.echo(f"Forgot the key of {provider}.")
    if row["key_in"] == "environment":
        click.echo(f"{row['variable']} is still set where LARouter runs.", err=True)


@group.command("check")
@click.argument("provider", required=False)
def check_keys(provider: str | None) -> None:
    """Ask PROVIDER, or all that can be asked, which models its key opens.

    Its exit status is 1 when a check failed. Nothing is billed: only the list of models is read.
    """
    names = [provider] if provider else _checkable()
    if not names:
        click.echo("No provider has a key yet. Give one with: larouter keys set PROVIDER")
    checks = [_check(name) for name in names]
    if not all(checks):
        click.get_current_context().exit(1)


def read_key() -> str:
    """Ask for a key without showing it, or take the first line of a pipe."""
    if sys.stdin.isatty():
        key: str = click.prompt("Key", hide_input=True)
    else:
        key = sys.stdin.readline()
    if not key.strip():
        raise BadRequest("No key came in. Type it when asked, or pipe it in.")
    return key.strip()


def _note(row: dict[str, Any]) -> str:
    if row["key_in"] == "environment" and row["is_kept"]:
        return ", which goes before the one that is kept"
    return " (and may need none)" if row["key_in"] == "none" and not row["needs_key"] else ""


def _checkable() -> list[str]:
    rows = call("GET", "/api/keys")["data"]
    return [
        row["name"]
        for row in rows
        if row["has_address"] and (row["key_in"] != "none" or not row["needs_key"])
    ]


def _check(name: str) -> bool:
    checked = call("POST", f"{_path(name)}/check")
    if not checked["ok"]:
        click.echo(f"{name}: {checked['reason']}")
        return False
    click.echo(f"{name}: good, {_models(len(checked['models']))}. {checked['reason']}".rstrip())
    for lost in checked["lost"]:
        click.echo(f"  {_loss(lost)}")
    return True


def _models(number: int) -> str:
    return "1 model" if number == 1 else f"{number} models"


def _loss(lost: dict[str, Any]) -> str:
    instead = f"; ask for {lost['successor']} instead" if lost["successor"] else ""
    return f"{lost['model']} {_WHY[lost['why']]}{instead}"


def _path(provider: str) -> str:
    return f"/api/keys/{quote(provider, safe='')}"
