"""What went over this program's wires, masked, for people to read."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0007", "0006"


def upgrade() -> None:
    """Add the table, empty: the next messages fill it."""
    op.create_table(
        "trace",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, unique=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("wire", sa.Text, nullable=False),
        sa.Column("peer", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("life_cycle", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
    )
    for name in ("at_ms", "reference", "life_cycle"):
        op.create_index(f"ix_trace_{name}", "trace", [name])
