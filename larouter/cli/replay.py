"""`larouter replay`: what another policy would have changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from larouter.cli.calls import call
from larouter.core.money import decimal_text
from larouter.core.replay import BASELINES

_MOST_MOVES = 12
_LISTS = frozenset({"privacy", "providers", "patterns"})
_TEXTS = frozenset({"max_cost_usd"})
_AGAINST = {
    "frontier": "everything to the dearest tier",
    "pin": "everything to the pinned or most used model",
    "recorded": "as it was",
}
_NUSD = 1_000_000_000


@click.command()
@click.option(
    "--policy", "changes", multiple=True, metavar="FIELD=VALUE", help="One change of the policy."
)
@click.option(
    "--policy-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The changes as a JSON object.",
)
@click.option("--project", help="Only this project's requests; without it, everybody's.")
@click.option("--period", default="30d", show_default=True, help="So many days, or all.")
@click.option("--baseline", type=click.Choice(BASELINES), help="Compare with this one only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def replay(
    changes: tuple[str, ...],
    policy_file: Path | None,
    project: str | None,
    period: str,
    baseline: str | None,
    as_json: bool,
) -> None:
    """Decide the recorded requests again under another policy; nothing is asked or changed.

    The policy is the project's own with these changes: --policy mode=cheapest --policy quality=0.3
    """
    policy = {**(_file(policy_file) if policy_file else {}), **dict(map(_change, changes))}
    given = {"project": project, "period": period, "policy": policy, "baseline": baseline}
    body = {name: value for name, value in given.items() if value is not None}
    found = call("POST", "/api/replay", body)
    if as_json:
        click.echo(json.dumps(found))
    elif not found["requests"]:
        click.echo(_nothing(found))
    else:
        _print(found)


def _file(path: Path) -> dict[str, Any]:
    try:
        given = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise click.UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise click.UsageError(f"{path} has to hold one JSON object: the fields of a policy.")
    return given


def _change(text: str) -> tuple[str, Any]:
    """`quality=0.3` and the like. A value is JSON where it can be read so, else the words
    themselves; a list may be written with commas."""
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not (name and equals):
        raise click.UsageError(f"{text!r} is no change of a policy; write mode=cheapest.")
    if name in _TEXTS:
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        if name in _LISTS:
            return name, [part.strip() for part in value.split(",") if part.strip()]
        return name, [value] if name == "rules" else value


def _nothing(found: dict[str, Any]) -> str:
    if found["without_numbers"]:
        return (
            f"Of the requests recorded so far ({found['without_numbers']}), none has the numbers "
            "that it could be decided again from. Come back after a few new ones."
        )
    return (
        "Nothing is recorded yet for this period. Send a few requests through LARouter, or ask "
        "for a longer period: --period all"
    )


def _print(found: dict[str, Any]) -> None:
    requests, changed = found["requests"], found["changed"]
    share = f"{100 * changed / requests:.1f} %"
    click.echo(f"{_requests(requests)}, {changed} would go elsewhere ({share})")
    ways = (
        ("up", "to a stronger model"),
        ("down", "to a smaller model"),
        ("sideways", "to another of the same rank"),
        ("refused", "refused: nobody may answer"),
    )
    for way, words in ways:
        if found[way]:
            click.echo(f"  {found[way]:>6}  {words}")
    _print_moves(found["moves"])
    for saving in found["savings"]:
        _print_saving(saving)
    _print_quality(found["quality"])
    click.echo()
    for sentence in found["assumptions"]:
        click.echo(f"- {sentence}")


def _print_moves(moves: list[dict[str, Any]]) -> None:
    if not moves:
        return
    click.echo()
    for move in moves[:_MOST_MOVES]:
        before = f"{move['from_tier']} {move['from_model'] or 'nobody'}"
        after = f"{move['to_tier']} {move['to_model']}" if move["to_tier"] else "refused"
        click.echo(f"  {move['count']:>6}  {before} → {after}")
    if len(moves) > _MOST_MOVES:
        click.echo(f"          and {len(moves) - _MOST_MOVES} other ways")


def _print_saving(saving: dict[str, Any]) -> None:
    click.echo()
    click.echo(f"Beside {_AGAINST[saving['baseline']]} ({_requests(saving['requests'])}):")
    click.echo(f"  {_dollars(saving['cost_nusd'])} → {_dollars(saving['new_cost_nusd'])}")
    # What costs more is said as such, not as a saving below zero.
    sign = 1 if saving["saving_nusd"] >= 0 else -1
    low, high = sorted(sign * bound for bound in saving["saving_between_nusd"])
    amount = _dollars(sign * saving["saving_nusd"])
    said = f"saves {amount}" if sign > 0 else f"costs {amount} more"
    line = f"  {said}, between {_dollars(low)} and {_dollars(high)}"
    if saving["percent"] is not None:
        least, most = sorted(sign * bound for bound in saving["percent_between"])
        line += f" ({sign * saving['percent']:.0f} %, between {least:.0f} % and {most:.0f} %)"
    click.echo(line)


def _print_quality(quality: dict[str, Any]) -> None:
    if not quality["requests"]:
        return
    rows = (
        ("hard prompts answered by a small model", "hard"),
        ("requests answered by a model below their need", "below"),
    )
    click.echo()
    click.echo(f"Expected, by the classifier ({_requests(quality['requests'])}):")
    for words, name in rows:
        before, after = (100 * quality[f"{name}_{when}"] for when in ("before", "after"))
        click.echo(f"  {words}: {before:.1f} % → {after:.1f} %")


def _requests(count: int) -> str:
    return f"{count} request{'' if count == 1 else 's'}"


def _dollars(nusd: int) -> str:
    """To four places, and exactly where that would hide it."""
    amount = abs(nusd)
    text = decimal_text(amount) if amount < _NUSD // 100 else f"{amount / _NUSD:.4f}"
    return f"-${text}" if nusd < 0 else f"${text}"
