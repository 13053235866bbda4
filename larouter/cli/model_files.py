"""`larouter models download`, `downloads` and `remove`: files of models, on the disk or off it."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

import click

from larouter.cli.bar import Bar
from larouter.cli.calls import Ask, call, talking
from larouter.core.errors import BadRequest, LARouterError
from larouter.downloads.failed import shown_bytes
from larouter.downloads.words import words

_LOOK_S = 0.4
_PATH = "/api/models/downloads"
_GOES_ON = frozenset({"queued", "running"})
_INTERRUPTED = 130


@click.command("download")
@click.argument("model")
@click.option("--detach", is_flag=True, help="Leave it to the running server and return at once.")
def download(model: str, detach: bool) -> None:
    """Download MODEL and show how far it is; what has arrived is kept whatever happens.

    MODEL is one of the catalogue, or OWNER/REPO:FILE for any GGUF file of the hub.
    """
    with talking() as (ask, is_served):
        if detach and not is_served:
            raise BadRequest(
                "No server runs that could go on with it. Start one with larouter serve, or leave "
                "--detach out."
            )
        row = ask("POST", "/api/models/download", {"id": model})
        if row["state"] == "done":
            click.echo(f"{row['id']} is on this machine already.")
            return
        if detach:
            click.echo(
                f"The server downloads {row['id']}. How far it is: larouter models downloads"
            )
            return
        _follow_to_the_end(ask, row, is_served=is_served)


@click.command("downloads")
@click.option("--pause", metavar="MODEL", help="Stop one for now; what has arrived is kept.")
@click.option("--resume", metavar="MODEL", help="Go on with one that is paused or has failed.")
@click.option("--cancel", metavar="MODEL", help="Give one up and delete what has arrived.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_downloads(
    pause: str | None, resume: str | None, cancel: str | None, as_json: bool
) -> None:
    """List the downloads, or pause, resume or cancel one."""
    for model, verb in ((pause, "pause"), (resume, "resume")):
        if model is not None:
            call("POST", f"{_PATH}/{quote(model.removeprefix('local/'), safe='')}/{verb}")
    if cancel is not None:
        done = call("DELETE", f"{_PATH}/{quote(cancel.removeprefix('local/'), safe='')}")
        click.echo(f"Cancelled {cancel}; {shown_bytes(done['freed_bytes'])} are free again.")
        return
    answer = call("GET", _PATH)
    if as_json:
        click.echo(json.dumps(answer))
        return
    for row in answer["data"]:
        click.echo(f"{row['id']:<24} {row['state']:<9} {words(row)}".rstrip())
        if row["error"] is not None:
            click.echo(f"  {row['error']['message']}")
    if not answer["data"]:
        click.echo("No downloads. Begin one with: larouter models download MODEL")


@click.command("remove")
@click.argument("model")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(model: str, yes: bool) -> None:
    """Delete the files of MODEL from this machine."""
    path = f"/api/models/{quote(model.removeprefix('local/'), safe='')}"
    size = call("DELETE", f"{path}?preview=1")["freed_bytes"]
    frees = f"frees {shown_bytes(size)}" if size else "frees nothing, as its file is kept elsewhere"
    if not yes:
        click.confirm(f"Delete {model} from this machine? That {frees}.", abort=True)
    call("DELETE", path)
    click.echo(f"Removed {model}; that {frees}.")


def _follow_to_the_end(ask: Ask, row: dict[str, Any], *, is_served: bool) -> None:
    bar = Bar()
    try:
        while row["state"] in _GOES_ON:
            bar.show(row)
            time.sleep(_LOOK_S)
            found = [one for one in ask("GET", _PATH)["data"] if one["id"] == row["id"]]
            if not found:
                bar.end()
                raise LARouterError(f"The download of {row['id']} was cancelled.")
            row = found[0]
    except KeyboardInterrupt:
        bar.end()
        _interrupted(ask, row["id"], is_served=is_served)
        return
    bar.end()
    if row["state"] == "failed":
        raise LARouterError(row["error"]["message"])
    if row["state"] == "paused":
        click.echo(f"Paused. Go on with: larouter models downloads --resume {row['id']}")
        return
    click.echo(
        f"{row['id']} is here, {shown_bytes(row['bytes_total'])}, and is what its ", nl=False
    )
    click.echo("catalogue says." if row["pinned"] else "hub says; no catalogue pins it.")
    click.echo(f"Ask for it as local/{row['id']}.")


def _interrupted(ask: Ask, model: str, *, is_served: bool) -> None:
    if is_served:
        click.echo("The server goes on with it. How far it is: larouter models downloads")
        click.echo(f"To stop it: larouter models downloads --pause {model}")
    else:
        ask("POST", f"{_PATH}/{quote(model, safe='')}/pause")
        click.echo(f"Paused. Go on where it stopped with: larouter models download {model}")
    click.get_current_context().exit(_INTERRUPTED)


COMMANDS = (download, list_downloads, remove)
