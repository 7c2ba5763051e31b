"""Receipts are numbered in a seller's series, say who sold what and where, and have a link of their own.

Receipts of before keep the number they were issued under; the series begins with the next one. What is
written on them stays: nothing that was not known then is added.
"""

import json
import secrets
from importlib import import_module
from typing import Any

import sqlalchemy as sa
from alembic import op

from tapwatt.core.ids import receipt_token

revision, down_revision = "0005", "0004"

Json = dict[str, Any]
EMPTY = ("legal_name", "address", "country", "vat_id", "tax_scheme", "helpline", "complaints", "verification")
KEPT = ("session_id", "station_id", "evse_id", "started_ms", "ended_ms", "register_begin_wh",
        "register_end_wh", "energy_wh", "hold_minor", "captured_minor", "released_minor")  # fmt: skip
tariffs = import_module("tapwatt.platform.migrations.0004_tariffs")


def upgrade() -> None:
    """New columns, then the receipts."""
    for name in EMPTY:
        _add_text("operator", name, "")
    _add_text("operator", "time_zone", "UTC")
    _add_text("operator", "receipt_language", "en")
    _add_text("operator", "receipt_prefix", "R")
    op.add_column("operator", _number("receipt_yearly", server_default="1"))
    _add_text("station", "address", "")
    _add_text("station", "evse_prefix", "")
    op.add_column("station", sa.Column("meter_serial", sa.Text))
    op.add_column("account_hold", _number("refunded_minor", server_default="0"))
    op.add_column("account_hold", sa.Column("refund_key", sa.Text))
    op.create_table(
        "receipt_series",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("series", sa.Text, nullable=False),
        _number("last"),
        sa.PrimaryKeyConstraint("operator_id", "series"),
    )
    _receipts()


def _receipts() -> None:
    connection = op.get_bind()
    names = {
        row.operator_id: row.name
        for row in connection.execute(sa.text("SELECT operator_id, name FROM operator"))
    }
    old = connection.execute(
        sa.text("SELECT operator_id, session_id, number, body, at_ms FROM receipt")
    ).all()
    op.drop_table("receipt")
    table = _new_table()
    rows = [_row(row, names.get(row.operator_id, row.operator_id)) for row in old]
    if rows:
        op.bulk_insert(table, rows)


def _new_table() -> sa.Table:
    text = [sa.Column(name, sa.Text, nullable=False) for name in ("operator_id", "number", "series")]
    table = op.create_table(
        "receipt",
        *text,
        _number("place"),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("credit_of", sa.Text),
        _number("gross_minor"),
        sa.Column("body", sa.Text, nullable=False),
        _number("at_ms"),
        sa.PrimaryKeyConstraint("operator_id", "number"),
        sa.UniqueConstraint("operator_id", "series", "place"),
        sa.UniqueConstraint("operator_id", "key"),
    )
    op.create_index("ix_receipt_token", "receipt", ["token"], unique=True)
    op.create_index("ix_receipt_session", "receipt", ["session_id"])
    return table


def _row(old: Any, seller: str) -> Json:
    body = _body(json.loads(old.body), number=str(old.number), issued_ms=old.at_ms, seller=seller)
    return {
        "operator_id": old.operator_id,
        "number": str(old.number),
        "series": "",
        "place": old.number,
        "key": f"{old.session_id}.receipt",
        "session_id": old.session_id,
        "token": receipt_token(secrets.token_bytes(17)),
        "credit_of": None,
        "gross_minor": body["purchase"]["bill"]["gross_minor"],
        "body": json.dumps(body, separators=(",", ":")),
        "at_ms": old.at_ms,
    }


def _body(old: Json, *, number: str, issued_ms: int, seller: str) -> Json:
    card = {name: old.get(name) for name in ("last_four", "approval_code", "tid")}
    purchase = {
        **{name: old[name] for name in KEPT},
        "time_zone": "UTC",
        # before tariffs knew idle time, all of it was charging
        "charging_ms": old["ended_ms"] - old["started_ms"],
        "idle_ms": 0,
        "bill": tariffs._bill(old["bill"]),
        "card": {**card, "scheme": old.get("brand")},
    }
    return {
        "number": number,
        "issued_ms": issued_ms,
        "language": "en",
        "seller": {"legal_name": seller},
        "place": {},
        "purchase": purchase,
    }


def _add_text(table: str, name: str, default: str) -> None:
    op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=default))


def _number(name: str, **more: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, **more)
