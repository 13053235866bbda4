"""The file that grows: a `.part` and its SHA-256, from first byte to its place (TRUST A10, S9).

Its bytes are hashed in a thread beside the writing; hashlib lets go of Python's lock meanwhile.
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from larouter.config import write_private_file
from larouter.downloads.failed import Failed, too_little_room
from larouter.downloads.order import Piece

_PIECE = 1024 * 1024
_LOOK = 64 * 1024 * 1024
"""After so many bytes the free space is looked at again: others write, too."""
_AHEAD = 16
"""Pieces that may wait to be hashed."""
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})

Free = Callable[[Path], int]
"""How many bytes are free where a file lies."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What a part is a part of: bytes of anything else are never added to it."""

    repo: str
    path: str
    revision: str
    bytes: int
    sha256: str
    etag: str | None = None
    """Of the server that sends the bytes."""


class Part:
    """One open `.part`. Only one process has it open: the one that runs its order."""

    def __init__(self, path: Path, state: Path, piece: Piece, *, free: Free, reserve: int) -> None:
        """`reserve` bytes of the disk are left to everybody else."""
        assert piece.bytes is not None
        assert piece.sha256 is not None
        self._path, self._state = path, state
        self._free, self._reserve = free, reserve
        self.total, self._sha256 = piece.bytes, piece.sha256
        self.origin = Origin(
            repo=piece.repo,
            path=piece.path or piece.name,
            revision=piece.revision,
            bytes=piece.bytes,
            sha256=piece.sha256,
        )
        self.size = 0
        self.was_resumed = False
        """Did an earlier process write some of it?"""
        self._look_at = 0
        self._fd = _open(path)
        self._digest = _Digest()

    def resume(self, on_bytes: Callable[[int], None]) -> None:
        """Take up what is there and hash it, or begin anew where it is of something else."""
        before = self._known()
        size = os.fstat(self._fd).st_size
        if before is None or size > self.total:
            self.restart()
            return
        self.origin = before
        self.was_resumed = size > 0
        os.lseek(self._fd, 0, os.SEEK_SET)
        while self.size < size:
            data = os.read(self._fd, min(_PIECE, size - self.size))
            if not data:
                break
            self._digest.add(data)
            self.size += len(data)
            on_bytes(self.size)

    def restart(self) -> None:
        """From the first byte."""
        self._digest.end()
        self._digest = _Digest()
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        self.size, self._look_at = 0, 0
        self.was_resumed = False
        self.know_as(None)

    def know_as(self, etag: str | None) -> None:
        """Remember what the bytes to come are of."""
        self.origin = msgspec.structs.replace(self.origin, etag=etag)
        write_private_file(self._state, msgspec.json.encode(self.origin))

    def check_room(self) -> None:
        """Raises `Failed` where what is still to come does not fit."""
        needed = self.total - self.size + self._reserve
        free = self._free(self._path.parent)
        if needed > free:
            raise too_little_room(needed, free)
        self._look_at = self.size + _LOOK

    def write(self, data: bytes) -> None:
        if self.size + len(data) > self.total:
            raise wrong_file("is longer than it should be")
        if self.size >= self._look_at:
            self.check_room()
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            self._truncate()
            if error.errno in _FULL:
                missing = self.total - self.size + self._reserve
                raise too_little_room(missing, self._free(self._path.parent)) from error
            raise unwritable(error) from error
        self._digest.add(data)
        self.size += len(data)

    def is_right(self) -> bool:
        """Is it whole, and what its publisher states? On the disk, too, once it is."""
        right = self.size == self.total and self._digest.value() == self._sha256
        if right:
            os.fsync(self._fd)
        return right

    def close(self) -> None:
        self._digest.end()
        os.close(self._fd)

    def _truncate(self) -> None:
        """Without the piece of which not everything was written: it is not in the hash."""
        with suppress(OSError):
            os.ftruncate(self._fd, self.size)
            os.lseek(self._fd, self.size, os.SEEK_SET)

    def _known(self) -> Origin | None:
        """What the state file says that the part is of; None: of something else."""
        try:
            before = msgspec.json.decode(self._state.read_bytes(), type=Origin)
        except (OSError, msgspec.MsgspecError):
            return None
        same = msgspec.structs.replace(before, etag=None)
        return before if same == msgspec.structs.replace(self.origin, etag=None) else None


def put_in_place(path: Path, final: Path) -> None:
    """The part becomes the model's file, in one step; never over another one."""
    try:
        os.link(path, final, follow_symlinks=False)
        path.unlink()
    except FileExistsError as error:
        raise _taken(final) from error
    except (OSError, NotImplementedError):
        # A file system without hard links. Nobody else writes there, so the look is enough.
        if os.path.lexists(final):
            raise _taken(final) from None
        path.rename(final)
    _sync_folder(final.parent)


def wrong_file(how: str) -> Failed:
    return Failed(
        f"What the hub sent {how}, so it was not kept. Its owner may have replaced the file: "
        "look for a newer catalogue, or try again later.",
        code="wrong_file",
    )


def unwritable(error: OSError) -> Failed:
    """What a file system says that takes nothing more."""
    if error.errno in _FULL:
        return Failed(
            "The disk of the models is full. Make room, then resume: what has arrived is kept.",
            code="disk_full",
        )
    return Failed(
        f"The folder of the models cannot be written ({error.strerror}). Make it writable, then "
        "resume.",
        code="disk_unwritable",
    )


def _taken(final: Path) -> Failed:
    return Failed(
        f"There is a file {final.name} already among the models; remove it first.",
        code="file_exists",
    )


def _open(path: Path) -> int:
    """A plain file of our own: no link, soft or hard, leads out of the folder."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    except FileExistsError:
        try:
            fd = os.open(path, os.O_RDWR | _NO_FOLLOW)
        except OSError as error:
            raise _strange(path) from error
    except OSError as error:
        raise unwritable(error) from error
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
        os.close(fd)
        raise _strange(path)
    return fd


def _strange(path: Path) -> Failed:
    return Failed(
        f"{path.name} in the folder of the downloads is no plain file; remove it.",
        code="disk_unwritable",
    )


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # Windows has no such thing
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class _Digest:
    """SHA-256 in a thread of its own."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, data: bytes) -> None:
        self._pieces.put(data)

    def value(self) -> str:
        self.end()
        return self._sum.hexdigest()

    def end(self) -> None:
        if self._thread.is_alive():
            self._pieces.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (data := self._pieces.get()) is not None:
            self._sum.update(data)
