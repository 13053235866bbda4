"""Webhooks as rows: where alerts are sent, and the outbox of what is to be sent there.

A letter waits until the receiver has taken it. At most one process at a time sends to a webhook,
the oldest letter first: it holds a lease, by a conditional UPDATE, that ends with its time or with
the process. Whoever dies between sending and writing that down sends again, under the same id.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import NamedTuple

from larouter.core.errors import BadRequest, NotFound
from larouter.outbound import check_address
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

MOST_WEBHOOKS = 20
"""Of one project, or of the machine."""
LEASE_MS = 30_000
"""Longer than a letter may take (`store.sender`)."""
FIRST_MS, LONGEST_MS = 5_000, 3_600_000
"""How long is waited after a first failure; each time twice as long, up to the second."""
GIVEN_UP_MS = 3 * 24 * 3_600_000
GIVEN_UP_TRIES = 10
"""Both have to be over: a machine that slept for three days has not tried."""
_KEPT_MS = 30 * 24 * 3_600_000
"""For so long it can be seen what became of a letter."""
_MAX_URL = 2_000
_GONE = 410

_INSERT = """INSERT INTO webhook (project_id, url, secret, created_ms, next_ms, lease_ms)
 VALUES (?,?,?,?,0,0) RETURNING id"""
_COUNT = "SELECT count(*) FROM webhook WHERE removed_ms IS NULL AND coalesce(project_id, '') = ?"
_LIST = """SELECT w.id, p.name, w.url, w.created_ms, w.stopped_ms, w.next_ms,
 sum(CASE WHEN d.state = 'waiting' THEN 1 ELSE 0 END),
 sum(CASE WHEN d.state = 'sent' THEN 1 ELSE 0 END),
 sum(CASE WHEN d.state = 'failed' THEN 1 ELSE 0 END),
 (SELECT e.error FROM webhook_delivery e WHERE e.webhook_id = w.id AND e.tried_ms IS NOT NULL
  ORDER BY e.tried_ms DESC, e.id DESC LIMIT 1),
 max(d.tried_ms)
 FROM webhook w LEFT JOIN project p ON p.id = w.project_id
 LEFT JOIN webhook_delivery d ON d.webhook_id = w.id
 WHERE w.removed_ms IS NULL AND (CAST(? AS TEXT) IS NULL OR w.project_id = ?)
 GROUP BY w.id, p.name ORDER BY w.id"""
_GET = "SELECT id, url, secret FROM webhook WHERE id = ? AND removed_ms IS NULL"
_REMOVE = "UPDATE webhook SET removed_ms = ? WHERE id = ? AND removed_ms IS NULL RETURNING url"
_DROP = """UPDATE webhook_delivery SET state = 'failed', error = 'the webhook was removed'
 WHERE webhook_id = ? AND state = 'waiting'"""
# A moment further away than anybody ever waits was written before the clock was set back.
_FREE = """removed_ms IS NULL AND stopped_ms IS NULL
 AND (next_ms <= :now OR next_ms > :now + :longest)
 AND (lease_ms <= :now OR lease_ms > :now + :lease OR EXISTS (SELECT 1 FROM run
  WHERE run.id = webhook.lease_by AND run.ended_ms IS NOT NULL))
 AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = webhook.id
  AND d.state = 'waiting')"""
_DUE = f"SELECT id FROM webhook WHERE {_FREE} ORDER BY id"  # noqa: S608 - the words above
_CLAIM = f"""UPDATE webhook SET lease_ms = :now + :lease, lease_by = :run
 WHERE id = :id AND {_FREE} RETURNING url, secret"""  # noqa: S608 - the words above
_OLDEST = """SELECT id, event, body, created_ms, tries FROM webhook_delivery
 WHERE webhook_id = ? AND state = 'waiting' ORDER BY id LIMIT 1"""
_TRIED = """UPDATE webhook_delivery SET state = ?, tries = tries + 1, tried_ms = ?, error = ?
 WHERE id = ? AND state = 'waiting'"""
_LET_GO = """UPDATE webhook SET lease_ms = 0, lease_by = NULL, next_ms = ?, stopped_ms = ?
 WHERE id = ? AND lease_by = ?"""
_RESUME = "UPDATE webhook SET stopped_ms = NULL, next_ms = 0 WHERE id = ?"
_FORGET = """DELETE FROM webhook_delivery WHERE state <> 'waiting' AND created_ms < ?"""


class Webhook(NamedTuple):
    """How one stands. Its secret is shown once, and never here."""

    id: int
    project: str | None
    """None: the whole machine."""
    url: str
    created_ms: int
    stopped_ms: int | None
    next_ms: int
    waiting: int
    sent: int
    """Of the last 30 days; so with `failed`."""
    failed: int
    error: str | None
    """Why the last try failed; None: it did not."""
    tried_ms: int | None


class Letter(NamedTuple):
    """What is to be sent now, and to whom."""

    webhook_id: int
    url: str
    secret: str
    id: int
    event: str
    body: str
    created_ms: int
    tries: int


class Answer(NamedTuple):
    """What became of one try. `error` None: the receiver has taken the letter."""

    status: int | None
    error: str | None
    retry_after_s: int = 0


class Webhooks:
    """Every statement about them. Times are Unix milliseconds."""

    def __init__(
        self,
        writer: Writer,
        *,
        clock: Callable[[Connection], int] = lambda connection: now_ms(),
    ) -> None:
        """`clock` gives the time that all processes on this database go by."""
        self._writer = writer
        self._clock = clock

    def add(self, project_id: str | None, url: str) -> tuple[int, str]:
        """Return its id and its secret, which is shown this once. Raises `BadRequest`."""
        url = checked_url(url)
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"

        def job(connection: Connection) -> int:
            (count,) = connection.execute(_COUNT, (project_id or "",)).fetchone()
            if count >= MOST_WEBHOOKS:
                raise BadRequest(f"There are at most {MOST_WEBHOOKS} webhooks; remove one first.")
            id: int = connection.execute(
                _INSERT, (project_id, url, secret, self._clock(connection))
            ).fetchone()[0]
            return id

        return self._writer.run(job), secret

    def every(self, project_id: str | None = None) -> list[Webhook]:
        """All of them; or those of one project alone."""
        rows = self._writer.run(
            lambda connection: connection.execute(_LIST, (project_id, project_id)).fetchall()
        )
        return [Webhook(*row) for row in rows]

    def get(self, id: int) -> Webhook:
        """Raises `NotFound`."""
        found = [row for row in self.every() if row.id == id]
        if not found:
            raise _missing(id)
        return found[0]

    def target(self, id: int) -> tuple[str, str]:
        """Its address and its secret. Raises `NotFound`."""
        row = self._writer.run(lambda connection: connection.execute(_GET, (id,)).fetchone())
        if row is None:
            raise _missing(id)
        return row[1], row[2]

    def remove(self, id: int) -> str:
        """Nothing is sent there any more; return its address. Raises `NotFound`."""

        def job(connection: Connection) -> str:
            row = connection.execute(_REMOVE, (self._clock(connection), id)).fetchone()
            if row is None:
                raise _missing(id)
            connection.execute(_DROP, (id,))
            return str(row[0])

        return self._writer.run(job)

    def resume(self, id: int) -> None:
        """The receiver is there: go on with what waits, at once."""
        self._writer.run(lambda connection: connection.execute(_RESUME, (id,)))

    # The outbox.

    def due(self) -> list[int]:
        """The webhooks that have a letter to be sent now and are in nobody's hands."""
        rows = self._writer.run(
            lambda connection: connection.execute(_DUE, self._moment(connection)).fetchall()
        )
        return [row[0] for row in rows]

    def claim(self, id: int, run_id: str) -> Letter | None:
        """The oldest letter of this webhook, ours alone for a while; None: there is nothing to
        do, or another process does it."""

        def job(connection: Connection) -> Letter | None:
            values = {**self._moment(connection), "id": id, "run": run_id}
            row = connection.execute(_CLAIM, values).fetchone()
            if row is None:
                return None
            return Letter(id, *row, *connection.execute(_OLDEST, (id,)).fetchone())

        return self._writer.run(job)

    def tried(self, letter: Letter, run_id: str, answer: Answer) -> str:
        """Write down what became of it, and let go of the webhook; return the letter's state."""

        def job(connection: Connection) -> str:
            now = self._clock(connection)
            state, next_ms, stopped = _outcome(letter, answer, now)
            connection.execute(_TRIED, (state, now, answer.error, letter.id))
            connection.execute(_LET_GO, (next_ms, stopped, letter.webhook_id, run_id))
            return state

        return self._writer.run(job)

    def forget_old(self) -> None:
        """What was sent or given up long ago."""
        self._writer.run(
            lambda connection: connection.execute(_FORGET, (self._clock(connection) - _KEPT_MS,))
        )

    def _moment(self, connection: Connection) -> dict[str, int | str]:
        return {"now": self._clock(connection), "longest": LONGEST_MS, "lease": LEASE_MS}


