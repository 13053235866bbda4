"""Sums of usage by quarter of an hour and by day; whose bearer asked; what a saving is against."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("request", sa.Column("bearer_id", sa.String(length=40), nullable=True))
    op.add_column("request", sa.Column("baseline_nusd", sa.BigInteger(), nullable=True))
    for table, at in (
        ("usage_quarter", sa.Column("start_ms", sa.BigInteger(), nullable=False)),
        ("usage_day", sa.Column("day", sa.String(length=10), nullable=False)),
    ):
        op.create_table(
            table,
            sa.Column("project_id", sa.String(length=40), nullable=False),
            at,
            sa.Column("tier", sa.String(length=40), nullable=False),
            sa.Column("model", sa.String(length=300), nullable=False),
            sa.Column("bearer_id", sa.String(length=40), nullable=False),
            sa.Column("calls", sa.BigInteger(), nullable=False),
            sa.Column("succeeded", sa.BigInteger(), nullable=False),
            sa.Column("prompt", sa.BigInteger(), nullable=False),
            sa.Column("cached", sa.BigInteger(), nullable=False),
            sa.Column("output", sa.BigInteger(), nullable=False),
            sa.Column("cost_nusd", sa.BigInteger(), nullable=False),
            sa.Column("unpriced", sa.BigInteger(), nullable=False),
            sa.Column("baseline_nusd", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("project_id", at.name, "tier", "model", "bearer_id"),
            sqlite_with_rowid=False,
        )
