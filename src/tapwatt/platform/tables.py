"""The platform's tables. Every row has an owner: `operator_id` is in every key (law 9)."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from tapwatt.engine import machine_tables
from tapwatt.platform.access_tables import access_tables
from tapwatt.platform.api_tables import api_tables
from tapwatt.traces import trace_table

METADATA = MetaData()
SESSION = machine_tables(METADATA, "session")
TRACES = trace_table(METADATA)
IDEMPOTENCY, TOKEN, WEBHOOK, WEBHOOK_EVENT, WEBHOOK_DELIVERY, WEBHOOK_ATTEMPT = api_tables(METADATA)
PERSON, LOGIN, LOGIN_TRY, APPROVAL, AUDIT_ENTRY = access_tables(METADATA)


def _table(name: str, *columns: Column[object] | UniqueConstraint | Index, key: tuple[str, ...]) -> Table:
    owner: Column[str] = Column("operator_id", Text, nullable=False)
    return Table(name, METADATA, owner, *columns, PrimaryKeyConstraint("operator_id", *key))


def _text(name: str, default: str | None = None) -> Column[object]:
    return Column(name, Text, nullable=False, server_default=default)


def _maybe(name: str) -> Column[object]:
    return Column(name, Text)


def _number(name: str) -> Column[object]:
    return Column(name, BigInteger, nullable=False)


OPERATOR = _table(
    "operator",
    _text("name"),
    # the seller on a receipt; what is empty is left out there
    _text("legal_name", ""),
    _text("address", ""),
    _text("country", ""),
    _text("vat_id", ""),
    _text("tax_scheme", ""),
    _text("helpline", ""),
    _text("complaints", ""),
    _text("verification", ""),
    _text("time_zone", "UTC"),
    _text("receipt_language", "en"),
    # how it numbers its receipts: the prefix, and whether each year is a series of its own
    _text("receipt_prefix", "R"),
    Column("receipt_yearly", BigInteger, nullable=False, server_default="1"),
    key=(),
)
TARIFF_VERSION = _table(
    "tariff_version",
    _text("tariff_id"),
    _number("version"),
    # draft, published, retired
    _text("state"),
    # when sessions may begin with it; without an end, until the next version begins
    Column("valid_from_ms", BigInteger),
    Column("valid_to_ms", BigInteger),
    # our model as JSON, which sessions are priced with, and the OCPI document that it was read from, if any
    _text("body"),
    _maybe("document"),
    _text("note"),
    _text("created_by"),
    _number("created_ms"),
    _maybe("published_by"),
    Column("published_ms", BigInteger),
    # why it was published in spite of warnings, and why it was retired
    _maybe("accepted"),
    _maybe("retired_by"),
    Column("retired_ms", BigInteger),
    _maybe("retired_why"),
    key=("tariff_id", "version"),
)
STATION = _table(
    "station",
    _text("station_id"),
    _text("name"),
    _text("tariff_id"),
    _number("max_power_w"),
    # what a price may depend on there: the clock, the law, AC or DC
    _text("time_zone", "UTC"),
    _text("country", ""),
    _maybe("evse_kind"),
    # what a receipt says of it; the public id of an EVSE is the prefix and its number
    _text("address", ""),
    _text("evse_prefix", ""),
    _maybe("meter_serial"),
    _maybe("vendor"),
    _maybe("model"),
    _maybe("serial"),
    _maybe("firmware"),
    _number("connected"),
    Column("seen_ms", BigInteger),
    Index("ix_station_id", "station_id", unique=True),
    key=("station_id",),
)
CONNECTOR = _table(
    "connector",
    _text("station_id"),
    _number("evse_id"),
    _text("status"),
    _maybe("error"),
    _number("since_ms"),
    key=("station_id", "evse_id"),
)
STATION_CONFIGURATION = _table(
    "station_configuration",
    _text("station_id"),
    _text("key"),
    _maybe("value"),
    _number("readonly"),
    # told: the station said so; set: it accepted our change; after_reboot: it will from its next boot on
    _text("state"),
    _number("at_ms"),
    key=("station_id", "key"),
)
STATION_TRANSFER = _table(
    "station_transfer",
    _text("station_id"),
    _text("kind"),
    _text("status"),
    _text("location", ""),
    _text("file_name", ""),
    _number("at_ms"),
    key=("station_id", "kind"),
)
TERMINAL = _table(
    "terminal",
    _text("terminal_id"),
    _text("edge_id"),
    _text("profile"),
    _maybe("serial"),
    _maybe("tid"),
    _text("state"),
    _text("text"),
    _text("screen", "[]"),
    _number("since_ms"),
    Index("ix_terminal_id", "terminal_id", unique=True),
    key=("terminal_id",),
)
TERMINAL_EVSE = _table(
    "terminal_evse",
    _text("terminal_id"),
    _text("station_id"),
    _number("evse_id"),
    key=("terminal_id", "station_id", "evse_id"),
)
ACCOUNT = _table(
    "account",
    _text("account_id"),
    _text("name"),
    _text("currency"),
    _number("balance_minor"),
    _text("status"),
    key=("account_id",),
)
ACCOUNT_TAG = _table("account_tag", _text("id_token"), _text("account_id"), key=("id_token",))
ACCOUNT_HOLD = _table(
    "account_hold",
    _text("payment_id"),
    _text("account_id"),
    _number("held_minor"),
    _number("captured_minor"),
    _text("state"),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    # the last refund's effect: a repeat of it is not a second one
    _maybe("refund_key"),
    key=("payment_id",),
)
POSTING = _table(
    "posting",
    _text("key"),
    _text("session_id"),
    _text("kind"),
    _text("currency"),
    _number("at_ms"),
    Index("ix_posting_session", "session_id"),
    key=("key",),
)
ENTRY = _table(
    "entry",
    _text("posting_key"),
    _number("place"),
    _text("account"),
    _number("amount_minor"),
    key=("posting_key", "place"),
)
SESSION_FACT = _table(
    "session_fact",
    # what a session is looked for by and counted by, beside its state: written in the same commit
    _text("session_id"),
    _text("station_id"),
    _number("evse_id"),
    _text("state"),
    _text("reason"),
    _maybe("leader"),
    _maybe("brand"),
    _maybe("last_four"),
    _text("currency"),
    _maybe("payment_state"),
    _text("payment_reason"),
    _number("authorised_minor"),
    _number("captured_minor"),
    _number("energy_wh"),
    Column("capture_before_ms", BigInteger),
    _number("opened_ms"),
    Column("tapped_ms", BigInteger),
    Column("approved_ms", BigInteger),
    Column("started_ms", BigInteger),
    Column("closed_ms", BigInteger),
    Index("ix_session_fact_opened", "operator_id", "opened_ms", "session_id"),
    Index("ix_session_fact_card", "operator_id", "last_four", "opened_ms", "session_id"),
    Index("ix_session_fact_station", "operator_id", "station_id", "opened_ms", "session_id"),
    Index("ix_session_fact_state", "operator_id", "state", "opened_ms", "session_id"),
    Index("ix_session_fact_payment", "operator_id", "payment_state", "capture_before_ms"),
    key=("session_id",),
)
SESSION_NOTE = _table(
    "session_note",
    _text("session_id"),
    _number("place"),
    _text("key"),
    _text("written_by"),
    _text("text"),
    _number("at_ms"),
    UniqueConstraint("operator_id", "session_id", "key"),
    key=("session_id", "place"),
)
"""What people wrote about a session: added to, never changed."""
RECEIPT_SERIES = _table("receipt_series", _text("series"), _number("last"), key=("series",))
"""The last number given out in each series: raised in the commit that stores the receipt, so none is lost."""
RECEIPT = _table(
    "receipt",
    _text("number"),
    _text("series"),
    _number("place"),
    # the effect or order that asked for it: a repeat finds it here and gets the same number
    _text("key"),
    _text("session_id"),
    _text("token"),
    _maybe("credit_of"),
    _number("gross_minor"),
    _text("body"),
    _number("at_ms"),
    UniqueConstraint("operator_id", "series", "place"),
    UniqueConstraint("operator_id", "key"),
    Index("ix_receipt_token", "token", unique=True),
    Index("ix_receipt_session", "session_id"),
    Index("ix_receipt_at", "operator_id", "at_ms", "number"),
    key=("number",),
)
METER_KEY = _table(
    "meter_key",
    # the serial of a meter, or of the gateway that signs for it
    _text("meter"),
    _text("key"),
    _text("source"),
    # 0: since ever; without an end, still in force
    _number("valid_from_ms"),
    Column("valid_to_ms", BigInteger),
    _text("added_by"),
    _number("added_ms"),
    key=("meter", "valid_from_ms"),
)
"""Public keys of meters: added to; only an end is set, once."""
ALARM = _table("alarm", _text("key"), _text("session_id"), _text("text"), _number("at_ms"), key=("key",))
ALARM_SEEN = _table("alarm_seen", _text("key"), _text("seen_by"), _number("at_ms"), key=("key",))
"""Who has taken note of an alarm, or of a message that belongs to no session (key `message-` and its id)."""
TRANSACTION = Table(
    "transaction_16",
    METADATA,
    # OCPP 1.6 leaves numbering transactions to us; the number is all that a later stop brings back.
    Column("transaction_id", Integer, primary_key=True, autoincrement=True),
    Column("operator_id", Text, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("evse_id", Integer, nullable=False),
    Column("id_token", Text, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("register_wh", BigInteger, nullable=False),
    Column("session_id", Text),
    Column("verdict", Text, nullable=False),
    Column("stopped_ms", BigInteger),
    Column("stop_register_wh", BigInteger),
    # The same start can arrive twice, under another message id: these four name it (OCPP 1.6 4.8, pain 1).
    UniqueConstraint("operator_id", "station_id", "evse_id", "id_token", "started_ms"),
)
STATION_MESSAGE = Table(
    "station_message",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("operator_id", Text, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("session_id", Text),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_station_message_session", "session_id"),
    Index("ix_station_message_station", "operator_id", "station_id", "id"),
)
