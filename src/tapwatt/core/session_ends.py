"""Rows of the session table for its end: late news, outcomes, a person's decision, and the watch over what
stays open."""

from dataclasses import replace
from typing import Any

from tapwatt.core import payment, screen
from tapwatt.core import session_clock as clock
from tapwatt.core import session_moves as move
from tapwatt.core.bill import limited
from tapwatt.core.effects import Effect, IssueReceipt, Notify
from tapwatt.core.events import (
    Decided,
    GivenUp,
    Happened,
    Reminded,
    Started,
    Stopped,
)
from tapwatt.core.payment import PaymentState
from tapwatt.core.session_books import driver_receipt
from tapwatt.core.session_state import FAILURES, Make, Reason, Session, SessionState, number
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.usage import Usage

Decision = tuple[Session, tuple[Effect, ...]]
S = SessionState
P = PaymentState
WATCHES_MAX = 6


def started_late(session: Session, event: Started) -> Decision:
    """A start after the payment was over: stop it; its energy is a loss, never captured on the dead hold."""
    if session.transaction_id is not None:
        return session, ()
    return move.abandon(move.running(session, event), event.at_ms)


def most_to_take_minor(session: Session) -> int:
    """What a person may have taken at most: no more than the bill, and never above the confirmed hold."""
    paid = session.payment
    if session.bill is None or paid is None or paid.captured_minor:
        return 0
    return min(session.bill.gross_minor, paid.authorised_minor)


def decided(session: Session, event: Decided) -> Decision:
    """A person has looked: take this much of the hold, or give it all back. What is not taken is a loss."""
    judged = replace(session, detail=f"decided by {event.by}: {event.why}")
    if event.amount_minor <= 0:
        lost_minor = session.bill.gross_minor if session.bill else 0
        return move.give_all_back(
            replace(judged, lost_minor=session.lost_minor + lost_minor), event, session.reason
        )
    bill = session.bill or price(session.tariff, Usage(started_ms=event.at_ms), session.site.rounding)
    amount_minor = min(event.amount_minor, move.payment_of(session).authorised_minor)
    lost_minor = max(0, bill.gross_minor - amount_minor)
    agreed = limited(bill, amount_minor)
    return move.take(replace(judged, bill=agreed, lost_minor=session.lost_minor + lost_minor), event.at_ms)


def stopped_unanswered(session: Session, event: Stopped) -> Decision:
    """The charge ended before its hold was confirmed: its energy is a loss."""
    over, _ = stopped_late(replace(session, late=True), event)
    after, effects = move.pay(over, GivenUp(at_ms=event.at_ms))
    closing, more = move.close(after, Reason.NO_ANSWER, event.at_ms)
    return closing, (*effects, *more)


def stopped_late(session: Session, event: Stopped) -> Decision:
    """The end of a transaction that nobody pays for, or a repeat of one that was paid."""
    if session.stopped_ms is not None:
        return session, ()
    if session.bill is not None:
        return _stopped_after_billing(session, event), ()
    if not session.late:
        return session, ()
    over = replace(move.take_reading(session, event), stopped_ms=event.at_ms)
    lost_minor = move.billed(over).gross_minor if over.meter else 0
    return replace(over, lost_minor=over.lost_minor + lost_minor), ()


def settle_unstopped(session: Session, event: Happened) -> Decision:
    """The hold's last day, and its station has not stopped: what the last reading proves is taken. With a
    doubt a person decides, today."""
    billed = replace(session, bill=move.billed(session))
    text = f"session {session.session_id}: its hold ends, its station does not stop, last reading billed"
    alarmed, alarm = number(billed, lambda key: Notify(key=key, text=text))
    if doubts := move.doubts_of(billed):
        after, effects = move.hand_over(alarmed, Reason.DOUBTFUL_ENERGY, "; ".join(doubts), event.at_ms)
    elif billed.bill is None or billed.bill.gross_minor <= 0:
        after, effects = move.give_all_back(alarmed, event, Reason.NOTHING_DELIVERED)
    else:
        after, effects = move.take(alarmed, event.at_ms)
    return after, (*alarm, *effects)


