"""Webhooks and their outbox; alerts that belong to no budget, and whether the desktop was told."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("alert") as alert:
        alert.alter_column("budget_id", existing_type=_SERIAL, nullable=True)
        alert.add_column(
            sa.Column(
                "of_project", sa.String(length=40), server_default=sa.text("''"), nullable=False
            )
        )
        alert.add_column(sa.Column("told_ms", sa.BigInteger(), nullable=True))
    # Nobody wants to hear now of what happened before the update.
    op.execute("UPDATE alert SET told_ms = created_ms")
    op.create_index(
        "alert_unusual",
        "alert",
        ["of_project", "start_ms"],
        unique=True,
        sqlite_where=sa.text("budget_id IS NULL"),
        postgresql_where=sa.text("budget_id IS NULL"),
    )
    op.create_table(
        "webhook",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.Column("stopped_ms", sa.BigInteger(), nullable=True),
        sa.Column("next_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_by", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("webhook_id", _SERIAL, nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tried_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook_id", "event"),
    )
    op.create_index(
        "webhook_delivery_waiting",
        "webhook_delivery",
        ["webhook_id", "id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