def checked_url(url: str) -> str:
    """Raises `BadRequest`."""
    url = url.strip()
    example = "https://example.com/hooks/larouter"
    fits = url.isascii() and url.isprintable() and " " not in url and len(url) <= _MAX_URL
    check_address(url if fits else "", what="a webhook", example=example)
    return url


def wait_ms(tries: int, retry_after_s: int = 0) -> int:
    """How long until a letter that failed, after so many failures before, is tried again."""
    doubled = FIRST_MS << min(tries, 20)
    return min(LONGEST_MS, max(doubled, retry_after_s * 1_000))


def _outcome(letter: Letter, answer: Answer, now: int) -> tuple[str, int, int | None]:
    """The letter's state, when its webhook is tried next, and when it was stopped."""
    if answer.error is None:
        return "sent", 0, None
    if answer.status == _GONE:
        return "failed", 0, now
    tries = letter.tries + 1
    if now - letter.created_ms >= GIVEN_UP_MS and tries >= GIVEN_UP_TRIES:
        return "failed", 0, None
    return "waiting", now + wait_ms(letter.tries, answer.retry_after_s), None


def _missing(id: int) -> NotFound:
    return NotFound(f"There is no webhook {id}. See: larouter alerts webhook list",
                    code="webhook_not_found")  # fmt: skip
