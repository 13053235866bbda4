"""`larouter doctor`: is everything there that LARouter needs, what is slow, and what to do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import click

from larouter.cli import checks, checks_network
from larouter.cli.checks import Check
from larouter.config import Settings, read_settings

Look = tuple[str, Callable[[], Iterable[Check]]]

_WITHIN_S = 3.5
"""The rest of five seconds is for the command to start."""
_SIGNS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
_NAME = 16


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Look over this installation, within five seconds; a server need not run.

    Nothing is changed and nothing on the internet is called. Ends with 1 where something fails.
    """
    found = look(_looks(read_settings()), _WITHIN_S)
    failed = sum(check.status == "fail" for check in found)
    warned = sum(check.status == "warn" for check in found)
    if as_json:
        rows = [{"name": row.name, "status": row.status, "words": row.words} for row in found]
        click.echo(json.dumps({"ok": not failed, "checks": rows}))
    else:
        for row in found:
            click.echo(f"{_SIGNS[row.status]}  {row.name:<{_NAME}} {row.words}")
        click.echo(_verdict(failed, warned))
    if failed:
        context.exit(1)


def _looks(settings: Settings) -> Sequence[Look]:
    """In the order in which they are shown."""
    return (
        ("Python", checks.programs),
        ("processor", lambda: checks.hardware(settings)),
        ("speed", lambda: checks.memory_speed(settings)),
        ("models", lambda: checks.models(settings)),
        ("server", lambda: checks_network.server(settings)),
        ("keys", lambda: checks_network.keys(settings)),
        ("own servers", lambda: checks_network.own_servers(settings)),
        ("data folder", lambda: checks.data_folder(settings)),
        ("database", lambda: checks.database(settings)),
        ("clock", checks.clock),
        ("way out", lambda: checks_network.way_out(settings)),
    )


def look(looks: Sequence[Look], within_s: float) -> list[Check]:
    """All at once, none longer than that: one that hangs is named and left behind."""
    found: dict[str, list[Check]] = {}

    def run(name: str, question: Callable[[], Iterable[Check]]) -> None:
        try:
            found[name] = list(question())
        except Exception as error:  # noqa: BLE001 - one that fails must not hide the others
            words = f"could not be looked at: {type(error).__name__}"
            found[name] = [Check(name=name, status="warn", words=words)]

    threads = [threading.Thread(target=run, args=row, daemon=True) for row in looks]
    deadline = time.monotonic() + within_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))
    late = f"no answer within {within_s:g} s: the machine is very busy, or a disk or network hangs"
    return [check for name, _ in looks for check in found.get(name) or _nothing(name, found, late)]


def _nothing(name: str, found: dict[str, list[Check]], late: str) -> list[Check]:
    return [] if name in found else [Check(name=name, status="warn", words=late)]


def _verdict(failed: int, warned: int) -> str:
    if failed:
        return f"\n{failed} of these must be put right before LARouter works as meant."
    if warned:
        return f"\nLARouter works; {warned} of these would make it better."
    return "\nAll is well."
