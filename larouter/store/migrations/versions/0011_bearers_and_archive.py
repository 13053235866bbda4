"""Bearers with names, a beginning to know them by, and their last use; projects put away."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("project", sa.Column("archived_ms", sa.BigInteger(), nullable=True))
    for column in (
        sa.Column("name", sa.String(length=100), server_default="main", nullable=False),
        sa.Column("begins", sa.String(length=12), server_default="lr_", nullable=False),
        sa.Column("granted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_used_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
    ):
        op.add_column("bearer", column)
    # Until now only those of command-line calls ended by themselves.
    op.execute("UPDATE bearer SET granted = 1 WHERE expires_ms IS NOT NULL")
