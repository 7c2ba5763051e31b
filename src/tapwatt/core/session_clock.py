"""When a session wakes by itself while its hold is used: before the money runs out, and before the hold does.

A station need not send meter values, so a charge cannot wait for them: it wakes when the rest of its hold
could be used up at full power. A hold ends at its `capture_before_ms`; what has to be done before it is done
a while earlier, because the parties may be slow.
"""

from dataclasses import replace

from tapwatt.core.events import Happened, HoldExpiring, Ticked
from tapwatt.core.hold import LOOK_AHEAD_MS, time_left_ms
from tapwatt.core.payment import PaymentState
from tapwatt.core.session_state import Session

P = PaymentState
HELD = (P.AUTHORISED, P.INCREASING, P.CAPTURING, P.REVIEW)
"""Payments whose hold can still run out under us."""


def stay_ends_ms(session: Session, at_ms: int) -> int:
    """When a charge has taken as long as any may."""
    return (session.started_ms or at_ms) + session.limits.session_ms


def wakes_ms(session: Session, at_ms: int) -> int:
    """When a charge has to be looked at: while there is time to ask for a reading and then to stop it."""
    paid, used, limits = session.payment, session.usage, session.limits
    end_ms = stay_ends_ms(session, at_ms)
    if paid is None or used is None:
        return end_ms
    left_ms = time_left_ms(
        session.tariff,
        used,
        authorised_minor=paid.authorised_minor,
        max_power_w=session.max_power_w,
    )
    if left_ms is None:
        return end_ms
    ahead_ms = LOOK_AHEAD_MS + limits.reading_ms
    return min(end_ms, at_ms + max(left_ms - ahead_ms, limits.reading_ms))


def hold_ends_ms(session: Session) -> int | None:
    """When the end of the hold has to be acted upon; None when it has none, or when that was done."""
    paid = session.payment
    if paid is None or session.expiring or not paid.capture_before_ms or paid.state not in HELD:
        return None
    return None if paid.captured_minor else paid.capture_before_ms - session.limits.expiry_ms


def of_the_hold(session: Session, event: object) -> object:
    """A tick on the hold's last day is news of the hold, whatever the session waited for otherwise."""
    ends_ms = hold_ends_ms(session)
    if isinstance(event, Ticked) and ends_ms is not None and event.at_ms >= ends_ms:
        return HoldExpiring(at_ms=event.at_ms)
    return event


def with_the_hold(before: Session, event: object, after: Session) -> Session:
    """The session after a step, waking at its own time or at the end of its hold, whichever comes first."""
    if isinstance(event, HoldExpiring) and hold_ends_ms(before) is not None:
        after = replace(after, expiring=True)
    ends_ms = hold_ends_ms(after)
    if ends_ms is None or (after.deadline_ms is not None and after.deadline_ms <= ends_ms):
        return after
    return replace(after, deadline_ms=ends_ms)


def looks_ahead(session: Session, event: Happened) -> Session:
    """A charge that goes on: it wakes again when the rest of its hold could be used up."""
    return replace(session, reading_asked=False, deadline_ms=wakes_ms(session, event.at_ms))
