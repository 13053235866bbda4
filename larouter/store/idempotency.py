"""Which request an `Idempotency-Key` belongs to, for a day (TRUST B11).

A key is claimed in a transaction of its own, before anything else of the request is written. What
became of the request is read from its own rows, so nothing is added to its end: after kill -9 they
say as much as they do after an orderly stop.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

from larouter.store.runs import LEASE_MS
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

KEPT_MS = 24 * 3_600_000

_CLAIM = """INSERT INTO idempotency_key
 (project_id, key_hash, body_hash, request_id, run_id, created_ms) VALUES (?,?,?,?,?,?)
 ON CONFLICT (project_id, key_hash) DO NOTHING"""
_TAKE_OVER = """UPDATE idempotency_key SET body_hash=?, request_id=?, run_id=?, created_ms=?
 WHERE project_id=? AND key_hash=? AND request_id=?"""
# `released` and `failed`: the provider has done nothing, and it is known (TRUST B9).
_FIND = """SELECT k.body_hash, k.request_id, k.run_id, k.created_ms, r.id, r.status, r.error,
 (SELECT count(*) FROM attempt a WHERE a.request_id = k.request_id
  AND a.state NOT IN ('released', 'failed')),
 CASE WHEN run.ended_ms IS NULL THEN run.heartbeat_ms END
 FROM idempotency_key k LEFT JOIN request r ON r.id = k.request_id
 LEFT JOIN run ON run.id = k.run_id WHERE k.project_id=? AND k.key_hash=?"""
_RELEASE = """DELETE FROM idempotency_key WHERE project_id=? AND key_hash=? AND request_id=?
 AND NOT EXISTS (SELECT 1 FROM request WHERE id=?)"""
_FORGET = "DELETE FROM idempotency_key WHERE created_ms <= ?"


class Original(NamedTuple):
    """The request that has the key."""

    request_id: str
    is_same: bool
    """Does it have the same body?"""
    is_open: bool
    """Is it still being answered?"""
    status: int | None
    """What its client was told; None while it is open."""
    error: str | None


class IdempotencyKeys:
    """Each project's keys are its own. Neither a key nor a body is kept, only a hash of each."""

    def __init__(self, writer: Writer, *, run_id: str, clock: Callable[[], int] = now_ms) -> None:
        self._writer = writer
        self._run_id = run_id
        self._clock = clock
        self._under_way: set[str] = set()
        """Requests of this process that have a key and no row yet."""

    def claim(self, project: str, key: str, body_hash: str, request_id: str) -> Original | None:
        """None: the key is this request's now, until `written` or `release`. Else it belongs to
        another, and no provider may be called. Raises `StorageDown`.

        A request for which no provider has done anything has no need of its key any more.
        """
        now, hashed = self._clock(), _hash(key)
        mine = (body_hash, request_id, self._run_id, now)

        def job(connection: Connection) -> Original | None:
            place = (project, hashed)
            # Again where another process was quicker, which only PostgreSQL can have.
            while not connection.execute(_CLAIM, (*place, *mine)).rowcount:
                row = connection.execute(_FIND, place).fetchone()
                original = None if row is None else self._read(row, body_hash, now)
                if original is not None:
                    return original
                if row and connection.execute(_TAKE_OVER, (*mine, *place, row[1])).rowcount:
                    break
            return None

        self._under_way.add(request_id)
        try:
            original = self._writer.run(job)
        except BaseException:
            self._under_way.discard(request_id)
            raise
        if original is not None:
            self._under_way.discard(request_id)
        return original

    def written(self, request_id: str) -> None:
        """The request has a row now, and that says what became of it."""
        self._under_way.discard(request_id)

    def release(self, project: str, key: str, request_id: str) -> None:
        """The request has failed: if it left no row, its key is free. Raises `StorageDown`."""
        self._under_way.discard(request_id)
        row = (project, _hash(key), request_id, request_id)
        self._writer.run(lambda connection: connection.execute(_RELEASE, row))

    def forget_expired(self) -> int:
        """Delete what is older than a day; return how many keys that were."""
        oldest = self._clock() - KEPT_MS
        return self._writer.run(lambda connection: connection.execute(_FORGET, (oldest,)).rowcount)

    def _read(self, row: tuple[Any, ...], body_hash: str, now: int) -> Original | None:
        """What a row says; None: nobody needs it any more."""
        kept, request_id, run_id, created_ms, found, status, error, calls, heartbeat_ms = row
        if found is not None:
            is_open = status is None
        elif run_id == self._run_id:
            is_open = request_id in self._under_way
        else:
            # Another process is about to write its row, or has ended before it could.
            is_open = heartbeat_ms is not None and now - heartbeat_ms < LEASE_MS
        if created_ms <= now - KEPT_MS or not (is_open or calls):
            return None
        return Original(request_id, kept == body_hash, is_open, status, error)


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
