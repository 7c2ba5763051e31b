"""A tariff has versions; the tariffs of before are version 1, published and always in force until the
next."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    """The table of versions takes the place of the table of tariffs."""
    op.create_table(
        "tariff_version",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("tariff_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger),
        sa.Column("valid_to_ms", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("document", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("published_by", sa.Text),
        sa.Column("published_ms", sa.BigInteger),
        sa.Column("accepted", sa.Text),
        sa.Column("retired_by", sa.Text),
        sa.Column("retired_ms", sa.BigInteger),
        sa.Column("retired_why", sa.Text),
        sa.PrimaryKeyConstraint("operator_id", "tariff_id", "version"),
    )
    op.execute(
        "INSERT INTO tariff_version (operator_id, tariff_id, version, state, valid_from_ms, body, note, "
        "created_by, created_ms, published_by, published_ms, accepted) "
        "SELECT operator_id, tariff_id, 1, 'published', 0, body, 'from before there were versions', "
        "'migration', 0, 'migration', 0, 'from before there was a linter' FROM tariff"
    )
    op.drop_table("tariff")
