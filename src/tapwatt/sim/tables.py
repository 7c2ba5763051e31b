"""The simulated site's tables: what station, terminal, cards and drivers would keep through a power cut.

No card number in any form: of a card its sandbox name is kept, and the number masked (design.md law 7).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Executable, Integer, MetaData, Table, Text, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from tapwatt.store import Transaction

METADATA = MetaData()


def _counted() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


COUNTER = Table(
    "counter",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

# --- the station

CONNECTOR = Table(
    "connector",
    METADATA,
    Column("evse_id", Integer, primary_key=True),
    Column("plugged", Integer, nullable=False),
    Column("register_wh", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)
CHARGE = Table(
    "charge",
    METADATA,
    _counted(),
    Column("evse_id", Integer, nullable=False),
    Column("id_token", Text, nullable=False),
    Column("transaction_id", Text),
    Column("start_wh", BigInteger, nullable=False),
    Column("stop_wh", BigInteger),
    Column("reason", Text),
    Column("started_ms", BigInteger, nullable=False, index=True),
    Column("stopped_ms", BigInteger),
    sqlite_autoincrement=True,
)
STATION_MESSAGE = Table(
    "station_message",
    METADATA,
    _counted(),
    Column("charge_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    # A number used again would make the queue believe that it has sent a message already.
    sqlite_autoincrement=True,
)

# --- the terminal

PAYMENT = Table(
    "payment",
    METADATA,
    _counted(),
    Column("reference", Text, nullable=False, index=True),
    Column("receipt", Text, nullable=False, index=True),
    Column("stan", Text, nullable=False),
    Column("rrn", Text, nullable=False),
    Column("tid", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("masked_pan", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("asked_minor", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("authorised_minor", BigInteger, nullable=False),
    Column("captured_minor", BigInteger, nullable=False),
    Column("released_minor", BigInteger, nullable=False),
    Column("response_code", Text, nullable=False),
    Column("approval_code", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False, index=True),
    Column("updated_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
ADVICE = Table(
    "advice",
    METADATA,
    _counted(),
    Column("payment_id", Integer, nullable=False),
    Column("card", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("attempts", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# --- the drivers

RUN = Table(
    "run",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("asked", Integer),
    Column("seed", Integer, nullable=False),
    Column("began_ms", BigInteger, nullable=False),
)
VISIT = Table(
    "visit",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("id_token", Text, nullable=False),
    Column("evse_id", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_ms", BigInteger),
    Column("ended_ms", BigInteger),
)

_READ_COUNTER: Executable = select(COUNTER.c.value).where(COUNTER.c.name == bindparam("counter"))
_SET_COUNTER: Executable = (
    insert(COUNTER)
    .values(name=bindparam("name"), value=bindparam("value"))
    .on_conflict_do_update(index_elements=[COUNTER.c.name], set_={"value": bindparam("value")})
)


def count(tx: Transaction, name: str, *, most: int) -> int:
    """The next number of a counter, 1 to `most`, then from 1 again; never twice, whatever is killed."""
    row = tx.one(_READ_COUNTER, counter=name)
    value: Any = 0 if row is None else row.value
    following = int(value) % most + 1
    tx.run(_SET_COUNTER, name=name, value=following)
    return following
