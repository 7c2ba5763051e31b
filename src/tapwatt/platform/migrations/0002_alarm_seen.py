"""Alarms can be acknowledged: who took note, and when."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Add the table; nothing was acknowledged before."""
    op.create_table(
        "alarm_seen",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("seen_by", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "key"),
    )
