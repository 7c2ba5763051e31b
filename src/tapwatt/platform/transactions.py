"""OCPP 1.6 transactions: their numbers, what names a repeated start, and what a refused one leaves behind."""

from sqlalchemy import bindparam, insert, select, update

from tapwatt.platform.tables import TRANSACTION
from tapwatt.store import Row, Transaction

NUMBER_DIGITS_MAX = 18

ADD_TRANSACTION = insert(TRANSACTION).returning(TRANSACTION.c.transaction_id)
FIND_START = select(TRANSACTION).where(
    TRANSACTION.c.operator_id == bindparam("operator_id"),
    TRANSACTION.c.station_id == bindparam("station_id"),
    TRANSACTION.c.evse_id == bindparam("evse_id"),
    TRANSACTION.c.id_token == bindparam("id_token"),
    TRANSACTION.c.started_ms == bindparam("started_ms"),
)
FIND_TRANSACTION = select(TRANSACTION).where(
    TRANSACTION.c.operator_id == bindparam("operator_id"),
    TRANSACTION.c.station_id == bindparam("station_id"),
    TRANSACTION.c.transaction_id == bindparam("transaction_id"),
)
STOP_TRANSACTION = (
    update(TRANSACTION)
    .where(TRANSACTION.c.transaction_id == bindparam("transaction"))
    .values(stopped_ms=bindparam("at_ms"), stop_register_wh=bindparam("stop_wh"))
)
SET_VERDICT = (
    update(TRANSACTION)
    .where(TRANSACTION.c.transaction_id == bindparam("transaction"))
    .values(session_id=bindparam("session"), verdict=bindparam("verdict_text"))
)


def find(tx: Transaction, station: Row, transaction_id: str) -> Row | None:
    """The transaction of a station by its number; None when we never gave that number ("-1", 0, text)."""
    digits = transaction_id.isascii() and transaction_id.isdigit()
    if not digits or len(transaction_id) > NUMBER_DIGITS_MAX:
        return None
    return tx.one(
        FIND_TRANSACTION,
        operator_id=station.operator_id,
        station_id=station.station_id,
        transaction_id=int(transaction_id),
    )


def unpaid(transaction: Row, stop_register_wh: int | None) -> str:
    """What is said of a transaction that nobody paid for: its energy is the operator's loss, to be seen."""
    if stop_register_wh is None:
        return "orphan: a refused transaction ended, without a register"
    lost_wh = stop_register_wh - transaction.register_wh
    return f"orphan: {lost_wh} Wh delivered to a refused token" if lost_wh else "refused token, no energy"
