"""`larouter models load`, `unload` and `bench`: which models are in memory, and how fast."""

from __future__ import annotations

from typing import Any

import click

from larouter.cli.calls import call, follow, running
from larouter.config import read_settings
from larouter.core.errors import LARouterError, Unavailable

_GB = 1e9
_LOCAL = "local/"


@click.command()
@click.argument("model")
def load(model: str) -> None:
    """Load a local MODEL now, after a quarantine too, and say how far it is."""
    path = f"/api/models/{_serving(model)}"
    done: dict[str, Any] = {}
    try:
        with click.progressbar(length=100, label="Loading", show_eta=False) as bar:
            for said in follow("POST", f"{path}/load", {"stream": True}):
                if said["status"] == "done":
                    done = said
                else:
                    bar.label = "Waiting for memory" if said["status"] == "waiting" else "Loading"
                    bar.update(int(100 * (said["progress"] or 0)) - bar.pos)
            bar.update(100 - bar.pos)
    except LARouterError:
        for line in call("GET", f"{path}/engine")["last_lines"][-10:]:
            click.echo(f"  {line}", err=True)
        raise
    click.echo(
        f"{done['id']} is loaded: {(done['memory_bytes'] or 0) / _GB:.1f} GB of memory, "
        f"{done['context']:,} tokens for a request, {done['slots']} requests at once."
    )


@click.command()
@click.argument("model")
@click.option("--force", is_flag=True, help="Even while it answers somebody.")
def unload(model: str, force: bool) -> None:
    """Take a local MODEL out of memory; its file stays."""
    done = call("POST", f"/api/models/{_serving(model)}/unload", {"force": force})
    click.echo(f"{done['id']} is not in memory.")


@click.command("bench")
@click.argument("model")
def bench_model(model: str) -> None:
    """Load a local MODEL if it is not, and time it on prompts of a few lengths."""
    done: dict[str, Any] = {}
    for said in follow("POST", f"/api/models/{_serving(model)}/bench", {"stream": True}):
        done = said
    if done["load_s"] is not None:
        click.echo(f"loaded in {done['load_s']:.1f} s")
    click.echo("prompt tokens   first token   prompt tokens/s   answer tokens/s")
    for row in done["rows"]:
        click.echo(
            f"{row['prompt_tokens']:>13,} {row['first_s']:>11.2f} s "
            f"{row['prompt_tokens_per_s']:>17,.0f} {row['tokens_per_s']:>17,.1f}"
        )


def _serving(model: str) -> str:
    """The model's id. Raises `Unavailable` where no server could hold it."""
    if running(read_settings()) is None:
        raise Unavailable(
            "LARouter is not running, so no model is loaded. Start it with larouter serve."
        )
    return model.removeprefix(_LOCAL)


COMMANDS = (load, unload, bench_model)
