"""A bearer's row: what is written of a new one, and what may be said of it (TRUST S4)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from larouter.core.duration import DAY_MS, duration_ms
from larouter.core.errors import BadRequest
from larouter.store.sql import Connection
from larouter.store.writer import now_ms

FIRST = "main"
"""What a project's first bearer is called."""
NEVER = "never"

_BYTES = 32
_SHOWN = 4
"""Characters after `lr_` that are kept as they are: 24 of 256 random bits."""
_MAX_NAME = 100
_MOST_MS = 3_660 * DAY_MS

COLUMNS = "id, project_id, name, begins, created_ms, expires_ms, last_used_ms"


@dataclass(frozen=True, slots=True)
class Bearer:
    """What is known of a bearer, in the order of `COLUMNS`; never the bearer itself."""

    id: str
    project_id: str
    name: str
    begins: str
    created_ms: int
    expires_ms: int | None
    last_used_ms: int | None = None


def new_bearer() -> str:
    return "lr_" + secrets.token_urlsafe(_BYTES)


def digest_of(bearer: str) -> str:
    return hashlib.sha256(bearer.encode()).hexdigest()


def insert_bearer(
    connection: Connection,
    project_id: str,
    bearer: str,
    *,
    name: str = FIRST,
    expires_ms: int | None = None,
    granted: bool = False,
) -> Bearer:
    """Write a new bearer down, without what it is."""
    made = Bearer(
        id=f"brr_{secrets.token_hex(8)}",
        project_id=project_id,
        name=name,
        begins=bearer[: len("lr_") + _SHOWN],
        created_ms=now_ms(),
        expires_ms=expires_ms,
    )
    connection.execute(
        "INSERT INTO bearer "
        "(id, project_id, sha256, name, begins, created_ms, expires_ms, granted) "
        "VALUES (?,?,?,?,?,?,?,?)",
        (
            made.id, project_id, digest_of(bearer), name, made.begins, made.created_ms,
            expires_ms, int(granted),
        ),
    )  # fmt: skip
    return made


def end_bearers(connection: Connection, project_id: str, now: int) -> None:
    """Every bearer of a project stops."""
    connection.execute("DELETE FROM bearer WHERE project_id=? AND granted=1", (project_id,))
    connection.execute(
        "UPDATE bearer SET revoked_ms=? WHERE project_id=? AND revoked_ms IS NULL",
        (now, project_id),
    )


def forget_kept(connection: Connection, project_id: str) -> None:
    """The responses that a project has had kept."""
    for table in ("response_item", "response"):
        connection.execute(f"DELETE FROM {table} WHERE project_id=?", (project_id,))  # noqa: S608 - the names above


def bearer_name(name: str) -> str:
    """Raises `BadRequest`."""
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise BadRequest(
            f"A bearer's name has 1 to {_MAX_NAME} printable characters.", param="name"
        )
    return name


def expiry_ms(text: str, zone: str) -> int | None:
    """When a bearer ends that is to end after `30d` or `12h`, with a date (at the end of that day
    in `zone`), at a moment, or `never`. Raises `BadRequest`."""
    if text == NEVER:
        return None
    now = now_ms()
    after = duration_ms(text)
    ends = _moment_ms(text, zone) if after is None else now + after
    if ends is None:
        raise BadRequest(
            "expires is a number of days such as 30d, a date such as 2027-01-31, or never.",
            param="expires",
        )
    if not now < ends <= now + _MOST_MS:
        raise BadRequest(
            "A bearer expires in the future, and within ten years; or never.", param="expires"
        )
    return ends


def _moment_ms(text: str, zone: str) -> int | None:
    try:
        if len(text) == len("2027-01-31"):
            following = date.fromisoformat(text) + timedelta(days=1)
            moment = datetime(following.year, following.month, following.day)  # noqa: DTZ001
        else:
            moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
