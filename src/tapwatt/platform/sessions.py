"""Sessions as durable machines, and the rows that are written in the same commit as a session's step."""

from collections.abc import Callable

from sqlalchemy import insert

from tapwatt.core import effects, events, session
from tapwatt.core.session import Session, SessionState
from tapwatt.engine import Machine, Step, Stepper
from tapwatt.platform import facts, receipts, webhook_events
from tapwatt.platform.tables import ALARM, ENTRY, POSTING
from tapwatt.store import Transaction

S = SessionState
AT_CONNECTOR = (S.OFFERED, S.AUTHORISING, S.READY, S.STARTING, S.CHARGING, S.STOPPING)
"""States in which a session keeps its connector to itself."""

Event = events.Happened
SessionStep = Step[Session, Event, effects.Effect]


def connector_key(station_id: str, evse_id: int) -> str:
    """The name under which the session at a connector is found."""
    return f"{station_id}/{evse_id}"


def transaction_key(station_id: str, transaction_id: str) -> str:
    """The name under which the session of an OCPP transaction is found."""
    return f"{station_id}#{transaction_id}"


def index(state: Session) -> dict[str, str]:
    """What a session can be found by: its one-use token for ever, its connector while it is there."""
    keys = {"reference": state.reference}
    if state.remote:
        keys["token"] = state.id_token
    if state.state in AT_CONNECTOR:
        keys["connector"] = connector_key(state.station_id, state.evse_id)
    if state.transaction_id is not None:
        keys["transaction"] = transaction_key(state.station_id, state.transaction_id)
    return keys


def metered_session(
    stepper: Stepper[Session, Event, effects.Effect],
    station_id: str,
    evse_id: int,
    *,
    transaction_id: str | None,
) -> str | None:
    """The session that a reading belongs to, or None. One that was asked for need not name its transaction
    (OCPP 1.6, 5.17 and 6.31): then it is that of the connector."""
    if transaction_id is not None:
        return stepper.find("transaction", transaction_key(station_id, transaction_id))
    session_id = stepper.find("connector", connector_key(station_id, evse_id))
    present = stepper.load(session_id) if session_id else None
    return session_id if present is not None and present.transaction_id is not None else None


SESSIONS: Machine[Session, Event, effects.Effect] = Machine(
    name="session",
    decide=session.decide,
    state_type=Session,
    events=events.EVENTS,
    effects=effects.EFFECTS,
    owner=lambda state: state.operator_id,
    status=lambda state: state.state,
    due_ms=lambda state: state.deadline_ms,
    tick=lambda now_ms: events.Ticked(at_ms=now_ms),
    lane=effects.lane,
    index=index,
)

ADD_POSTING = insert(POSTING)
ADD_ENTRY = insert(ENTRY)
ADD_ALARM = insert(ALARM)


def record(tx: Transaction, step: SessionStep, *, chance: Callable[[int], bytes]) -> frozenset[int]:
    """Write the facts, postings, receipts and alarms of a step inside its own commit. `chance` gives so
    many random bytes, for the links of receipts."""
    facts.remember(tx, step)
    webhook_events.of_step(tx, step)
    written = set()
    for place, effect in enumerate(step.effects):
        match effect:
            case effects.Post():
                _post(tx, step, effect)
            case effects.IssueReceipt():
                receipts.issue(
                    tx,
                    operator_id=step.state.operator_id,
                    key=effect.key,
                    purchase=effect.purchase,
                    chance=chance(receipts.TOKEN_BYTES),
                    at_ms=step.event.at_ms,
                )
            case effects.Notify():
                _alarm(tx, step, effect)
            case _:
                continue
        written.add(place)
    return frozenset(written)


def _post(tx: Transaction, step: SessionStep, effect: effects.Post) -> None:
    owner, posting = step.state.operator_id, effect.posting
    tx.run(
        ADD_POSTING,
        operator_id=owner,
        key=effect.key,
        session_id=step.machine_id,
        kind=posting.kind,
        currency=posting.currency,
        at_ms=step.event.at_ms,
    )
    for place, entry in enumerate(posting.entries):
        tx.run(
            ADD_ENTRY,
            operator_id=owner,
            posting_key=effect.key,
            place=place,
            account=entry.account,
            amount_minor=entry.amount_minor,
        )


def _alarm(tx: Transaction, step: SessionStep, effect: effects.Notify) -> None:
    alarm = {
        "key": f"{effect.key}@{step.version}",
        "session_id": step.machine_id,
        "text": effect.text,
        "at_ms": step.event.at_ms,
    }
    owner, at_ms = step.state.operator_id, step.event.at_ms
    tx.run(ADD_ALARM, operator_id=owner, **alarm)
    subject = str(alarm["key"])
    webhook_events.happened(tx, "alarm.raised", operator_id=owner, subject=subject, data=alarm, at_ms=at_ms)
