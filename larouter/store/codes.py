"""Sign-in codes that any of several processes may be asked for (TRUST S5)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

LIFE_MS = 600_000
_PREFIX = "sign-in:"

_ISSUE = "INSERT INTO setting (name, value) VALUES (?,?)"
_FORGET = "DELETE FROM setting WHERE name LIKE 'sign-in:%' AND CAST(value AS BIGINT) <= ?"
_REDEEM = "DELETE FROM setting WHERE name = ? AND CAST(value AS BIGINT) > ?"


class SharedCodes:
    """256 random bits, ten minutes, one use. Only hashes are kept: looked up by hash, there is
    nothing to time."""

    def __init__(self, writer: Writer, *, clock: Callable[[], int] = now_ms) -> None:
        self._writer = writer
        self._clock = clock

    def issue(self) -> str:
        code = secrets.token_urlsafe(32)
        now = self._clock()

        def job(connection: Connection) -> None:
            connection.execute(_FORGET, (now,))
            connection.execute(_ISSUE, (_name(code), str(now + LIFE_MS)))

        self._writer.run(job)
        return code

    def redeem(self, code: str) -> bool:
        """Use a code up; False if it is unknown, used or too old."""
        asked = (_name(code), self._clock())
        return bool(
            self._writer.run(lambda connection: connection.execute(_REDEEM, asked).rowcount)
        )


def _name(code: str) -> str:
    return _PREFIX + hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
