"""The tables the site began with. Frozen: what changes later is a revision of its own (ADR 0011)."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make every table, from nothing."""
    _counter()
    _connector()
    _charge()
    _station_message()
    _payment()
    _advice()
    _run()
    _visit()


def _counter() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )


def _connector() -> None:
    op.create_table(
        "connector",
        sa.Column("evse_id", sa.Integer, primary_key=True),
        sa.Column("plugged", sa.Integer, nullable=False),
        sa.Column("register_wh", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )


def _charge() -> None:
    op.create_table(
        "charge",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("evse_id", sa.Integer, nullable=False),
        sa.Column("id_token", sa.Text, nullable=False),
        sa.Column("transaction_id", sa.Text),
        sa.Column("start_wh", sa.BigInteger, nullable=False),
        sa.Column("stop_wh", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("stopped_ms", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_charge_started_ms", "charge", ["started_ms"])


def _station_message() -> None:
    op.create_table(
        "station_message",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("charge_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )


def _payment() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("stan", sa.Text, nullable=False),
        sa.Column("rrn", sa.Text, nullable=False),
        sa.Column("tid", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("masked_pan", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("asked_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("authorised_minor", sa.BigInteger, nullable=False),
        sa.Column("captured_minor", sa.BigInteger, nullable=False),
        sa.Column("released_minor", sa.BigInteger, nullable=False),
        sa.Column("response_code", sa.Text, nullable=False),
        sa.Column("approval_code", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_payment_created_ms", "payment", ["created_ms"])
    op.create_index("ix_payment_receipt", "payment", ["receipt"])
    op.create_index("ix_payment_reference", "payment", ["reference"])
    op.create_index("ix_payment_state", "payment", ["state"])


def _advice() -> None:
    op.create_table(
        "advice",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("payment_id", sa.Integer, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_advice_state", "advice", ["state"])


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("asked", sa.Integer),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("began_ms", sa.BigInteger, nullable=False),
    )


def _visit() -> None:
    op.create_table(
        "visit",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("id_token", sa.Text, nullable=False),
        sa.Column("evse_id", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("started_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("run_id", "number"),
    )
