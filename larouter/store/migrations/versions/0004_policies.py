"""A project's policy: what it wants of the router."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("project", sa.Column("policy", sa.Text(), server_default="{}", nullable=False))
