"""What was thought of answers, and what each project's bias is for it (`core.learning`).

A piece of feedback, what it teaches and the project's new bias are one transaction: nobody sees
the one without the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from larouter.core.errors import BadRequest, NotFound
from larouter.core.learning import WEIGHTS, GuardRow, Lesson, learn, read_guard
from larouter.core.route import Numbers
from larouter.store.projects import Projects
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

MOST_LESSONS = 500
"""The newest pieces of feedback that count: a project changes, and so does who uses it."""

_OWN = """SELECT r.status, r.ended_ms FROM request r JOIN project p ON p.id = r.project_id
 WHERE r.id=? AND r.project_id=? AND p.deleted_ms IS NULL"""
_INSERT = """INSERT INTO feedback (request_id, kind, project_id, score, created_ms)
 VALUES (?,?,?,?,?)
 ON CONFLICT (request_id, kind) DO UPDATE SET score = excluded.score,
 created_ms = excluded.created_ms"""
_LESSONS = """SELECT feedback.kind, feedback.score, request.model, request.numbers
 FROM feedback JOIN request ON request.id = feedback.request_id
 WHERE feedback.project_id=? AND feedback.score != 0
 ORDER BY feedback.created_ms DESC LIMIT ?"""

_decode = msgspec.json.Decoder(Numbers).decode


def guard_rows(path: Path) -> tuple[GuardRow, ...]:
    """The shipped prompts that learning at home must not spoil: numbers only. A build without the
    file has none."""
    return read_guard(path.read_bytes()) if path.exists() else ()


class Learnt(Struct, frozen=True, kw_only=True):
    """What a project's feedback came to."""

    bias: float
    """Log-odds; above 0, strong models are asked sooner."""
    feedback: dict[str, int]
    """How many pieces there are of each kind."""
    counted: int
    """Those that the classifier had a say in: a model that was named teaches nothing."""


class Feedback:
    """`guard` lets through as much of a bias as does no harm."""

    def __init__(self, writer: Writer, projects: Projects, guard: Callable[[float], float]) -> None:
        self._writer = writer
        self._projects = projects
        self._guard = guard

    def note(self, project_id: str, request_id: str, score: float, kind: str = "thumb") -> float:
        """Write down what `kind` thought of an answer, -1 (bad) to 1 (good) and 0 to take it back;
        said again, it changes. Return the project's bias.

        Raises `NotFound` for a request that is not the project's, `BadRequest` for a score or a
        kind that there is not. That a request is repeated says nothing while it has no answer.
        """
        if kind not in WEIGHTS or not -1 <= score <= 1:
            raise BadRequest(
                f"score is from -1 to 1, and kind one of {', '.join(WEIGHTS)}.", param="score"
            )

        def job(connection: Connection) -> float:
            own = connection.execute(_OWN, (request_id, project_id)).fetchone()
            if own is None:
                raise NotFound(
                    "This project has no request of that id. It is the answer's x-request-id.",
                    code="request_not_found",
                    param="request_id",
                )
            status, ended_ms = own
            if kind != "regeneration" or (ended_ms is not None and status < 400):
                row = (request_id, kind, project_id, score, now_ms())
                connection.execute(_INSERT, row)
            return self._relearn(connection, project_id)

        bias = self._writer.run(job)
        self._projects.refresh()
        return bias

    def reset(self, project_id: str) -> int:
        """Back to the shipped model at once; return how many pieces of feedback are forgotten."""

        def job(connection: Connection) -> int:
            gone = connection.execute("DELETE FROM feedback WHERE project_id=?", (project_id,))
            self._relearn(connection, project_id)
            return gone.rowcount

        gone = self._writer.run(job)
        self._projects.refresh()
        return gone

    def learnt(self, project_id: str) -> Learnt:
        """What the project's feedback came to so far."""
        rows = self._writer.run(lambda connection: _rows(connection, project_id))
        return Learnt(
            bias=self._projects.get(project_id).bias,
            feedback=dict(Counter(kind for kind, *_ in rows)),
            counted=len(_lessons(rows)),
        )

    def _relearn(self, connection: Connection, project_id: str) -> float:
        bias = self._guard(learn(_lessons(_rows(connection, project_id))))
        connection.execute("UPDATE project SET bias=? WHERE id=?", (bias, project_id))
        return bias


def _rows(connection: Connection, project_id: str) -> list[tuple[Any, ...]]:
    return connection.execute(_LESSONS, (project_id, MOST_LESSONS)).fetchall()


def _lessons(rows: Iterable[tuple[Any, ...]]) -> list[Lesson]:
    """Feedback on what the classifier has judged. An escalation is about the local answer, though
    another model's came after it."""
    lessons = []
    for kind, score, model, numbers in rows:
        need_strong = _decode(numbers).need_strong if numbers else 0.0
        if need_strong > 0 and model is not None:
            was_local = kind == "escalation" or model.startswith("local/")
            lessons.append(
                Lesson(kind=kind, score=score, need_strong=need_strong, was_local=was_local)
            )
    return lessons
