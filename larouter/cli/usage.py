"""`larouter usage`: what was asked, what it cost and what was saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click

from larouter.cli.baseline import baseline as baseline_command
from larouter.cli.calls import call, call_text
from larouter.cli.reconcile import reconcile
from larouter.cli.statement import statement
from larouter.core.money import decimal_text

_F = TypeVar("_F", bound=Callable[..., Any])

_WHICH = (
    click.option(
        "--period",
        type=click.Choice(["daily", "weekly", "monthly", "all"]),
        help="Whole days up to today: 1, 7, 30 or all (default).",
    ),
    click.option("--month", metavar="2026-11", help="A month of the calendar."),
    click.option("--week", metavar="2026-W47", help="A week of the calendar, from Monday on."),
    click.option("--from", "since", metavar="DATE", help="The first day, or a moment with offset."),
    click.option("--to", "until", metavar="DATE", help="The last day, or a moment with offset."),
    click.option("--project", help="Only this project's."),
    click.option("--model", multiple=True, help="Only this model's, as provider/model or its id."),
    click.option("--tier", multiple=True, help="Only this tier's."),
    click.option("--provider", multiple=True, help="Only this provider's."),
    click.option("--bearer", multiple=True, metavar="ID", help="Only by this bearer."),
)
_NAMES = {"since": "from", "until": "to", "project": "projectId"}


def which(command: _F) -> _F:
    """Options that say which usage is meant."""
    for option in reversed(_WHICH):
        command = option(command)
    return command


def query(path: str, asked: dict[str, Any], **more: str) -> str:
    """The path with what `which` was told. The words for slips are the server's."""
    given = {_NAMES.get(name, name): value for name, value in {**asked, **more}.items() if value}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


@click.group("usage", invoke_without_command=True)
@which
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def group(context: click.Context, /, as_json: bool, **asked: Any) -> None:
    """What was asked, what it cost and what was saved."""
    if context.invoked_subcommand is not None:
        if any(asked.values()):
            raise click.UsageError(f"Write options behind {context.invoked_subcommand}.")
        return
    answer = call_text("GET", query("/api/usage", asked))
    if as_json:
        click.echo(answer)
        return
    usage = json.loads(answer)
    click.echo(f"{usage['totalCalls']} requests, {usage['succeededCalls']} answered")
    click.echo(f"{usage['inputTokens']} tokens in, {usage['outputTokens']} out")
    click.echo(f"${decimal_text(usage['totalCostNusd'])}")
    if usage["savedNusd"] > 0:
        saved, alone = (decimal_text(usage[f"{name}Nusd"]) for name in ("saved", "baselineCost"))
        baseline = usage["baselineModel"] or "no model"
        click.echo(f"${saved} saved: the baseline (now {baseline}) would have cost ${alone}")
    if usage["unpricedCalls"]:
        click.echo(f"{usage['unpricedCalls']} calls have no known price and are not counted")
    for row in usage["byModel"]:
        click.echo(f"  {row['model']:<40} {row['calls']:>6}  ${decimal_text(row['costNusd'])}")


@group.command()
@click.option("--attempts", is_flag=True, help="One JSON object for each call of a provider.")
@click.option("--csv", "as_csv", is_flag=True, help="A table for a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="The same table as JSON.")
@which
def export(attempts: bool, as_csv: bool, as_json: bool, **asked: Any) -> None:
    """Print the ledger, or what it comes to by day, project, tier and model."""
    if attempts + as_csv + as_json != 1:
        raise click.UsageError("Say which: --attempts, --csv or --json.")
    if not attempts:
        path = query("/api/usage/export", asked, format="csv" if as_csv else "json")
        click.echo(call_text("GET", path), nl=as_json)
        return
    project = {"project": asked.pop("project")}
    if any(asked.values()):
        raise click.UsageError("Of --attempts all are printed, or those of one --project.")
    click.echo(call_text("GET", query("/api/usage/attempts", project)), nl=False)


@group.command()
def rebuild() -> None:
    """Make the sums of usage anew from the ledger, and say whether they were right."""
    wrong = call("POST", "/api/usage/rebuild")["differences"]
    for line in wrong:
        click.echo(line)
    click.echo(f"{len(wrong)} differences, mended." if wrong else "The sums were right.")


@group.command()
@click.argument("attempt")
@click.option("--tokens", metavar="IN,OUT[,CACHED]", help="What the provider counted.")
@click.option("--released", is_flag=True, help="It never reached the provider.")
def resolve(attempt: str, tokens: str | None, released: bool) -> None:
    """Say what became of ATTEMPT (such as att_12), whose outcome is unknown."""
    if released == (tokens is not None):
        raise click.UsageError("Say which: --tokens or --released.")
    body: dict[str, Any] = {"released": True} if tokens is None else _tokens(tokens)
    changed = call("POST", f"/api/usage/attempts/{quote(attempt, safe='')}", body)
    before, now = (_dollars(changed[name]) for name in ("before_nusd", "cost_nusd"))
    click.echo(f"{changed['attempt_id']}: {before} before, {now} now.")


group.add_command(baseline_command)
group.add_command(reconcile)
group.add_command(statement)


def _tokens(text: str) -> dict[str, int]:
    counts = text.split(",")
    if len(counts) not in (2, 3) or not all(count.strip().isdecimal() for count in counts):
        raise click.UsageError("--tokens is IN,OUT or IN,OUT,CACHED, such as 900,50.")
    return dict(zip(("input", "output", "cached"), map(int, counts), strict=False))


def _dollars(nusd: int | None) -> str:
    return "an unknown price" if nusd is None else f"${decimal_text(nusd)}"
