"""What a decision can be made again from, what was thought of answers, and what that taught."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("request", sa.Column("numbers", sa.Text(), nullable=True))
    op.add_column("project", sa.Column("bias", sa.Float(), server_default="0", nullable=False))
    op.create_table(
        "feedback",
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("project_id", sa.String(length=40), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("request_id", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_index("feedback_project", "feedback", ["project_id", "created_ms"], unique=False)
