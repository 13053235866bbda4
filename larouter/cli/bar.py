"""How far a download is: a line that renews itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import click

from larouter.downloads.words import percent, words

_WIDTH = 24
_STEP = 10
"""Percent between two plain lines."""


class Bar:
    """Shows rows of one download, as the API gives them."""

    def __init__(self, *, is_terminal: bool | None = None) -> None:
        self._is_terminal = sys.stdout.isatty() if is_terminal is None else is_terminal
        self._said = ""
        self._is_open = False

    def show(self, row: dict[str, Any]) -> None:
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r\033[K{_line(row, _drawn(row))[:width]}", nl=False)
            self._is_open = True
            return
        step = f"{row['state']} {row['phase']} {(percent(row) or 0) // _STEP}"
        if step != self._said:
            self._said = step
            click.echo(_line(row, ""))

    def end(self) -> None:
        """What follows begins on a line of its own."""
        if self._is_open:
            click.echo()
            self._is_open = False


def _line(row: dict[str, Any], drawn: str) -> str:
    state = "" if row["state"] == "running" else row["state"]
    return "  ".join(part for part in (row["id"], drawn, state, words(row)) if part)


def _drawn(row: dict[str, Any]) -> str:
    full = _WIDTH * (percent(row) or 0) // 100
    return f"[{'#' * full}{'.' * (_WIDTH - full)}]"
