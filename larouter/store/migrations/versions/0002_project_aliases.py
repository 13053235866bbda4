"""A project's own names for models, and what becomes of a name that nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("project", sa.Column("aliases", sa.Text(), server_default="{}", nullable=False))
    op.add_column("project", sa.Column("unknown_model", sa.String(length=10), nullable=True))
