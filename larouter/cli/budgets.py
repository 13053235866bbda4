"""`larouter budgets`: limits for a project or for this machine, and how they stand."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from larouter.cli.calls import call, listed
from larouter.core.budget import ALERTS, METRICS, PERIODS

_MACHINE = "machine"
_EACH = {"daily": "a day", "weekly": "a week", "monthly": "a month", "total": "in all"}
_BAR = 20


@click.group("budgets")
def group() -> None:
    """Budgets: how much a project, or this machine, may spend."""


@group.command("list")
@click.option("--project", help="Only those of one project.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_budgets(project: str | None, as_json: bool) -> None:
    """List the budgets and how they stand."""
    nothing = "No budgets. Make one: larouter budgets add PROJECT AMOUNT"
    for row in listed("/api/budgets", nothing, as_json=as_json, project=project):
        _print(row)


@group.command()
@click.argument("project")
@click.argument("amount")
@click.option("--name", help="What to call it.")
@click.option("--metric", type=click.Choice(METRICS), default="cost", help="What AMOUNT counts.")
@click.option("--period", type=click.Choice(PERIODS), default="monthly", help="When it renews.")
@click.option("--tier", help="Only for requests of this tier.")
@click.option("--provider", help="Only for this provider's models.")
@click.option("--model", help="Only for this model, as provider/model.")
@click.option("--soft", is_flag=True, help="Tell me, and refuse nothing.")
@click.option("--alerts", metavar="50,80,100", help="Per cents at which you are told.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(
    project: str,
    amount: str,
    name: str | None,
    metric: str,
    period: str,
    tier: str | None,
    provider: str | None,
    model: str | None,
    soft: bool,
    alerts: str | None,
    as_json: bool,
) -> None:
    """Give PROJECT (or: machine) AMOUNT dollars, tokens or requests for each period."""
    scopes = {"tier": tier and tier.upper(), "provider": provider, "model": model}
    chosen = [(scope, of) for scope, of in scopes.items() if of]
    if len(chosen) > 1:
        raise click.UsageError("Give one of --tier, --provider and --model.")
    scope, of = chosen[0] if chosen else ("all", "")
    body = {
        "project": project,
        "name": name or " ".join(filter(None, [period, of, "budget"])),
        "cap": _amount(amount, metric),
        "metric": metric,
        "period": period,
        "scope": scope,
        "of": of,
        "hard": not soft,
        "alerts": list(ALERTS) if alerts is None else _marks(alerts),
    }
    _show(call("POST", "/api/budgets", body), as_json)


@group.command()
@click.argument("id", type=int)
@click.option("--amount", help="What it may come to in each period.")
@click.option("--name", help="What to call it.")
@click.option("--soft/--hard", default=None, help="Only tell me, or refuse what is above.")
@click.option("--alerts", metavar="50,80,100", help="Per cents at which you are told.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def change(
    id: int,
    amount: str | None,
    name: str | None,
    soft: bool | None,
    alerts: str | None,
    as_json: bool,
) -> None:
    """Change the budget with this number; what is spent stays spent."""
    body: dict[str, Any] = {}
    if amount is not None:
        rows = call("GET", "/api/budgets")["data"]
        metric = next((row["metric"] for row in rows if row["id"] == id), "cost")
        body["cap"] = _amount(amount, metric)
    if name is not None:
        body["name"] = name
    if soft is not None:
        body["hard"] = not soft
    if alerts is not None:
        body["alerts"] = _marks(alerts)
    if not body:
        raise click.UsageError("Say what to change: --amount, --name, --soft, --hard or --alerts.")
    _show(call("PATCH", f"/api/budgets/{id}", body), as_json)


@group.command()
@click.argument("id", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(id: int, yes: bool) -> None:
    """Take a budget away. What it counted stays on the books."""
    if not yes:
        click.confirm(f"Remove the budget {id}? Nothing limits what it limited.", abort=True)
    click.echo(f"Removed {call('DELETE', f'/api/budgets/{id}')['name']}.")


@group.command()
@click.argument("id", type=int)
def resume(id: int) -> None:
    """Let calls pass again after one that cost more than it could."""
    _print(call("POST", f"/api/budgets/{id}/resume"))


def _show(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(row))
    else:
        _print(row)


def _print(row: dict[str, Any]) -> None:
    """Three lines: what it is, how full it is, when it renews."""
    kind = "" if row["hard"] else " (only tells)"
    whom = f" for {row['of']}" if row["of"] else ""
    cap = f"{_words(row, 'cap')} {_EACH[row['period']]}"
    click.echo(f"{row['id']}  {row['project']}: {row['name']}, {cap}{whom}{kind}")
    part = min(1.0, row["spent"] / row["cap"]) if row["cap"] else 1.0
    full = round(part * _BAR)
    held = f", {_words(row, 'reserved')} held" if row["reserved"] else ""
    click.echo(f"   [{'#' * full}{'.' * (_BAR - full)}] {_words(row, 'spent')} spent{held}, "
               f"{_words(row, 'left')} left")  # fmt: skip
    if row["blocked"]:
        click.echo(
            f"   blocked: a call cost more than it could – larouter budgets resume {row['id']}"
        )
    elif row["renews_ms"] is not None:
        when = datetime.fromtimestamp(row["renews_ms"] / 1000).astimezone()
        click.echo(f"   renews {when:%Y-%m-%d %H:%M} (midnight in {row['zone']})")


def _words(row: dict[str, Any], name: str) -> str:
    if row["metric"] == "cost":
        return f"${row[name]:,.4f}" if 0 < row[name] < 1 else f"${row[name]:,.2f}"
    return f"{row[name]:,} {row['metric']}"


def _amount(text: str, metric: str) -> str | int:
    text = text.removeprefix("$").replace(",", "").replace("_", "")
    if metric == "cost":
        return text
    if not text.isdigit():
        raise click.UsageError(f"{text!r} is no whole number of {metric}.")
    return int(text)


def _marks(text: str) -> list[int]:
    parts = [part.strip().removesuffix("%") for part in text.split(",") if part.strip()]
    if not all(part.isdigit() for part in parts):
        raise click.UsageError("--alerts is a list of per cents, such as 50,80,100.")
    return [int(part) for part in parts]
