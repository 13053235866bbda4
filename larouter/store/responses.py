"""Answers of `/v1/responses` that clients want kept: 30 days, each project its own (TRUST S11)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

Item = dict[str, Any]

KEPT_MS = 30 * 24 * 3_600_000
_DELETED = "SELECT 1 FROM project WHERE id=? AND deleted_ms IS NOT NULL"

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "function_call_output": "fco",
    "custom_tool_call_output": "ctco",
    "compaction": "cmp",
}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Responses:
    """A conversation is a chain: each response names the one before it."""

    def __init__(self, writer: Writer, *, clock: Callable[[], int] = now_ms) -> None:
        self._writer = writer
        self._clock = clock

    def save(
        self, project: str, response: Mapping[str, Any], said: Iterable[Item], previous: str | None
    ) -> None:
        """Keep a response and the items that were said for it. Raises `StorageDown`."""
        items = [_complete(item) for item in said]
        id, now = response["id"], self._clock()
        row = (project, id, previous, now, _encode(items).decode(), _encode(response).decode())
        names = [
            (project, item["id"], id)
            for item in [*items, *response.get("output", ())]
            if isinstance(item.get("id"), str)
        ]

        def job(connection: Connection) -> None:
            if connection.execute(_DELETED, (project,)).fetchone():
                # Meanwhile, while this answer was under way: nothing of the project is kept.
                return
            connection.execute(
                "INSERT INTO response "
                "(project_id, id, previous_id, created_ms, input, body) VALUES (?,?,?,?,?,?) "
                "ON CONFLICT (project_id, id) DO UPDATE SET previous_id = excluded.previous_id, "
                "created_ms = excluded.created_ms, input = excluded.input, body = excluded.body",
                row,
            )
            connection.executemany(
                "INSERT INTO response_item (project_id, id, response_id) VALUES (?,?,?) "
                "ON CONFLICT (project_id, id) DO UPDATE SET response_id = excluded.response_id",
                names,
            )

        self._writer.run(job)

    def get(self, project: str, id: str) -> dict[str, Any] | None:
        row = self._row(project, id)
        return None if row is None else _decode(row[2])

    def input_items(self, project: str, id: str) -> list[Item] | None:
        """What a response answered: all that was said before it, oldest first."""
        links = self._links(project, id)
        if links is None:
            return None
        *before, (own, _) = links
        return [*_joined(before), *_decode(own)]

    def chain(self, project: str, id: str) -> list[Item] | None:
        """All that was said up to the end of a response; None if a link is not there any more."""
        links = self._links(project, id)
        return None if links is None else _joined(links)

    def items(self, project: str, ids: Iterable[str]) -> dict[str, Item]:
        """Those of these items that are kept."""
        wanted = set(ids)
        found: dict[str, Item] = {}
        for id in sorted(wanted):
            if id not in found:
                found |= {
                    item["id"]: item
                    for item in self._around(project, id)
                    if item.get("id") in wanted
                }
        return found

    def delete(self, project: str, id: str) -> bool:
        """Forget a response; False if there is none."""

        def job(connection: Connection) -> int:
            gone = connection.execute(
                "DELETE FROM response WHERE project_id=? AND id=?", (project, id)
            ).rowcount
            connection.execute(
                "DELETE FROM response_item WHERE project_id=? AND response_id=?", (project, id)
            )
            return gone

        return bool(self._writer.run(job))

    def count(self) -> int:
        """How many are kept, of all projects."""
        statement = "SELECT count(*) FROM response WHERE created_ms > ?"
        oldest = self._oldest()

        def job(connection: Connection) -> int:
            return int(connection.execute(statement, (oldest,)).fetchone()[0])

        return self._writer.run(job)

    def forget_all(self, project: str) -> int:
        """Delete everything that the project has had kept; return how many responses that was."""

        def job(connection: Connection) -> int:
            connection.execute("DELETE FROM response_item WHERE project_id=?", (project,))
            return connection.execute(
                "DELETE FROM response WHERE project_id=?", (project,)
            ).rowcount

        return self._writer.run(job)

    def forget_expired(self) -> int:
        """Delete what is older than 30 days; return how many responses that were."""

        def job(connection: Connection) -> int:
            old = connection.execute(
                "SELECT project_id, id FROM response WHERE created_ms <= ?", (self._oldest(),)
            ).fetchall()
            connection.executemany("DELETE FROM response WHERE project_id=? AND id=?", old)
            connection.executemany(
                "DELETE FROM response_item WHERE project_id=? AND response_id=?", old
            )
            return len(old)

        return self._writer.run(job)

    def _oldest(self) -> int:
        return self._clock() - KEPT_MS

    def _row(self, project: str, id: str) -> tuple[str | None, str, str] | None:
        oldest = self._oldest()
        return self._writer.run(lambda connection: _read(connection, project, id, oldest))

    def _links(self, project: str, id: str) -> list[tuple[str, str]] | None:
        """Input and answer of each response of a conversation, as JSON, oldest first."""
        oldest = self._oldest()

        def job(connection: Connection) -> list[tuple[str, str]] | None:
            links: list[tuple[str, str]] = []
            seen: set[str] = set()
            next_id: str | None = id
            while next_id is not None and next_id not in seen:
                seen.add(next_id)
                row = _read(connection, project, next_id, oldest)
                if row is None:
                    return None
                next_id, given, body = row
                links.append((given, body))
            return links[::-1]

        return self._writer.run(job)

    def _around(self, project: str, item_id: str) -> list[Item]:
        """All items of the response in which an item is."""

        def job(connection: Connection) -> str | None:
            row = connection.execute(
                "SELECT response_id FROM response_item WHERE project_id=? AND id=?",
                (project, item_id),
            ).fetchone()
            return str(row[0]) if row else None

        id = self._writer.run(job)
        row = None if id is None else self._row(project, id)
        return [] if row is None else _joined([(row[1], row[2])])


def _read(
    connection: Connection, project: str, id: str, oldest: int
) -> tuple[str | None, str, str] | None:
    row: tuple[str | None, str, str] | None = connection.execute(
        "SELECT previous_id, input, body FROM response "
        "WHERE project_id=? AND id=? AND created_ms > ?",
        (project, id, oldest),
    ).fetchone()
    return row


def _joined(links: Iterable[tuple[str, str]]) -> list[Item]:
    items: list[Item] = []
    for given, body in links:
        items += _decode(given)
        items += _decode(body).get("output") or []
    return items


def _complete(item: Item) -> Item:
    """An item as OpenAI tells it: with its type and id, and a message's words as a part."""
    kind = item.get("type") or "message"
    id = item.get("id") or f"{_PREFIXES.get(kind, 'item')}_{secrets.token_hex(24)}"
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        part = "output_text" if item.get("role") == "assistant" else "input_text"
        item = {**item, "content": [{"type": part, "text": content}]}
    return {**item, "id": id, "type": kind}
