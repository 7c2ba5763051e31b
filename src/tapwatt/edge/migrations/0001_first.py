"""The tables the edge began with. Frozen: what changes later is a revision of its own (ADR 0011)."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make every table, from nothing."""
    _edge()
    _terminal()
    _operation()
    _operation_event()
    _operation_effect()
    _operation_key()


def _edge() -> None:
    op.create_table(
        "edge",
        sa.Column("edge_id", sa.Text, primary_key=True),
    )


def _terminal() -> None:
    op.create_table(
        "terminal",
        sa.Column("terminal_id", sa.Text, primary_key=True),
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("port", sa.Integer),
    )


def _operation() -> None:
    op.create_table(
        "operation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_ms", sa.BigInteger),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_operation_due_ms", "operation", ["due_ms"])
    op.create_index("ix_operation_owner", "operation", ["owner"])
    op.create_index("ix_operation_status", "operation", ["status"])


def _operation_event() -> None:
    op.create_table(
        "operation_event",
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


def _operation_effect() -> None:
    op.create_table(
        "operation_effect",
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
    op.create_index("ix_operation_effect_machine_id", "operation_effect", ["machine_id"])
    where = sa.text("done_ms IS NULL")
    op.create_index(
        "ix_operation_effect_undone", "operation_effect", ["id"], sqlite_where=where, postgresql_where=where
    )


def _operation_key() -> None:
    op.create_table(
        "operation_key",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("machine_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "value"),
    )
    op.create_index("ix_operation_key_machine_id", "operation_key", ["machine_id"])
