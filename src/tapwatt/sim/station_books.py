"""What the station keeps: register and plug of each connector, charges, and messages not yet answered.

Spec: OCPP 1.6 edition 2, section 3.7: transaction-related messages are kept until they are answered, in
order. Each function is one commit's worth of rows.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Executable, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from tapwatt.ocpp.messages import (
    MeterReported,
    Reading,
    StationMessage,
    StopReason,
    TransactionStarted,
    TransactionStopped,
)
from tapwatt.sim.tables import CHARGE, CONNECTOR, STATION_MESSAGE
from tapwatt.store import Row, Transaction

MOST_UNSENT: Final = 5_000
"""Beyond this readings of the meter are let go; starts and stops never."""
_KINDS: Final[dict[str, type[Any]]] = {
    "start": TransactionStarted,
    "meter": MeterReported,
    "stop": TransactionStopped,
}
UNKNOWN_TRANSACTION: Final = "-1"

_CONNECTORS: Executable = select(CONNECTOR).order_by(CONNECTOR.c.evse_id)
_SET_CONNECTOR: Executable = (
    upsert(CONNECTOR)
    .values(
        {name: bindparam(name) for name in ("evse_id", "plugged", "register_wh", "updated_ms")},
    )
    .on_conflict_do_update(
        index_elements=[CONNECTOR.c.evse_id],
        set_={name: bindparam(name) for name in ("plugged", "register_wh", "updated_ms")},
    )
)
_ADD_CHARGE: Executable = insert(CHARGE).returning(CHARGE.c.id)
_RUNNING: Executable = select(CHARGE).where(CHARGE.c.stopped_ms.is_(None)).order_by(CHARGE.c.id)
_STOP_CHARGE: Executable = (
    update(CHARGE)
    .where(CHARGE.c.id == bindparam("charge"))
    .values(
        stop_wh=bindparam("new_wh"), reason=bindparam("new_reason"), stopped_ms=bindparam("new_stopped_ms")
    )
)
_SET_TRANSACTION: Executable = (
    update(CHARGE)
    .where(CHARGE.c.id == bindparam("charge"))
    .values(transaction_id=bindparam("new_transaction_id"))
)
_NAMED: Executable = select(CHARGE.c.id, CHARGE.c.transaction_id).where(
    CHARGE.c.transaction_id.is_not(None),
    CHARGE.c.id.in_(select(STATION_MESSAGE.c.charge_id)),
)
_BETWEEN: Executable = (
    select(CHARGE)
    .where(CHARGE.c.started_ms >= bindparam("from_ms"), CHARGE.c.started_ms <= bindparam("to_ms"))
    .order_by(CHARGE.c.id)
    .limit(500)
)
_ADD_MESSAGE: Executable = insert(STATION_MESSAGE)
_MESSAGES: Executable = select(STATION_MESSAGE).order_by(STATION_MESSAGE.c.id).limit(bindparam("most"))
_UNSENT: Executable = select(func.count().label("number")).select_from(STATION_MESSAGE)
_UNSENT_OF: Executable = (
    select(func.count().label("number"))
    .select_from(STATION_MESSAGE)
    .where(STATION_MESSAGE.c.charge_id == bindparam("charge"))
)
_DONE: Executable = delete(STATION_MESSAGE).where(STATION_MESSAGE.c.id == bindparam("message_id"))


def connectors(tx: Transaction) -> list[Row]:
    """The connectors as they were last stored."""
    return tx.run(_CONNECTORS)


def set_connector(tx: Transaction, *, evse_id: int, plugged: bool, register_wh: int, now_ms: int) -> None:
    """Store plug and register."""
    tx.run(_SET_CONNECTOR, evse_id=evse_id, plugged=int(plugged), register_wh=register_wh, updated_ms=now_ms)


def begin(tx: Transaction, *, evse_id: int, id_token: str, register_wh: int, now_ms: int) -> int:
    """A charge begins: its row and its StartTransaction. Returns the station's own number of it."""
    row = tx.one(
        _ADD_CHARGE,
        evse_id=evse_id,
        id_token=id_token,
        transaction_id=None,
        start_wh=register_wh,
        stop_wh=None,
        reason=None,
        started_ms=now_ms,
        stopped_ms=None,
    )
    if row is None:
        raise LookupError("a charge got no number")
    charge_id = int(row.id)
    message = TransactionStarted(evse_id=evse_id, id_token=id_token, register_wh=register_wh, at_ms=now_ms)
    _add(tx, charge_id, message, now_ms)
    return charge_id


