"""Sessions can be looked for: a row of facts beside each state, and notes that people write.

The facts of the sessions of before are read from their states, the moments of tap and approval from their
events.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0008", "0007"

Json = dict[str, Any]
ROWS_AT_ONCE = 500
TAPS, APPROVALS = ("CardPresented", "AccountPresented"), ("Approved", "FoundOpen")
TEXTS = ("operator_id", "session_id", "station_id", "state", "reason", "currency", "payment_reason")
MAYBE_TEXTS = ("leader", "brand", "last_four", "payment_state")
NUMBERS = ("evse_id", "authorised_minor", "captured_minor", "energy_wh", "opened_ms")
MAYBE_NUMBERS = ("capture_before_ms", "tapped_ms", "approved_ms", "started_ms", "closed_ms")
INDEXES = {
    "opened": ("opened_ms", "session_id"),
    "card": ("last_four", "opened_ms", "session_id"),
    "station": ("station_id", "opened_ms", "session_id"),
    "state": ("state", "opened_ms", "session_id"),
    "payment": ("payment_state", "capture_before_ms"),
}


def upgrade() -> None:
    """Both tables and the index of a station's messages, then the facts."""
    facts = op.create_table(
        "session_fact",
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
        *(sa.Column(name, sa.Text) for name in MAYBE_TEXTS),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in NUMBERS),
        *(sa.Column(name, sa.BigInteger) for name in MAYBE_NUMBERS),
        sa.PrimaryKeyConstraint("operator_id", "session_id"),
    )
    for name, columns in INDEXES.items():
        op.create_index(f"ix_session_fact_{name}", "session_fact", ["operator_id", *columns])
    op.create_table(
        "session_note",
        sa.Column("operator_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("written_by", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("operator_id", "session_id", "place"),
        sa.UniqueConstraint("operator_id", "session_id", "key"),
    )
    op.create_index("ix_station_message_station", "station_message", ["operator_id", "station_id", "id"])
    _fill(facts)


def _fill(facts: sa.Table) -> None:
    connection = op.get_bind()
    last = ""
    while True:
        query = sa.text("SELECT id, owner, state FROM session WHERE id > :last ORDER BY id LIMIT :most")
        rows = connection.execute(query, {"last": last, "most": ROWS_AT_ONCE}).all()
        if not rows:
            return
        op.bulk_insert(facts, [_fact(connection, row.owner, json.loads(row.state)) for row in rows])
        last = rows[-1].id


def _fact(connection: sa.Connection, owner: str, state: Json) -> Json:
    paid, meter = state.get("payment") or {}, state.get("meter") or {}
    session_id = state["session_id"]
    return {
        "operator_id": owner,
        **{name: state[name] for name in ("session_id", "station_id", "evse_id", "state", "opened_ms")},
        "reason": state.get("reason", ""),
        "currency": state["tariff"]["currency"],
        **{name: paid.get(name) for name in ("leader", "brand", "last_four")},
        "payment_state": paid.get("state"),
        "payment_reason": paid.get("reason", "")[:120],
        **{name: paid.get(name, 0) for name in ("authorised_minor", "captured_minor")},
        "energy_wh": meter.get("carried_wh", 0) + meter.get("last_wh", 0) - meter.get("base_wh", 0),
        "capture_before_ms": paid.get("capture_before_ms") or None,
        "tapped_ms": _first(connection, session_id, TAPS),
        "approved_ms": _first(connection, session_id, APPROVALS),
        **{name: state.get(name) for name in ("started_ms", "closed_ms")},
    }


def _first(connection: sa.Connection, session_id: str, kinds: tuple[str, str]) -> int | None:
    query = sa.text(
        "SELECT MIN(at_ms) FROM session_event WHERE machine_id = :id AND refused IS NULL AND kind IN (:a, :b)"
    )
    return connection.execute(query, {"id": session_id, "a": kinds[0], "b": kinds[1]}).scalar()
