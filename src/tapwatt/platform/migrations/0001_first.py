"""The tables the platform began with. Frozen: what changes later is a revision of its own (ADR 0011)."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make every table, from nothing."""
    _session()
    _session_event()
    _session_effect()
    _session_key()
    _operator()
    _tariff()
    _station()
    _connector()
    _terminal()
    _terminal_evse()
    _account()
    _account_tag()
    _account_hold()
    _posting()
    _entry()
    _receipt()
    _alarm()
    _transaction_16()
    _station_message()


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_ms", sa.BigInteger),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_session_due_ms", "session", ["due_ms"])
    op.create_index("ix_session_owner", "session", ["owner"])
    op.create_index("ix_session_status", "session", ["status"])


def _session_event() -> None:
    op.create_table(
        "session_event",
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


def _session_effect() -> None:
    op.create_table(
        "session_effect",
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
    op.create_index("ix_session_effect_machine_id", "session_effect", ["machine_id"])
    where = sa.text("done_ms IS NULL")
    op.create_index(
        "ix_session_effect_undone", "session_effect", ["id"], sqlite_where=where, postgresql_where=where
    )


def _session_key() -> None:
    op.create_table(
        "session_key",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("machine_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "value"),
    )
    op.create_index("ix_session_key_machine_id", "session_key", ["machine_id"])


def _operator() -> None:
    op.create_table(
        "operator",
        sa.Column("operator_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )


def _tariff() -> None:
    op.create_table(
        "tariff",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("tariff_id", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "tariff_id"),
    )


def _station() -> None:
    op.create_table(
        "station",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("station_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tariff_id", sa.Text, nullable=False),
        sa.Column("max_power_w", sa.BigInteger, nullable=False),
        sa.Column("vendor", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("serial", sa.Text),
        sa.Column("firmware", sa.Text),
        sa.Column("connected", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("operator_id", "station_id"),
    )
    op.create_index("ix_station_id", "station", ["station_id"], unique=True)


def _connector() -> None:
    op.create_table(
        "connector",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("station_id", sa.Text, nullable=False),
        sa.Column("evse_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "station_id", "evse_id"),
    )


def _terminal() -> None:
    op.create_table(
        "terminal",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("terminal_id", sa.Text, nullable=False),
        sa.Column("edge_id", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("serial", sa.Text),
        sa.Column("tid", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("screen", sa.Text, nullable=False, server_default="[]"),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "terminal_id"),
    )
    op.create_index("ix_terminal_id", "terminal", ["terminal_id"], unique=True)


def _terminal_evse() -> None:
    op.create_table(
        "terminal_evse",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("terminal_id", sa.Text, nullable=False),
        sa.Column("station_id", sa.Text, nullable=False),
        sa.Column("evse_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "terminal_id", "station_id", "evse_id"),
    )


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("balance_minor", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "account_id"),
    )


def _account_tag() -> None:
    op.create_table(
        "account_tag",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("id_token", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "id_token"),
    )


def _account_hold() -> None:
    op.create_table(
        "account_hold",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("payment_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("held_minor", sa.BigInteger, nullable=False),
        sa.Column("captured_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "payment_id"),
    )


def _posting() -> None:
    op.create_table(
        "posting",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "key"),
    )
    op.create_index("ix_posting_session", "posting", ["session_id"])


def _entry() -> None:
    op.create_table(
        "entry",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("posting_key", sa.Text, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "posting_key", "place"),
    )


def _receipt() -> None:
    op.create_table(
        "receipt",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "session_id"),
    )


def _alarm() -> None:
    op.create_table(
        "alarm",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "key"),
    )


def _transaction_16() -> None:
    op.create_table(
        "transaction_16",
        sa.Column("transaction_id", sa.Integer, primary_key=True),
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("station_id", sa.Text, nullable=False),
        sa.Column("evse_id", sa.Integer, nullable=False),
        sa.Column("id_token", sa.Text, nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("register_wh", sa.BigInteger, nullable=False),
        sa.Column("session_id", sa.Text),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("stopped_ms", sa.BigInteger),
        sa.Column("stop_register_wh", sa.BigInteger),
        sa.UniqueConstraint("operator_id", "station_id", "evse_id", "id_token", "started_ms"),
    )


def _station_message() -> None:
    op.create_table(
        "station_message",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("station_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_station_message_session", "station_message", ["session_id"])
