"""An operator's orders to a session, taken as its next event inside somebody's commit."""

from typing import Any

from tapwatt.core.events import HoldChosen, StopAsked
from tapwatt.core.session import Session, SessionState, UnableToDecide
from tapwatt.engine import Stepper
from tapwatt.platform import audit
from tapwatt.platform.access import Who
from tapwatt.platform.sessions import Event
from tapwatt.store import Transaction

Sessions = Stepper[Session, Event, Any]


def stop(tx: Transaction, stepper: Sessions, who: Who, *, session_id: str, at_ms: int) -> bool:
    """Ask for the end of a session; False when the operator has none of that name. Raises UnableToDecide when
    the session cannot take it."""
    if _own(stepper, who.operator_id, session_id) is None:
        return False
    stepper.step(session_id, StopAsked(at_ms=at_ms, by=who.name))
    audit.append(tx, who, "stop", session_id, at_ms=at_ms)
    return True


def choose_hold(
    tx: Transaction, stepper: Sessions, who: Who, *, session_id: str, amount_minor: int, at_ms: int
) -> bool:
    """Have another of the offered holds asked for; False when the operator has no such session.

    Raises UnableToDecide when the amount was not offered, or the tap has come.
    """
    state = _own(stepper, who.operator_id, session_id)
    if state is None:
        return False
    if state.state is not SessionState.OFFERED:
        raise UnableToDecide(f"session {session_id} is {state.state}: its hold is asked for already")
    if amount_minor not in (state.hold.amount_minor, *state.hold.choices_minor):
        raise UnableToDecide(f"{amount_minor} is none of the holds that were offered")
    stepper.step(session_id, HoldChosen(at_ms=at_ms, amount_minor=amount_minor))
    audit.append(tx, who, "hold chosen", session_id, at_ms=at_ms)
    return True


def _own(stepper: Sessions, operator_id: str, session_id: str) -> Session | None:
    state = stepper.load(session_id)
    return None if state is None or state.operator_id != operator_id else state
