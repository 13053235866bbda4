"""Settlements that the database could not take (TRUST B14).

A file beside the database, as large from the beginning as it may get: a disk that is full has room
for it. A line a settlement, each on the disk before it counts; what is in it is written into the
database when that is possible again, and at the next start.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gevent
import msgspec

from larouter.core.errors import StorageDown
from larouter.store.settlement import Settlement

SIZE = 1 << 20
"""Bytes: some 1,500 settlements."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Settlement).decode

logger = logging.getLogger(__name__)


class Spill:
    """Keeps what could not be written."""

    def __init__(self, path: Path) -> None:
        """Raises `StorageDown` when there is no room for it."""
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if os.fstat(self._file).st_size < SIZE:
                _reserve(self._file)
        except OSError as error:
            raise StorageDown(
                f"LARouter cannot keep {path.name} in its data folder ({error.strerror}). Check "
                "free disk space and the folder."
            ) from error
        self._waiting = _read(self._file)
        self._end = len(os.pread(self._file, SIZE, 0).rstrip(b"\0"))
        self._writing = 0

    def __len__(self) -> int:
        """How many settlements wait."""
        return len(self._waiting)

    def keep(self, settled: Settlement) -> None:
        """Return when it is on the disk. Raises `StorageDown` when there is no room left."""
        line = _line(settled)
        at = self._end
        if at + len(line) > SIZE:
            raise StorageDown("LARouter can write neither to its database nor beside it.")
        self._end += len(line)
        self._writing += 1
        try:
            # Off the hub, which never waits for a disk (TRUST B16).
            gevent.get_hub().threadpool.apply(_write, (self._file, line, at))
        except OSError as error:
            raise StorageDown(
                "LARouter can write neither to its database nor beside it."
            ) from error
        finally:
            self._writing -= 1
        self._waiting.append(settled)
        logger.error("the database refused the end of attempt %d: kept aside", settled.attempt_id)

    def replay(self, apply: Callable[[Settlement], object]) -> int:
        """Hand each to `apply`, which writes it into the database; return how many there were.

        Raises what `apply` raises: then all of them stay.
        """
        waiting = list(self._waiting)
        for settled in waiting:
            apply(settled)
        if waiting and len(self._waiting) == len(waiting) and not self._writing:
            # At once: nothing may be kept in between.
            _write(self._file, b"\0" * self._end, 0)
            self._waiting, self._end = [], 0
            logger.warning("wrote %d ends of attempts that had been kept aside", len(waiting))
        return len(waiting)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._file)


def _reserve(file: int) -> None:
    """Blocks on the disk, not just a length; and no byte of an older file is lost."""
    begin = os.fstat(file).st_size
    os.pwrite(file, b"\0" * (SIZE - begin), begin)
    os.fsync(file)


def _read(file: int) -> list[Settlement]:
    found = []
    for line in os.pread(file, SIZE, 0).split(b"\n"):
        # A line that could not be written left its place empty.
        line = line.strip(b"\0")
        try:
            found += [_decode(line)] if line else []
        except msgspec.MsgspecError:
            # Half a line: the process died while it wrote it, and nobody was told of it.
            logger.error("a line of the settlements that were kept aside cannot be read")
    return found


def _line(settled: Settlement) -> bytes:
    return _encode(settled) + b"\n"


def _write(file: int, data: bytes, at: int) -> None:
    os.pwrite(file, data, at)
    os.fsync(file)
