"""The tables the issuer began with. Frozen: what changes later is a revision of its own (ADR 0011)."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make every table, from nothing."""
    _authorisation()
    _authorisation_event()
    _authorisation_effect()
    _authorisation_key()
    _account()
    _card()
    _hold()
    _posting()


def _authorisation() -> None:
    op.create_table(
        "authorisation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_ms", sa.BigInteger),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_authorisation_due_ms", "authorisation", ["due_ms"])
    op.create_index("ix_authorisation_owner", "authorisation", ["owner"])
    op.create_index("ix_authorisation_status", "authorisation", ["status"])


def _authorisation_event() -> None:
    op.create_table(
        "authorisation_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("machine_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("status_before", sa.Text),
        sa.Column("status_after", sa.Text),
        sa.Column("effect_id", sa.BigInteger),
        sa.Column("refused", sa.Text),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("machine_id", "version"),
        sa.UniqueConstraint("machine_id", "key"),
    )


def _authorisation_effect() -> None:
    op.create_table(
        "authorisation_effect",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("machine_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("done_ms", sa.BigInteger),
        sa.Column("last_error", sa.Text),
        sa.UniqueConstraint("machine_id", "version", "seq"),
    )
    op.create_index("ix_authorisation_effect_machine_id", "authorisation_effect", ["machine_id"])
    where = sa.text("done_ms IS NULL")
    op.create_index(
        "ix_authorisation_effect_undone",
        "authorisation_effect",
        ["id"],
        sqlite_where=where,
        postgresql_where=where,
    )


def _authorisation_key() -> None:
    op.create_table(
        "authorisation_key",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("machine_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "value"),
    )
    op.create_index("ix_authorisation_key_machine_id", "authorisation_key", ["machine_id"])


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("balance_minor", sa.BigInteger, nullable=False),
    )


def _card() -> None:
    op.create_table(
        "card",
        sa.Column("pan_match", sa.Text, primary_key=True),
        sa.Column("pan_sealed", sa.Text, nullable=False),
        sa.Column("masked", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("expiry", sa.Text, nullable=False),
        sa.Column("sequence", sa.Text, nullable=False),
        sa.Column("master_key", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("partial", sa.Integer, nullable=False),
        sa.Column("last_counter", sa.Integer, nullable=False),
    )


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("authorisation_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Integer, nullable=False),
        sa.Column("placed_ms", sa.BigInteger, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
    )
    where = sa.text("open = 1")
    op.create_index("ix_hold_open", "hold", ["account_id"], sqlite_where=where, postgresql_where=where)


def _posting() -> None:
    op.create_table(
        "posting",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("authorisation_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_posting_account_id", "posting", ["account_id"])
    op.create_index("ix_posting_authorisation_id", "posting", ["authorisation_id"])
