"""The platform's tables. Every row has an owner: `operator_id` is in every key (law 9)."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from tapwatt.engine import machine_tables
from tapwatt.platform.access_tables import access_tables
from tapwatt.platform.api_tables import api_tables
from tapwatt.platform.columns import maybe, maybe_number, number, owned, text
from tapwatt.traces import trace_table

METADATA = MetaData()
SESSION = machine_tables(METADATA, "session")
TRACES = trace_table(METADATA)
IDEMPOTENCY, TOKEN, WEBHOOK, WEBHOOK_EVENT, WEBHOOK_DELIVERY, WEBHOOK_ATTEMPT = api_tables(METADATA)
PERSON, LOGIN, LOGIN_TRY, APPROVAL, AUDIT_ENTRY = access_tables(METADATA)


OPERATOR = owned(
    METADATA,
    "operator",
    text("name"),
    # the seller on a receipt; what is empty is left out there
    text("legal_name", ""),
    text("address", ""),
    text("country", ""),
    text("vat_id", ""),
    text("tax_scheme", ""),
    text("helpline", ""),
    text("complaints", ""),
    text("verification", ""),
    text("time_zone", "UTC"),
    text("receipt_language", "en"),
    # how it numbers its receipts: the prefix, and whether each year is a series of its own
    text("receipt_prefix", "R"),
    Column("receipt_yearly", BigInteger, nullable=False, server_default="1"),
    key=(),
)
TARIFF_VERSION = owned(
    METADATA,
    "tariff_version",
    text("tariff_id"),
    number("version"),
    # draft, published, retired
    text("state"),
    # when sessions may begin with it; without an end, until the next version begins
    maybe_number("valid_from_ms"),
    maybe_number("valid_to_ms"),
    # our model as JSON, which sessions are priced with, and the OCPI document that it was read from, if any
    text("body"),
    maybe("document"),
    text("note"),
    text("created_by"),
    number("created_ms"),
    maybe("published_by"),
    maybe_number("published_ms"),
    # why it was published in spite of warnings, and why it was retired
    maybe("accepted"),
    maybe("retired_by"),
    maybe_number("retired_ms"),
    maybe("retired_why"),
    key=("tariff_id", "version"),
)
STATION = owned(
    METADATA,
    "station",
    text("station_id"),
    text("name"),
    text("tariff_id"),
    number("max_power_w"),
    # what a price may depend on there: the clock, the law, AC or DC
    text("time_zone", "UTC"),
    text("country", ""),
    maybe("evse_kind"),
    # what a receipt says of it; the public id of an EVSE is the prefix and its number
    text("address", ""),
    text("evse_prefix", ""),
    maybe("meter_serial"),
    maybe("vendor"),
    maybe("model"),
    maybe("serial"),
    maybe("firmware"),
    number("connected"),
    maybe_number("seen_ms"),
    Index("ix_station_id", "station_id", unique=True),
    key=("station_id",),
)
CONNECTOR = owned(
    METADATA,
    "connector",
    text("station_id"),
    number("evse_id"),
    text("status"),
    maybe("error"),
    number("since_ms"),
    key=("station_id", "evse_id"),
)
STATION_CONFIGURATION = owned(
    METADATA,
    "station_configuration",
    text("station_id"),
    text("key"),
    maybe("value"),
    number("readonly"),
    # told: the station said so; set: it accepted our change; after_reboot: it will from its next boot on
    text("state"),
    number("at_ms"),
    key=("station_id", "key"),
)
STATION_TRANSFER = owned(
    METADATA,
    "station_transfer",
    text("station_id"),
    text("kind"),
    text("status"),
    text("location", ""),
    text("file_name", ""),
    number("at_ms"),
    key=("station_id", "kind"),
)
TERMINAL = owned(
    METADATA,
    "terminal",
    text("terminal_id"),
    text("edge_id"),
    text("profile"),
    maybe("serial"),
    maybe("tid"),
    text("state"),
    text("text"),
    text("screen", "[]"),
    number("since_ms"),
    Index("ix_terminal_id", "terminal_id", unique=True),
    key=("terminal_id",),
)
TERMINAL_EVSE = owned(
    METADATA,
    "terminal_evse",
    text("terminal_id"),
    text("station_id"),
    number("evse_id"),
    key=("terminal_id", "station_id", "evse_id"),
)
ACCOUNT = owned(
    METADATA,
    "account",
    text("account_id"),
    text("name"),
    text("currency"),
    number("balance_minor"),
    text("status"),
    key=("account_id",),
)
ACCOUNT_TAG = owned(METADATA, "account_tag", text("id_token"), text("account_id"), key=("id_token",))
ACCOUNT_HOLD = owned(
    METADATA,
    "account_hold",
    text("payment_id"),
    text("account_id"),
    number("held_minor"),
    number("captured_minor"),
    text("state"),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    # the last refund's effect: a repeat of it is not a second one
    maybe("refund_key"),
    key=("payment_id",),
)
POSTING = owned(
    METADATA,
    "posting",
    text("key"),
    text("session_id"),
    text("kind"),
    text("currency"),
    number("at_ms"),
    Index("ix_posting_session", "session_id"),
    key=("key",),
)
ENTRY = owned(
    METADATA,
    "entry",
    text("posting_key"),
    number("place"),
    text("account"),
    number("amount_minor"),
    key=("posting_key", "place"),
)
SESSION_FACT = owned(
    METADATA,
    "session_fact",
    # what a session is looked for by and counted by, beside its state: written in the same commit
    text("session_id"),
    text("station_id"),
    number("evse_id"),
    text("state"),
    text("reason"),
    maybe("leader"),
    maybe("brand"),
    maybe("last_four"),
    text("currency"),
    maybe("payment_state"),
    text("payment_reason"),
    number("authorised_minor"),
    number("captured_minor"),
    number("energy_wh"),
    maybe_number("capture_before_ms"),
    number("opened_ms"),
    maybe_number("tapped_ms"),
    maybe_number("approved_ms"),
    maybe_number("started_ms"),
    maybe_number("closed_ms"),
    Index("ix_session_fact_opened", "operator_id", "opened_ms", "session_id"),
    Index("ix_session_fact_card", "operator_id", "last_four", "opened_ms", "session_id"),
    Index("ix_session_fact_station", "operator_id", "station_id", "opened_ms", "session_id"),
    Index("ix_session_fact_state", "operator_id", "state", "opened_ms", "session_id"),
    Index("ix_session_fact_payment", "operator_id", "payment_state", "capture_before_ms"),
    key=("session_id",),
)
SESSION_NOTE = owned(
    METADATA,
    "session_note",
    text("session_id"),
    number("place"),
    text("key"),
    text("written_by"),
    text("text"),
    number("at_ms"),
    UniqueConstraint("operator_id", "session_id", "key"),
    key=("session_id", "place"),
)
"""What people wrote about a session: added to, never changed."""
RECEIPT_SERIES = owned(METADATA, "receipt_series", text("series"), number("last"), key=("series",))
"""The last number given out in each series: raised in the commit that stores the receipt, so none is lost."""
RECEIPT = owned(
    METADATA,
    "receipt",
    text("number"),
    text("series"),
    number("place"),
    # the effect or order that asked for it: a repeat finds it here and gets the same number
    text("key"),
    text("session_id"),
    text("token"),
    maybe("credit_of"),
    number("gross_minor"),
    text("body"),
    number("at_ms"),
    UniqueConstraint("operator_id", "series", "place"),
    UniqueConstraint("operator_id", "key"),
    Index("ix_receipt_token", "token", unique=True),
    Index("ix_receipt_session", "session_id"),
    Index("ix_receipt_at", "operator_id", "at_ms", "number"),
    key=("number",),
)
METER_KEY = owned(
    METADATA,
    "meter_key",
    # the serial of a meter, or of the gateway that signs for it
    text("meter"),
    text("key"),
    text("source"),
    # 0: since ever; without an end, still in force
    number("valid_from_ms"),
    maybe_number("valid_to_ms"),
    text("added_by"),
    number("added_ms"),
    key=("meter", "valid_from_ms"),
)
"""Public keys of meters: added to; only an end is set, once."""
ALARM = owned(METADATA, "alarm", text("key"), text("session_id"), text("text"), number("at_ms"), key=("key",))
ALARM_SEEN = owned(METADATA, "alarm_seen", text("key"), text("seen_by"), number("at_ms"), key=("key",))
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
    maybe("session_id"),
    Column("verdict", Text, nullable=False),
    maybe_number("stopped_ms"),
    maybe_number("stop_register_wh"),
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
    maybe("session_id"),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_station_message_session", "session_id"),
    Index("ix_station_message_station", "operator_id", "station_id", "id"),
)
