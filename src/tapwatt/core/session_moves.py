"""The moves that rows of the session table share: ask the payment, read the meter, close, hand over to a
person."""

from dataclasses import replace

from tapwatt.core import payment, screen
from tapwatt.core.effects import Effect, StopCharging
from tapwatt.core.energy import begin, read
from tapwatt.core.events import (
    CaptureWanted,
    Happened,
    Metered,
    ReleaseWanted,
    Started,
    Stopped,
)
from tapwatt.core.session_state import Make, Reason, Session, SessionState, number
from tapwatt.core.tariff import Usage, limited

Decision = tuple[Session, tuple[Effect, ...]]
S = SessionState


def give_all_back(session: Session, event: Happened, reason: Reason) -> Decision:
    """Nothing was delivered, or nothing is to be taken: the whole hold goes back."""
    after, effects = pay(session, ReleaseWanted(at_ms=event.at_ms))
    closing, stop = close(after, reason, event.at_ms)
    shown, lines = number(closing, *screen.given_back(after, reason))
    return shown, (*effects, *stop, *lines)


def running(session: Session, event: Started) -> Session:
    """A transaction has begun: its number, and the register it counts from."""
    return replace(
        session,
        transaction_id=event.transaction_id,
        meter=begin(event.register_wh, at_ms=event.read_ms, doubt=event.doubt),
        started_ms=event.at_ms,
    )


def take(session: Session, at_ms: int) -> Decision:
    """Capture what the bill says, never above the confirmed hold; what is above it is a loss."""
    bill, authorised_minor = session.bill, payment_of(session).authorised_minor
    if bill is None:
        raise ValueError(f"session {session.session_id} has no bill to capture")
    over_hold = max(0, bill.gross_minor - authorised_minor)
    if over_hold:
        bill = limited(session.tariff, bill, authorised_minor)
    billed = replace(session, bill=bill, lost_minor=session.lost_minor + over_hold)
    after, effects = pay(billed, CaptureWanted(at_ms=at_ms, amount_minor=bill.gross_minor))
    closing, more = close(after, session.reason, at_ms)
    return closing, (*effects, *more)


def pay(session: Session, event: object) -> Decision:
    """Let the payment take a step."""
    after, effects = payment.decide(payment_of(session), event)
    return replace(session, payment=after), effects


def payment_of(session: Session) -> payment.Payment:
    """The payment of a session that has one. Raises UnableToDecide when it has none."""
    if session.payment is None:
        raise payment.UnableToDecide(f"session {session.session_id} has no payment")
    return session.payment


def usage(session: Session) -> Usage:
    """What the tariff prices: the energy on the meter and the time it took."""
    meter = session.meter
    if meter is None:
        raise ValueError(f"session {session.session_id} has no meter")
    return Usage(energy_wh=meter.delivered_wh, started_ms=meter.first_ms, ended_ms=meter.last_ms)


def take_reading(session: Session, event: Metered | Stopped) -> Session:
    """Take a register reading into the meter, if there is one."""
    if session.meter is None:
        return session
    meter = read(session.meter, event.register_wh, at_ms=event.read_ms, max_power_w=session.max_power_w)
    return replace(session, meter=meter)


def doubts_of(session: Session) -> tuple[str, ...]:
    """Why the energy on the meter cannot be billed without somebody looking."""
    return session.meter.doubts if session.meter else ("the start was never reported",)


def close(session: Session, reason: Reason, at_ms: int) -> Decision:
    """Wait for the payment to find its end; if that takes long, somebody asks again."""
    closing = replace(
        session, state=S.CLOSING, reason=reason, watches=0, deadline_ms=at_ms + session.limits.settle_ms
    )
    return abandon(closing, at_ms)


def hand_over(session: Session, reason: Reason, detail: str, at_ms: int) -> Decision:
    """A person has to look, and why."""
    review = replace(
        session,
        state=S.REVIEW,
        reason=reason,
        detail=detail,
        watches=0,
        deadline_ms=at_ms + session.limits.settle_ms,
    )
    return abandon(review, at_ms)


def abandon(session: Session, at_ms: int) -> Decision:
    """A car that still charges when its session is over: stop it; from here its energy is a loss."""
    stop = stop_if_running(session)
    if not stop:
        return session, ()
    return number(replace(session, late=True, deadline_ms=at_ms + session.limits.stop_ms), *stop)


def ended(session: Session, state: SessionState, at_ms: int, reason: Reason) -> Session:
    """The session is over; a car that still charges is watched on."""
    deadline_ms = session.deadline_ms if stop_if_running(session) else None
    return replace(session, state=state, closed_ms=at_ms, reason=reason, deadline_ms=deadline_ms)


def stop_if_running(session: Session) -> tuple[Make, ...]:
    """The order to stop, if a transaction runs."""
    transaction_id = session.transaction_id
    if transaction_id is None or session.stopped_ms is not None:
        return ()
    return (lambda key: StopCharging(key=key, station_id=session.station_id, transaction_id=transaction_id),)
