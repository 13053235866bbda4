"""`larouter usage reconcile`: our calls beside what a provider says that it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from larouter.cli.calls import call
from larouter.cli.export_compare import Answer, Difference, Found, compare
from larouter.cli.export_file import MEASURES, Export, ExportError, read_export

_DAYS_OF = {"google": "America/Los_Angeles"}
"""In which zone a provider's days begin, where that is not UTC."""
_WORDS = {"prompt": "tokens in", "cached": "cached tokens", "output": "tokens out"}


@click.command()
@click.option("--provider", required=True, help="openai, anthropic, google, deepseek or another.")
@click.option(
    "--file", "path", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The provider's usage export, a CSV file.",
)  # fmt: skip
@click.option("--zone", help="Where the export's days begin; else UTC, google: US Pacific.")
@click.option("--rate", help="Dollars for one unit of the export's currency, if that is another.")
@click.option("--apply", "settle", is_flag=True, help="Settle unknown calls that the export knows.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def reconcile(
    context: click.Context,
    provider: str,
    path: Path,
    zone: str | None,
    rate: str | None,
    settle: bool,
    as_json: bool,
) -> None:
    """Compare our calls with a provider's usage export, and list what differs (exit code 1)."""
    days = _zone(zone or _DAYS_OF.get(provider, "UTC"))
    export = _read(path, provider, days, _rate(rate))
    found = compare(export, _calls(provider, export, days), days)
    applied = found.answers if settle else []
    for answer in applied:
        _settle(answer)
    if as_json:
        click.echo(json.dumps(_told(provider, days, export, found, len(applied))))
    else:
        _print(provider, days, export, found, settle)
    if found.differences or len(applied) < found.unknown:
        context.exit(1)


def _read(path: Path, provider: str, zone: ZoneInfo, rate: Decimal | None) -> Export:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return read_export(file, provider, zone, rate)
    except UnicodeDecodeError:
        words = "is no text in UTF-8; unpack it, if it is a ZIP file"
    except OSError as error:
        words = f"cannot be read: {error.strerror}"
    except ExportError as error:
        words = f"cannot be compared. {error}"
    raise click.ClickException(f"{path} {words}")


def _calls(provider: str, export: Export, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """All of the export's days, page by page."""
    if not export.rows:
        return
    since, until = _midnight(export.first, zone), _midnight(export.last, zone, after=1)
    asked = {"provider": provider, "from": since, "to": until, "after": 0}
    while asked["after"] is not None:
        page = call("GET", f"/api/usage/calls?{urlencode(asked)}")
        yield from page["data"]
        asked["after"] = page["next"]


def _midnight(day: str, zone: ZoneInfo, *, after: int = 0) -> str:
    at = date.fromisoformat(day) + timedelta(days=after)
    return datetime(at.year, at.month, at.day, tzinfo=zone).isoformat()


def _settle(answer: Answer) -> None:
    tokens = {"input": answer.prompt, "output": answer.output, "cached": answer.cached}
    body = {"released": True} if answer.prompt is None else tokens
    call("POST", f"/api/usage/attempts/att_{answer.attempt}", body)


def _print(provider: str, zone: ZoneInfo, export: Export, found: Found, settled: bool) -> None:
    if not export.rows:
        click.echo("The file has no usage in it.")
    else:
        span = f"{export.first} to {export.last} (days of {zone.key})"
        click.echo(f"{provider}, {span}: {export.rows} rows, compared by {_compared(export)}")
    if export.currency != "USD" and "cost" not in export.has:
        click.echo(f"Amounts are in {export.currency}: with --rate they are compared too.")
    for row in found.differences:
        click.echo(_line(row))
    left = found.unknown - len(found.answers)
    for answer in found.answers:
        click.echo(_advice(answer, settled))
    if left:
        click.echo(f"{left} unknown calls that the export does not tell apart; see larouter usage "
                   "resolve.")  # fmt: skip
    if found.open:
        click.echo(f"{found.open} calls are still open and not compared.")
    click.echo(_verdict(len(found.differences), bool(left or (found.answers and not settled))))


def _verdict(count: int, is_unknown: bool) -> str:
    if count:
        return f"{count} {'difference' if count == 1 else 'differences'}."
    return "Nothing differs but what is unknown here." if is_unknown else "Nothing differs."


def _advice(answer: Answer, settled: bool) -> str:
    name = f"att_{answer.attempt}"
    how = "--released" if answer.prompt is None else _tokens(answer)
    if settled:
        return f"{name} was unknown and is settled: {how}"
    return f"{name} is unknown; settle it: larouter usage resolve {name} {how}"


def _tokens(answer: Answer) -> str:
    return f"--tokens {answer.prompt},{answer.output},{answer.cached}"


def _line(row: Difference) -> str:
    what = " ".join(filter(None, (row.day, row.model, row.id, row.attempt)))
    if row.kind == "not_here":
        return f"{what}: not here; there {row.there}"
    if row.kind == "not_there":
        return f"{what}: not there; here {row.here}"
    return f"{what}: {_WORDS.get(row.measure, row.measure)} {row.here} here, {row.there} there"


def _compared(export: Export) -> str:
    words = [_WORDS.get(name, name) for name in MEASURES if name in export.has]
    return ", ".join(words) + (" of each request" if export.requests else "")


def _told(
    provider: str, zone: ZoneInfo, export: Export, found: Found, applied: int
) -> dict[str, Any]:
    return {
        "provider": provider,
        "from": export.first or None,
        "to": export.last or None,
        "zone": zone.key,
        "rows": export.rows,
        "compared": sorted(export.has),
        "currency": export.currency,
        "differences": [row._asdict() for row in found.differences],
        "resolvable": [
            {
                "attemptId": f"att_{row.attempt}",
                "released": row.prompt is None,
                "input": row.prompt or 0,
                "cached": row.cached,
                "output": row.output,
            }
            for row in found.answers
        ],
        "applied": applied,
        "unknown": found.unknown,
        "open": found.open,
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.UsageError(f"There is no time zone {name!r}; try Europe/Berlin.") from None


def _rate(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(0)
    if not 0 < rate < 10**6:
        raise click.UsageError("--rate is what one unit is in dollars, such as 1.08.")
    return rate
