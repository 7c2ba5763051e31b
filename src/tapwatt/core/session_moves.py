"""The moves that rows of the session table share: ask the payment, read the meter, close, hand over to a
person."""

from dataclasses import replace
from itertools import pairwise

from tapwatt.core import payment, screen
from tapwatt.core.bill import Bill, limited
from tapwatt.core.effects import Effect, StopCharging
from tapwatt.core.energy import Meter, begin, read
from tapwatt.core.events import (
    CaptureWanted,
    Happened,
    Metered,
    ReleaseWanted,
    Started,
    Stopped,
)
from tapwatt.core.session_state import Make, Reason, Session, SessionState, number
from tapwatt.core.tariff.metering import grown, is_full
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.usage import Sample, Usage, stretch

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
        usage=Usage(
            started_ms=event.read_ms,
            time_zone=session.site.time_zone,
            evse_kind=session.site.evse_kind,
        ),
        started_ms=event.at_ms,
    )


def take(session: Session, at_ms: int) -> Decision:
    """Capture what the bill says, never above the confirmed hold; what is above it is a loss."""
    bill, authorised_minor = session.bill, payment_of(session).authorised_minor
    if bill is None:
        raise ValueError(f"session {session.session_id} has no bill to capture")
    over_hold = max(0, bill.gross_minor - authorised_minor)
    if over_hold:
        bill = limited(bill, authorised_minor)
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
    """What the tariff prices: the energy on the meter and the time it took, and how it is paid."""
    if session.usage is None:
        raise ValueError(f"session {session.session_id} has no meter")
    brand = session.payment.brand if session.payment else None
    return replace(session.usage, payment_brand=brand)


def billed(session: Session) -> Bill:
    """The bill of what is on the meter, rounded as the station's country does."""
    return price(session.tariff, usage(session), session.site.rounding)


def take_reading(session: Session, event: Metered | Stopped) -> Session:
    """Take a register reading into the meter, if there is one."""
    if session.meter is None:
        return session
    meter = read(session.meter, event.register_wh, at_ms=event.read_ms, max_power_w=session.max_power_w)
    return _grow(session, session.meter, replace(session, meter=meter))


def _grow(session: Session, before: Meter, after: Session) -> Session:
    """What flowed since the last reading, added to the usage; idle as far as the car asked for nothing."""
    meter, used = after.meter, after.usage
    if meter is None or used is None or (meter.last_ms, meter.delivered_wh) == _at(before):
        return after
    samples = [Sample(at_ms=before.last_ms, register_wh=before.delivered_wh)]
    last = Sample(at_ms=meter.last_ms, register_wh=meter.delivered_wh)
    since_ms = session.idle_since_ms
    if since_ms is not None and before.last_ms < since_ms < last.at_ms:
        samples += [replace(last, at_ms=since_ms), replace(last, idle=True)]
    else:
        rests = since_ms is not None and meter.delivered_wh == before.delivered_wh
        samples.append(replace(last, idle=rests and since_ms != last.at_ms))
    for first, second in pairwise(samples):
        used = grown(after.tariff, used, stretch(first, second))
    return replace(after, usage=used)


def _at(meter: Meter) -> tuple[int, int]:
    return meter.last_ms, meter.delivered_wh


def doubts_of(session: Session) -> tuple[str, ...]:
    """Why the energy on the meter cannot be billed without somebody looking."""
    if session.meter is None:
        return ("the start was never reported",)
    if session.usage is not None and is_full(session.usage):
        return (*session.meter.doubts, "the price changed more often than is kept")
    return session.meter.doubts


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
