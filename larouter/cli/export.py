"""`larouter projects export`: everything that is kept of a project, in one file."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import click

from larouter.cli.calls import download
from larouter.core.errors import Unavailable

FILE = click.Path(dir_okay=False, path_type=Path)
_TAIL = 200
"""Bytes that hold the last line, which counts all others."""


@click.command()
@click.argument("name")
@click.option("--output", "file", type=FILE, metavar="FILE", help="Where to; default: here.")
def export(name: str, file: Path | None) -> None:
    """Print everything that is kept of project NAME, one JSON object a line."""
    if file is None:
        _read(name, sys.stdout.buffer.write)
    else:
        click.echo(f"Wrote {file}, {write_export(name, file):,} rows.")


def write_export(name: str, file: Path) -> int:
    """Write the export into a new file that only we can read; return how many rows it has.

    Raises `click.UsageError` for a file that is there, `LARouterError`."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.UsageError(
            f"{file} cannot be written ({error.strerror}); name another file."
        ) from error
    try:
        with os.fdopen(handle, "wb") as out:
            return _read(name, out.write)
    except BaseException:
        # Half an export must not look like one.
        file.unlink(missing_ok=True)
        raise


def file_name(project: str) -> Path:
    """What an export is called that nobody has named."""
    word = re.sub(r"[^\w.-]+", "-", project).strip("-.") or "project"
    return Path(f"{word}-{datetime.now().astimezone():%Y-%m-%d}.jsonl")


def _read(name: str, write: Callable[[bytes], object]) -> int:
    tail = b""

    def note(piece: bytes) -> None:
        nonlocal tail
        tail = (tail + piece)[-_TAIL:]
        write(piece)

    download(f"/api/projects/{quote(name, safe='')}/export", note)
    last = tail.rstrip().rpartition(b"\n")[2]
    if not last.startswith(b'{"row":"end"'):
        raise Unavailable(f"The export of {name!r} is not whole. Please try again.")
    return int(json.loads(last)["rows"])
