"""The tables the gateway began with. Frozen: what changes later is a revision of its own (ADR 0011)."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make every table, from nothing."""
    _payment()
    _payment_event()
    _payment_effect()
    _payment_key()
    _trace_number()
    _merchant()
    _terminal()


def _payment() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_ms", sa.BigInteger),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_payment_due_ms", "payment", ["due_ms"])
    op.create_index("ix_payment_owner", "payment", ["owner"])
    op.create_index("ix_payment_status", "payment", ["status"])


def _payment_event() -> None:
    op.create_table(
        "payment_event",
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


def _payment_effect() -> None:
    op.create_table(
        "payment_effect",
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
    op.create_index("ix_payment_effect_machine_id", "payment_effect", ["machine_id"])
    where = sa.text("done_ms IS NULL")
    op.create_index(
        "ix_payment_effect_undone", "payment_effect", ["id"], sqlite_where=where, postgresql_where=where
    )


def _payment_key() -> None:
    op.create_table(
        "payment_key",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("machine_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "value"),
    )
    op.create_index("ix_payment_key_machine_id", "payment_key", ["machine_id"])


def _trace_number() -> None:
    op.create_table(
        "trace_number",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("reserved", sa.Integer, nullable=False),
    )


def _merchant() -> None:
    op.create_table(
        "merchant",
        sa.Column("mid", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
    )


def _terminal() -> None:
    op.create_table(
        "terminal",
        sa.Column("tid", sa.Text, primary_key=True),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("mid", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("active", sa.Integer, nullable=False),
        sa.UniqueConstraint("serial"),
    )
