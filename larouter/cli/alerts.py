"""`larouter alerts`: what happened with money, and where to send word of it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from larouter.cli.calls import call, listed


@click.group("alerts")
def group() -> None:
    """Alerts: budgets that passed a mark, and where you are told of it."""


@group.command("list")
@click.option("--project", help="Only those of one project.")
@click.option("--unseen", is_flag=True, help="Only those that nobody has seen yet.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_alerts(project: str | None, unseen: bool, as_json: bool) -> None:
    """List the alerts, the newest first."""
    asked = {"unseen": int(unseen), "project": project}
    for row in listed("/api/alerts", "No alerts.", as_json=as_json, **asked):
        new = "" if row["seen"] else "  new"
        click.echo(f"{row['id']}  {_when(row['created_ms'])}  {_words(row)}{new}")


@group.command()
@click.argument("ids", type=int, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that there are now.")
def seen(ids: tuple[int, ...], every: bool) -> None:
    """Mark alerts as seen, by their numbers: the page shows them no more."""
    if bool(ids) == every:
        raise click.UsageError("Give the numbers of alerts, or --all.")
    body: dict[str, Any] = {"ids": list(ids)}
    if every:
        rows = call("GET", "/api/alerts?unseen=1")["data"]
        body = {"newest": max((row["id"] for row in rows), default=0)}
    count = call("POST", "/api/alerts/seen", body)["seen"]
    click.echo(f"{count} alert{'' if count == 1 else 's'} seen.")


@group.group()
def webhook() -> None:
    """Addresses that are told of each alert by a signed POST."""


@webhook.command()
@click.argument("url")
@click.option("--project", help="Only what is about this project; else everything.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(url: str, project: str | None, as_json: bool) -> None:
    """Send alerts to URL: https, or an address on this machine."""
    body = {"url": url, **({"project": project} if project else {})}
    made = call("POST", "/api/alerts/webhooks", body)
    if as_json:
        click.echo(json.dumps(made))
        return
    click.echo(f"Webhook {made['id']} is told of {_whose(made)}.")
    click.echo(f"Secret  {made['secret']}")
    click.echo("        shown this once; by it the receiver knows that a letter is ours")
    click.echo(f"Try it: larouter alerts webhook test {made['id']}", err=True)


@webhook.command("list")
@click.option("--project", help="Only those of one project.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_webhooks(project: str | None, as_json: bool) -> None:
    """List the webhooks and what became of their letters."""
    nothing = "No webhooks. Make one: larouter alerts webhook add URL"
    for row in listed("/api/alerts/webhooks", nothing, as_json=as_json, project=project):
        click.echo(f"{row['id']}  {row['url']}  is told of {_whose(row)}")
        click.echo(f"   {row['sent']} sent, {row['waiting']} waiting, {row['failed']} given up")
        if row["stopped"]:
            click.echo(
                "   stopped: the receiver said that it is gone – if it is back: "
                f"larouter alerts webhook test {row['id']}"
            )
        elif row["error"]:
            again = f"; again at {_when(row['next_ms'])}" if row["next_ms"] else ""
            click.echo(f"   {row['error']}{again}")


@webhook.command()
@click.argument("id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(id: int, yes: bool) -> None:
    """Send nothing there any more; what waits is dropped."""
    if not yes:
        click.confirm(f"Remove the webhook {id}? What waits for it is dropped.", abort=True)
    click.echo(f"Removed {call('DELETE', f'/api/alerts/webhooks/{id}')['url']}.")


@webhook.command()
@click.argument("id", type=int)
def test(id: int) -> None:
    """Send a letter that says nothing, now; a webhook that was stopped goes on."""
    done = call("POST", f"/api/alerts/webhooks/{id}/test")
    click.echo(f"{done['host']} answered {done['status']} in {done['took_ms']} ms.")


def _words(row: dict[str, Any]) -> str:
    if row["type"] == "unusual":
        return (
            f"{row['project']}: {_amount(row, 'spent')} within an hour; "
            f"above {_amount(row, 'cap')} is unusual"
        )
    what = "is blocked: a call cost more than it could" if row["blocked"] else (
        f"has passed {row['percent']} %"
    )  # fmt: skip
    return (
        f"{row['project']}: {row['budget']} {what}, "
        f"{_amount(row, 'spent')} of {_amount(row, 'cap')}"
    )


def _whose(row: dict[str, Any]) -> str:
    return "everything" if row["project"] == "machine" else row["project"]


def _amount(row: dict[str, Any], name: str) -> str:
    if row["metric"] == "cost":
        return f"${row[name]:,.4f}" if 0 < row[name] < 1 else f"${row[name]:,.2f}"
    # `1,200 of 1,500 requests`
    return f"{row[name]:,}" + (f" {row['metric']}" if name == "cap" else "")


def _when(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000).astimezone():%Y-%m-%d %H:%M}"
