"""`larouter usage statement`: what a project has to pay for a month."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from larouter.cli.calls import call_text
from larouter.core.money import decimal_text

_STATES = {
    "estimated": "estimated, in the total",
    "unknown": "unknown, charged at the most that it held",
    "unpriced": "no known price, in no amount",
    "open": "still open, in no amount",
}


@click.command()
@click.argument("project")
@click.option("--month", metavar="2026-11", help="A month of the calendar; else this one.")
@click.option("--html", "file", type=click.Path(path_type=Path), help="Write a page to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def statement(project: str, month: str | None, file: Path | None, as_json: bool) -> None:
    """Print what PROJECT has to pay for a month, or write it to a file as a page to print."""
    given = {"projectId": project, "month": month, "format": "html" if file else None}
    query = urlencode({name: value for name, value in given.items() if value})
    answer = call_text("GET", f"/api/usage/statement?{query}")
    if file is not None:
        try:
            file.write_text(answer, encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error
        click.echo(f"Wrote {file}.")
    elif as_json:
        click.echo(answer)
    else:
        _print(json.loads(answer))


def _print(bill: dict[str, Any]) -> None:
    total, here = bill["total"], bill["onThisMachine"]
    click.echo(f"{bill['project']}, {bill['month']} (days of {bill['zone']})")
    click.echo(f"{total['calls']} requests, {total['succeededCalls']} answered")
    click.echo(f"{here['succeededCalls']} answered on this machine")
    for row in bill["byModel"]:
        if row["model"]:
            click.echo(f"  {row['model']:<40} {row['calls']:>6}  ${decimal_text(row['costNusd'])}")
    click.echo(f"To pay: ${decimal_text(total['costNusd'])}")
    models = " and ".join(row["model"] or "no model" for row in bill["baselines"])
    saved = total["savedNusd"]
    words = "saved against" if saved >= 0 else "more than"
    click.echo(f"${decimal_text(abs(saved))} {words} the baseline ({models})")
    for row in bill["notExact"]:
        amount = decimal_text(row["costNusd"])
        click.echo(f"{row['calls']} of {row['model']}: {_STATES[row['state']]} (${amount})")
    if bill["correctionCount"]:
        click.echo(f"{bill['correctionCount']} corrections: ${decimal_text(bill['correctedNusd'])}")
    if not bill["isWhole"]:
        click.echo("Not all calls of this month are kept one by one; the amounts are whole.")
