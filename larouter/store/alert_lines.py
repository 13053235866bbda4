"""Reads alerts, each with how its budget stands now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from larouter.budget import NEVER_MS
from larouter.core.report import AlertLine
from larouter.store.tables import AlertRow, BudgetRow, BudgetWindowRow, ProjectRow


def alert_lines(
    session: Session, project_id: str | None, unseen: bool, limit: int
) -> list[AlertLine]:
    """The newest first; `project_id` None: of everybody."""
    # A project's id; `""`: the machine as a whole.
    owner = func.coalesce(BudgetRow.project_id, AlertRow.of_project)
    query = (
        select(AlertRow, BudgetRow, BudgetWindowRow, ProjectRow.name)
        .outerjoin(BudgetRow, BudgetRow.id == AlertRow.budget_id)
        .outerjoin(
            BudgetWindowRow,
            and_(
                BudgetWindowRow.budget_id == AlertRow.budget_id,
                BudgetWindowRow.start_ms == AlertRow.start_ms,
            ),
        )
        .outerjoin(ProjectRow, ProjectRow.id == owner)
        .order_by(AlertRow.id.desc())
        .limit(limit)
    )
    if project_id is not None:
        query = query.where(owner == project_id)
    if unseen:
        query = query.where(AlertRow.seen_ms.is_(None))
    return [_line(*row) for row in session.execute(query)]


def _line(
    alert: AlertRow, budget: BudgetRow | None, window: BudgetWindowRow | None, project: str | None
) -> AlertLine:
    known: dict[str, Any] = {
        "id": alert.id, "project": project, "budget_id": alert.budget_id, "mark": alert.mark,
        "spent": alert.spent, "cap": alert.cap, "start_ms": alert.start_ms,
        "created_ms": alert.created_ms, "seen_ms": alert.seen_ms,
    }  # fmt: skip
    if budget is not None:
        known |= {"budget": budget.name, "metric": budget.metric, "period": budget.period,
                  "cap_now": budget.cap}  # fmt: skip
    if window is not None:
        known |= {"spent_now": window.spent, "is_blocked": bool(window.blocked),
                  "renews_ms": None if window.end_ms >= NEVER_MS else window.end_ms}  # fmt: skip
    return AlertLine(**known)
