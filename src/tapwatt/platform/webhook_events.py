"""What is told to the addresses that asked for it: an event's row stands in the commit of what it tells.

Nothing is written for events that no webhook of the operator wants. The id of an event is made from what
happened, so that it is the same however often it is sent: a receiver knows a repeat by it.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from tapwatt.core import events
from tapwatt.core.effects import Effect
from tapwatt.core.payment_state import PaymentState
from tapwatt.core.session import Session, SessionState
from tapwatt.engine import Step
from tapwatt.platform.tables import WEBHOOK, WEBHOOK_DELIVERY, WEBHOOK_EVENT
from tapwatt.store import Transaction

Json = dict[str, Any]
TEST = "webhook.test"
EVENTS = (
    "session.started", "session.closed", "session.failed", "session.review",
    "payment.captured", "payment.released", "payment.refunded",
    "receipt.issued", "alarm.raised", "tariff.published", "station.offline", "station.online",
)  # fmt: skip
"""What can be asked for. A test event goes to an address whether it is asked for or not."""
ON, OFF = "on", "off"
WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given up"

_W = WEBHOOK.c
LISTENING = select(_W.webhook_id, _W.events).where(_W.operator_id == bindparam("operator_id"), _W.state == ON)
ADD_EVENT = insert(WEBHOOK_EVENT)
ADD_DELIVERY = insert(WEBHOOK_DELIVERY)
SESSION_ENDS = {
    SessionState.CLOSED: "session.closed",
    SessionState.FAILED: "session.failed",
    SessionState.REVIEW: "session.review",
}
PAYMENT_ENDS = {
    PaymentState.CAPTURED: "payment.captured",
    PaymentState.REVERSED: "payment.released",
    PaymentState.REFUNDED: "payment.refunded",
}


def happened(tx: Transaction, name: str, *, operator_id: str, subject: str, data: Json, at_ms: int) -> None:
    """Write an event down for every webhook that wants it, to be sent at once. `subject` names what happened
    so that no other event of that name has the same."""
    wanted = [
        row.webhook_id for row in tx.run(LISTENING, operator_id=operator_id) if name in json.loads(row.events)
    ]
    if wanted:
        event_id = id_of(operator_id, name, subject)
        add(tx, event_id, name, operator_id=operator_id, webhook_ids=wanted, data=data, at_ms=at_ms)


def add(
    tx: Transaction,
    event_id: str,
    name: str,
    *,
    operator_id: str,
    webhook_ids: list[str],
    data: Json,
    at_ms: int,
) -> None:
    """Write an event and its deliveries."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    body = json.dumps({"type": name, "timestamp": moment.replace("+00:00", "Z"), "data": data})
    named = {"operator_id": operator_id, "event_id": event_id}
    tx.run(ADD_EVENT, **named, name=name, body=body, at_ms=at_ms)
    for webhook_id in webhook_ids:
        row = {"state": WAITING, "attempts": 0, "due_ms": at_ms, "at_ms": at_ms}
        tx.run(ADD_DELIVERY, **named, webhook_id=webhook_id, **row)


def id_of(operator_id: str, name: str, subject: str) -> str:
    """The id of an event."""
    return "evt_" + hashlib.sha256(f"{operator_id}\n{name}\n{subject}".encode()).hexdigest()[:32]


def of_step(tx: Transaction, step: Step[Session, events.Happened, Effect]) -> None:
    """Tell what a step of a session changed."""
    before, state = step.before, step.state
    names = []
    if state.started_ms is not None and (before is None or before.started_ms is None):
        names.append("session.started")
    if before is None or before.state is not state.state:
        names += [SESSION_ENDS[state.state]] if state.state in SESSION_ENDS else []
    paid, was = state.payment, before.payment if before else None
    if paid is not None and (was is None or was.state is not paid.state):
        names += [PAYMENT_ENDS[paid.state]] if paid.state in PAYMENT_ENDS else []
    for name in names:
        happened(
            tx,
            name,
            operator_id=state.operator_id,
            subject=f"{step.machine_id}@{step.version}",
            data=session_data(state),
            at_ms=step.event.at_ms,
        )


def session_data(state: Session) -> Json:
    """What an event tells of a session; the rest is asked for by its id."""
    paid = state.payment
    return {
        "session_id": state.session_id,
        "state": state.state.value,
        "reason": state.reason.value,
        "station_id": state.station_id,
        "evse_id": state.evse_id,
        "reference": state.reference,
        "currency": state.tariff.currency,
        "energy_wh": state.meter.delivered_wh if state.meter else 0,
        "authorised_minor": paid.authorised_minor if paid else 0,
        "captured_minor": paid.captured_minor if paid else 0,
        "released_minor": paid.released_minor if paid else 0,
    }
