"""Which service a call asked for, which is part of its price; what a hold promises."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("attempt", sa.Column("service", sa.String(length=40), nullable=True))
    op.add_column("hold", sa.Column("firm", sa.BigInteger(), server_default="1", nullable=False))
