"""A terminal may hang on a serial line: its address as one text, empty where host and port say it."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Add the column; terminals known before keep host and port."""
    op.add_column("terminal", sa.Column("address", sa.Text, nullable=False, server_default=""))
