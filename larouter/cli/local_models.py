"""`larouter models import`, `larouter models found`: files that are on this machine already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from larouter.cli.calls import call, follow

_GB = 1e9


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="What it is to be called by.")
def import_file(file: Path, name: str | None) -> None:
    """Take over a GGUF FILE that you have: it is checked, hashed and linked, never moved."""
    given: dict[str, Any] = {"path": str(file.expanduser().absolute()), "stream": True}
    if name is not None:
        given["name"] = name
    done: dict[str, Any] = {}
    with click.progressbar(length=1, label="Hashing", show_eta=True) as bar:
        for said in follow("POST", "/api/models/import", given):
            if said["status"] == "done":
                done = said
            else:
                bar.length = said["total"]
                bar.update(said["done"] - bar.pos)
    facts = done["facts"]
    words = [facts.get("quantisation"), facts.get("architecture"), _parameters(facts)]
    click.echo(f"{done['title']}: {', '.join(filter(None, words))}, {done['bytes'] / _GB:.1f} GB.")
    click.echo(f"It answers as {done['model']} from now on.")
    if done["path"]:
        click.echo(f"It stays where it is: {done['path']}. Do not move it.")


@click.command("found")
def found() -> None:
    """List model files of other programs (Ollama, LM Studio, Hugging Face, llama.cpp)."""
    rows = call("GET", "/api/models/found")["data"]
    if not rows:
        click.echo("No other program has a model file here that LARouter could use.")
    for row in rows:
        if row["is_here"]:
            state = f"here as {row['model']}"
        elif row["model"]:
            # A name's digest is a claim, and a size alone is a guess: the import finds out.
            sure = "is" if row["sha256"] else "may be"
            state = f"{sure} {row['model']}"
        else:
            state = "could be imported"
        size = f"{row['bytes'] / _GB:.1f} GB"
        click.echo(f"{row['program']:<13} {row['name']:<44} {size:>8}  {state}")
        click.echo(f"  {row['path']}")
    if any(not row["is_here"] for row in rows):
        click.echo("Use one of them without a download: larouter models import FILE")


def _parameters(facts: dict[str, Any]) -> str:
    count = facts.get("parameters", 0)
    if count >= 1e9:
        return f"{count / 1e9:.1f} billion parameters"
    return f"{count / 1e6:.0f} million parameters"


COMMANDS = (import_file, found)
