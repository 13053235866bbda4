"""`larouter models`: the models that LARouter knows, and which of them this machine can run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from larouter.cli import engines, local_models, model_files
from larouter.cli.calls import call
from larouter.core.fit import size
from larouter.core.machine import GIB

_WIDTH = 17


@click.group()
def models() -> None:
    """The models that LARouter knows."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_models(as_json: bool) -> None:
    """List the catalogue: what can answer now, what is missing, and what fits this machine."""
    found = call("GET", "/api/models/catalog")
    if as_json:
        click.echo(json.dumps(found))
        return
    for row in found["data"]:
        state = row["missing"] or "ready"
        line = f"{row['id']:<24} {row['provider']:<10} {state:<15} {row['title']:<24}"
        click.echo(f"{line} {_fit(row)}".rstrip())
    click.echo()
    click.echo(machine_line(found["machine"]))
    click.echo("Which of them to keep here: larouter models recommend")


@models.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def recommend(as_json: bool) -> None:
    """Say which local models to keep on this machine, with the arithmetic."""
    found = call("GET", "/api/models/catalog")
    if as_json:
        click.echo(json.dumps({name: found[name] for name in ("machine", "recommended")}))
        return
    for line in advice_lines(found):
        click.echo(line)


def advice_lines(found: dict[str, Any]) -> Iterator[str]:
    """What is recommended for this machine, out of the answer of the API."""
    advice, machine = found["recommended"], found["machine"]
    yield machine_line(machine)
    if not advice["models"]:
        yield f"Recommended: none. {advice['why'][0].upper()}{advice['why'][1:]}."
        return
    rows = {row["id"]: row for row in found["data"]}
    names = ", ".join(row["title"] for row in advice["models"])
    download = size(advice["download_bytes"]) if advice["download_bytes"] else "nothing"
    yield (
        f"Recommended: {names} – {download} to download, {size(advice['memory_bytes'])} in memory."
    )
    if advice["take_turns"]:
        yield "They take turns: memory holds one at a time, and a change takes seconds."
    for pick in advice["models"]:
        yield from _pick_lines(pick, rows[pick["id"]])
    may_use, left = size(machine["models_may_use_bytes"]), size(machine["left_bytes"])
    yield ""
    yield (
        f"Models may use {may_use} of the memory: {left} are left to everything else. They are "
        f"laid out for {advice['context']:,} tokens and {advice['slots']} requests at once."
    )
    missing = [pick["id"] for pick in advice["models"] if not pick["is_here"]]
    if missing:
        yield "Next:"
    for model_id in missing:
        yield f"  larouter models download {model_id}"


def machine_line(row: dict[str, Any]) -> str:
    """This machine in one line."""
    free = f"{row['available_bytes'] / GIB:.0f} free"
    whose = " (the container's limit)" if row["limited_by_container"] else ""
    parts = [
        row["processor"] or row["architecture"],
        f"{row['cores']} core{'' if row['cores'] == 1 else 's'}",
        f"{row['memory_bytes'] / GIB:.0f} GiB of memory{whose}, {free}",
    ]
    if row["disk_free_bytes"] is not None:
        parts.append(f"{size(row['disk_free_bytes'])} free on the disk")
    parts += [_card(card) for card in row["cards"]]
    return f"This machine: {', '.join(parts)}."


def _pick_lines(pick: dict[str, Any], row: dict[str, Any]) -> Iterator[str]:
    here = "is here" if pick["is_here"] else f"{size(pick['bytes'])} to download"
    yield ""
    yield f"{pick['title']} for {_and(pick['tiers'])} ({here})"
    for line in pick["lines"]:
        yield f"  {line['what']:<{_WIDTH}} {size(line['bytes']):>8}  {line['how']}"
    yield f"  {'together':<{_WIDTH}} {size(pick['needs_bytes']):>8}"
    if row["speed"]:
        speed = f"{row['speed']['tokens_per_s']:g}"
        yield f"  {'tokens a second':<{_WIDTH}} {speed:>8}  {row['speed']['how']}"


def _card(card: dict[str, Any]) -> str:
    name = str(card["name"])
    if card["computes"]:
        return name
    return (
        f"{name} (not used: the packaged engine computes on the processor; a llama-server for this "
        "card, Ollama or LM Studio would use it)"
    )


def _fit(row: dict[str, Any]) -> str:
    fit = row.get("fit")
    if fit is None:
        return f"closes {row['retires']}" if row["retires"] else ""
    if not fit["needs_bytes"]:
        return str(fit["why"])
    words = f"{'fits' if fit['fits'] else 'does not fit'}, {size(fit['needs_bytes'])}"
    return words + (", recommended" if row["recommended"] else "")


def _and(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


for command in (*local_models.COMMANDS, *model_files.COMMANDS, *engines.COMMANDS):
    models.add_command(command)