def _stopped_after_billing(session: Session, event: Stopped) -> Session:
    """The end of a charge that was billed on its last reading: what flowed after that is a loss, counted
    once."""
    over = replace(move.take_reading(session, event), stopped_ms=event.at_ms)
    whole = move.billed(over) if over.meter else None
    paid = session.payment
    if whole is None or paid is None:
        return replace(session, stopped_ms=event.at_ms)
    if session.state is S.REVIEW and not paid.capture_minor:
        return replace(over, bill=whole)  # nobody has decided yet: the person sees all of it
    # Receipt and bill stay as they were issued; the meter stays with them.
    taken_minor = 0 if paid.state in (P.REVERSING, P.REVERSED) else paid.capture_minor
    more_minor = max(0, whole.gross_minor - taken_minor - session.lost_minor)
    return replace(session, stopped_ms=event.at_ms, lost_minor=session.lost_minor + more_minor)


def payment_moved(session: Session, event: Any) -> Decision:
    """An outcome while closing, in review or after the end: end when the payment has ended."""
    after, effects = move.pay(session, event)
    match move.payment_of(after).state:
        case P.CAPTURED | P.REFUNDED | P.VOIDED if session.state is not S.CLOSED:
            moved, more = _paid(after, event.at_ms)
        case P.REVERSED | P.DECLINED if session.state not in (S.CLOSED, S.FAILED):
            end = S.FAILED if after.reason in FAILURES else S.CLOSED
            moved, more = move.ended(after, end, event.at_ms, after.reason), ()
        case P.REVIEW if session.state is not S.REVIEW:
            moved, more = move.hand_over(
                after, Reason.PAYMENT_REVIEW, move.payment_of(after).reason, event.at_ms
            )
        case P.REVERSING if session.state is not S.CLOSING:
            moved, more = move.close(after, after.reason, event.at_ms)
        case now if now in payment.OPEN and after.deadline_ms is None:
            moved, more = replace(after, deadline_ms=event.at_ms + after.limits.settle_ms), ()
        case _:
            moved, more = after, ()
    return moved, (*effects, *more)


def hold_expires_at_the_end(session: Session, event: Happened) -> Decision:
    """The last day to take anything from a hold that waits for a person or for its capture: a person hears of
    it once more."""
    paid = session.payment
    if session.expiring or paid is None or not paid.authorised_minor:
        return session, ()
    if paid.captured_minor or paid.state not in clock.HELD:
        return session, ()
    waits = session.state is S.REVIEW
    what = "its hold ends, decide today" if waits else "its hold ends, and nobody has confirmed its capture"
    text = f"session {session.session_id}: {what}"
    later = replace(session, deadline_ms=event.at_ms + session.limits.settle_ms)
    return number(later, lambda key: Notify(key=key, text=text))


def watch(session: Session, event: Happened) -> Decision:
    """Something is still open long after it should have ended: ask again, and let a person know once."""
    paid = session.payment
    waits = paid is not None and paid.state in payment.OPEN
    stop = move.stop_if_running(session)
    if not waits and not stop:
        return replace(session, deadline_ms=None), ()
    asked, effects = move.pay(session, Reminded(at_ms=event.at_ms)) if waits else (session, ())
    tries = session.watches + 1
    pause_ms = session.limits.settle_ms * 2 ** min(tries, WATCHES_MAX)
    watched = replace(asked, watches=tries, deadline_ms=event.at_ms + pause_ms)
    what = f"its payment is {paid.state}" if paid and waits else "its station does not stop"
    text = f"session {session.session_id} is not over: {what}"
    alarm: tuple[Make, ...] = (lambda key: Notify(key=key, text=text),) if tries == 1 else ()
    numbered, more = number(watched, *stop, *alarm)
    return numbered, (*effects, *more)


def _paid(session: Session, at_ms: int) -> Decision:
    closed = move.ended(session, S.CLOSED, at_ms, session.reason)
    purchase = driver_receipt(closed)
    if purchase is None:
        return closed, ()
    return number(closed, lambda key: IssueReceipt(key=key, purchase=purchase), *screen.receipt(closed))
