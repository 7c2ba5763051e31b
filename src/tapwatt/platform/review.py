"""The review queue: what waits for a person, what the person is shown, and what may be decided.

A session comes here when its energy is in doubt or its payment will not end; a station's message when it
belongs to no session. Everything names the operator, and who decided what and why stays in the session's
events.
"""

import json
from typing import Any

from sqlalchemy import bindparam, insert, select

from tapwatt.core.events import Decided
from tapwatt.core.money import show
from tapwatt.core.payment import UnableToDecide
from tapwatt.core.session import Session, SessionState
from tapwatt.core.session_ends import most_to_take_minor
from tapwatt.engine import Stepper
from tapwatt.platform import views
from tapwatt.platform.sessions import SESSIONS, Event
from tapwatt.platform.tables import ALARM, ALARM_SEEN, STATION_MESSAGE
from tapwatt.store import Row, Transaction

Json = dict[str, Any]
QUEUE_MAX = 50
READINGS_SHOWN = 12

FIND_ALARM = select(ALARM.c.key).where(
    ALARM.c.operator_id == bindparam("operator_id"), ALARM.c.key == bindparam("key")
)
FIND_MESSAGE = select(STATION_MESSAGE.c.id).where(
    STATION_MESSAGE.c.operator_id == bindparam("operator_id"), STATION_MESSAGE.c.id == bindparam("id")
)
FIND_SEEN = select(ALARM_SEEN.c.key).where(
    ALARM_SEEN.c.operator_id == bindparam("operator_id"), ALARM_SEEN.c.key == bindparam("key")
)
ADD_SEEN = insert(ALARM_SEEN)
NOTED = (
    select(ALARM_SEEN.c.key, ALARM_SEEN.c.seen_by, ALARM_SEEN.c.at_ms.label("seen_ms"), ALARM.c.text,
           ALARM.c.session_id, ALARM.c.at_ms)
    .join(ALARM, (ALARM.c.operator_id == ALARM_SEEN.c.operator_id) & (ALARM.c.key == ALARM_SEEN.c.key),
          isouter=True)
    .where(ALARM_SEEN.c.operator_id == bindparam("operator_id"))
    .order_by(ALARM_SEEN.c.at_ms.desc(), ALARM_SEEN.c.key)
    .limit(30)
)  # fmt: skip


def queue(tx: Transaction, *, operator_id: str, now_ms: int) -> Json:
    """Sessions in review, oldest first, and alarms and orphan messages that nobody has taken note of."""
    rows = sorted(tx.run(views.IN_REVIEW, operator_id=operator_id), key=lambda row: int(row.updated_ms))
    name = tx.one(views.NAME, operator_id=operator_id)
    return {
        "now_ms": now_ms,
        "operator": name.name if name else operator_id,
        "sessions": [_in_doubt(tx, operator_id, row) for row in rows[:QUEUE_MAX]],
        "sessions_left_out": max(0, len(rows) - QUEUE_MAX),
        "alarms": views.alarms(tx, operator_id=operator_id),
    }


def _in_doubt(tx: Transaction, operator_id: str, row: Row) -> Json:
    state = SESSIONS.state(row.state)
    read = tx.run(views.READINGS, operator_id=operator_id, session_id=state.session_id)
    bodies = [json.loads(each.body) for each in read[:READINGS_SHOWN]]
    meter = state.meter
    return {
        **views.session(row),
        "most_minor": most_to_take_minor(state),
        "doubts": list(meter.doubts) if meter else ["the start was never reported"],
        "register_begin_wh": meter.first_wh if meter else None,
        "register_end_wh": meter.last_wh if meter else None,
        "readings": [
            {"read_ms": body["read_ms"], "register_wh": body["register_wh"]} for body in reversed(bodies)
        ],
        "in_review_since_ms": row.updated_ms,
    }


def decide(
    stepper: Stepper[Session, Event, Any],
    *,
    operator_id: str,
    session_id: str,
    amount_minor: int,
    by: str,
    why: str,
    at_ms: int,
) -> bool:
    """Have an amount taken from the hold of a session in review, or with 0 all of it given back.

    False when the operator has no such session. Raises UnableToDecide when it is not in review, or when the
    amount is more than the bill or the confirmed hold.
    """
    state = stepper.load(session_id)
    if state is None or state.operator_id != operator_id:
        return False
    if state.state is not SessionState.REVIEW:
        raise UnableToDecide(f"session {session_id} is {state.state}, not in review")
    most_minor = most_to_take_minor(state)
    if not 0 <= amount_minor <= most_minor:
        most = show(most_minor, currency=state.tariff.currency)
        raise UnableToDecide(f"at most {most} can be taken: no more than the bill and the confirmed hold")
    stepper.step(session_id, Decided(at_ms=at_ms, amount_minor=amount_minor, by=by, why=why))
    return True


def noted(tx: Transaction, *, operator_id: str) -> list[Json]:
    """The last alarms and stray messages that somebody took note of; of a message only its key is told."""
    return [row._asdict() for row in tx.run(NOTED, operator_id=operator_id)]


def acknowledge(tx: Transaction, *, operator_id: str, key: str, by: str, at_ms: int) -> bool:
    """Take note of an alarm or an orphan message: it waits no more. False when there is none of that key."""
    number = key.removeprefix(views.ORPHAN)
    if number != key:
        known = number.isdecimal() and tx.one(FIND_MESSAGE, operator_id=operator_id, id=int(number[:18]))
    else:
        known = tx.one(FIND_ALARM, operator_id=operator_id, key=key)
    if not known:
        return False
    if tx.one(FIND_SEEN, operator_id=operator_id, key=key) is None:
        tx.run(ADD_SEEN, operator_id=operator_id, key=key, seen_by=by, at_ms=at_ms)
    return True
