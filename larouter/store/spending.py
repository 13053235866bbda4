"""What projects spent, by the quarter of an hour: read for `store.unusual`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from larouter.core.money import Nanodollars
from larouter.store.tables import UsageQuarterRow

Spending = dict[str, dict[int, Nanodollars]]
"""By project's id, then by the quarter's begin."""


def spending(session: Session, project_ids: Sequence[str], since_ms: int) -> Spending:
    """Of these projects, from that moment on. One range of the table's key for each."""
    row = UsageQuarterRow
    found: Spending = {}
    for project_id in project_ids:
        rows = session.execute(
            select(row.start_ms, func.sum(row.cost_nusd))
            .where(row.project_id == project_id, row.start_ms >= since_ms)
            .group_by(row.start_ms)
        )
        found[project_id] = {start_ms: cost for start_ms, cost in rows if cost}
    return found
