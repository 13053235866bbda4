"""Budgets: limits, what they hold and have spent in each of their periods, and alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("project", sa.Column("zone", sa.String(length=60), nullable=True))
    op.add_column(
        "attempt", sa.Column("overrun", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_table(
        "budget",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("metric", sa.String(length=10), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("of", sa.String(length=300), nullable=False),
        sa.Column("hard", sa.BigInteger(), nullable=False),
        sa.Column("alerts", sa.String(length=60), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "budget_window",
        sa.Column("budget_id", _SERIAL, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("blocked", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"]),
        sa.PrimaryKeyConstraint("budget_id", "start_ms"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hold",
        sa.Column("attempt_id", _SERIAL, nullable=False),
        sa.Column("budget_id", _SERIAL, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"]),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"]),
        sa.PrimaryKeyConstraint("attempt_id", "budget_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("hold_window", "hold", ["budget_id", "start_ms"], unique=False)
    op.create_table(
        "alert",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("budget_id", _SERIAL, nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("budget_id", "start_ms", "mark"),
    )