def meter(
    tx: Transaction, *, charge_id: int, evse_id: int, register_wh: int, power_w: int, now_ms: int
) -> None:
    """A reading of a running charge, for the CSMS."""
    unsent = tx.one(_UNSENT)
    if unsent is not None and unsent.number >= MOST_UNSENT:
        return
    reading = Reading(at_ms=now_ms, register_wh=register_wh, power_w=power_w)
    message = MeterReported(evse_id=evse_id, transaction_id=UNKNOWN_TRANSACTION, readings=(reading,))
    _add(tx, charge_id, message, now_ms)


def stop(
    tx: Transaction,
    *,
    charge_id: int,
    id_token: str,
    register_wh: int,
    reason: StopReason,
    at_ms: int,
    now_ms: int,
) -> None:
    """A charge ended at `at_ms`: its row and its StopTransaction."""
    tx.run(_STOP_CHARGE, charge=charge_id, new_wh=register_wh, new_reason=reason, new_stopped_ms=at_ms)
    message = TransactionStopped(
        transaction_id=UNKNOWN_TRANSACTION,
        register_wh=register_wh,
        at_ms=at_ms,
        id_token=id_token,
        reason=reason,
    )
    _add(tx, charge_id, message, now_ms)


def recover(tx: Transaction, *, now_ms: int) -> list[int]:
    """After a power cut: end what was running, with the register stored last. The connectors concerned."""
    stored = {row.evse_id: row for row in connectors(tx)}
    cut: list[int] = []
    for charge in tx.run(_RUNNING):
        connector = stored[charge.evse_id]
        stop(
            tx,
            charge_id=charge.id,
            id_token=charge.id_token,
            register_wh=max(connector.register_wh, charge.start_wh),
            reason=StopReason.POWER_LOSS,
            at_ms=max(connector.updated_ms, charge.started_ms),
            now_ms=now_ms,
        )
        cut.append(charge.evse_id)
    return cut


def named(tx: Transaction, *, charge_id: int, transaction_id: str) -> None:
    """The CSMS has given a charge its number."""
    tx.run(_SET_TRANSACTION, charge=charge_id, new_transaction_id=transaction_id)


def names(tx: Transaction) -> dict[str, str]:
    """The CSMS's numbers of charges that still have messages to send, by the station's own."""
    return {str(row.id): row.transaction_id for row in tx.run(_NAMED)}


def running(tx: Transaction) -> dict[int, str]:
    """The CSMS's numbers of the charges that run, "" before it has given one."""
    return {row.id: row.transaction_id or "" for row in tx.run(_RUNNING)}


def unsent(tx: Transaction, *, most: int) -> list[Row]:
    """Messages not yet answered, in order."""
    return tx.run(_MESSAGES, most=most)


def unsent_of(tx: Transaction, charge_id: int) -> int:
    """How many messages of a charge wait for their answer."""
    row = tx.one(_UNSENT_OF, charge=charge_id)
    return 0 if row is None else int(row.number)


def done(tx: Transaction, message_id: int) -> None:
    """A message was answered."""
    tx.run(_DONE, message_id=message_id)


def between(tx: Transaction, from_ms: int, to_ms: int) -> list[Row]:
    """The charges begun in a time, oldest first."""
    return tx.run(_BETWEEN, from_ms=from_ms, to_ms=to_ms)


def read_message(row: Row) -> StationMessage:
    """A stored message back."""
    message: StationMessage = msgspec.json.decode(row.body, type=_KINDS[row.kind])
    return message


def _add(tx: Transaction, charge_id: int, message: StationMessage, now_ms: int) -> None:
    kind = next(name for name, each in _KINDS.items() if isinstance(message, each))
    body = msgspec.json.encode(message).decode()
    tx.run(_ADD_MESSAGE, charge_id=charge_id, kind=kind, body=body, at_ms=now_ms)
