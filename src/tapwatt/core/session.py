"""The journey of one driver as a table: offer → authorise → start → charge → stop → capture → receipt.

Start reading here. Rows are (state, event); `session_steps` says what each step does, `payment` is the table
of the money inside. What is not in the table is an error with a name; late, repeated and orphan events have
rows of their own.
"""

from tapwatt.core import session_clock as clock
from tapwatt.core import session_ends as ends
from tapwatt.core import session_steps as step
from tapwatt.core.effects import Effect
from tapwatt.core.events import (
    OUTCOMES,
    Aborted,
    AccountPresented,
    Approved,
    CannotAsk,
    CardPresented,
    Decided,
    Declined,
    FoundNone,
    FoundOpen,
    HoldChosen,
    HoldExpiring,
    Metered,
    NotSent,
    Offered,
    PluggedIn,
    Refunded,
    RefundRefused,
    RefundWanted,
    Resumed,
    Silent,
    StartAccepted,
    Started,
    StartRefused,
    StartUncertain,
    StopAccepted,
    StopAsked,
    Stopped,
    StopRefused,
    Suspended,
    Ticked,
    Unplugged,
    Voided,
    VoidRefused,
    VoidWanted,
)
from tapwatt.core.payment import UnableToDecide
from tapwatt.core.session_books import book
from tapwatt.core.session_state import FAILURES, Reason, Session, SessionState

__all__ = ["FAILURES", "TABLE", "Reason", "Session", "SessionState", "UnableToDecide", "decide"]

S = SessionState

TABLE: dict[tuple[SessionState, type], step.Row] = {
    # a driver stands at a connector
    (S.OFFERED, CardPresented): step.card_presented,
    (S.OFFERED, AccountPresented): step.account_presented,
    (S.OFFERED, HoldChosen): step.hold_chosen,
    (S.OFFERED, PluggedIn): step.plugged,
    (S.OFFERED, Unplugged): step.leave,
    (S.OFFERED, StopAsked): step.leave,
    (S.OFFERED, Ticked): step.leave,
    # the hold was asked for
    (S.AUTHORISING, Approved): step.authorisation_answered,
    (S.AUTHORISING, Declined): step.authorisation_answered,
    (S.AUTHORISING, Aborted): step.authorisation_answered,
    (S.AUTHORISING, NotSent): step.authorisation_answered,
    (S.AUTHORISING, FoundOpen): step.authorisation_answered,
    (S.AUTHORISING, FoundNone): step.authorisation_answered,
    (S.AUTHORISING, Silent): step.payment_news,
    (S.AUTHORISING, CannotAsk): step.cannot_ask,
    (S.AUTHORISING, CardPresented): step.same,
    (S.AUTHORISING, AccountPresented): step.same,
    (S.AUTHORISING, PluggedIn): step.plugged,
    (S.AUTHORISING, Unplugged): step.unplugged,
    (S.AUTHORISING, Started): step.started_unanswered,
    (S.AUTHORISING, Metered): step.metered_otherwise,
    (S.AUTHORISING, Stopped): ends.stopped_unanswered,
    (S.AUTHORISING, StopAsked): step.stop_waiting(Reason.CANCELLED),
    (S.AUTHORISING, Ticked): step.stop_waiting(Reason.NO_ANSWER),
    # paid, waiting for the car
    (S.READY, PluggedIn): step.plugged_when_ready,
    (S.READY, Unplugged): step.same,
    (S.READY, Metered): step.metered_otherwise,
    (S.READY, Stopped): step.stopped,
    (S.READY, Started): step.started,
    (S.READY, StopAsked): step.give_back(Reason.CANCELLED),
    (S.READY, Ticked): step.give_back(Reason.NOT_PLUGGED_IN),
    (S.READY, HoldExpiring): step.give_back(Reason.NOT_PLUGGED_IN),
    # paid, waiting for the station
    (S.STARTING, PluggedIn): step.same,
    (S.STARTING, StartAccepted): step.same,
    (S.STARTING, StartUncertain): step.same,
    (S.STARTING, StartRefused): step.give_back(Reason.START_REFUSED),
    (S.STARTING, Started): step.started,
    (S.STARTING, Metered): step.metered_otherwise,
    (S.STARTING, Stopped): step.stopped,
    (S.STARTING, Unplugged): step.unplugged_before_power,
    (S.STARTING, StopAsked): step.give_back(Reason.CANCELLED),
    (S.STARTING, Ticked): step.give_back(Reason.START_TIMED_OUT),
    (S.STARTING, HoldExpiring): step.give_back(Reason.START_TIMED_OUT),
    # power flows
    (S.CHARGING, Metered): step.metered,
    (S.CHARGING, Stopped): step.stopped,
    (S.CHARGING, StopAsked): step.stop_asked,
    (S.CHARGING, Ticked): step.look_again,
    (S.CHARGING, HoldExpiring): step.stop_asked,
    (S.CHARGING, Unplugged): step.unplugged,
    (S.CHARGING, PluggedIn): step.plugged,
    (S.CHARGING, Suspended): step.suspended,
    (S.CHARGING, Resumed): step.resumed,
    (S.CHARGING, Started): step.same,
    (S.CHARGING, StartAccepted): step.same,
    (S.CHARGING, StartUncertain): step.same,
    (S.CHARGING, StartRefused): step.same,
    # the station was told to stop
    (S.STOPPING, Stopped): step.stopped,
    (S.STOPPING, Metered): step.metered_otherwise,
    (S.STOPPING, StopAccepted): step.same,
    (S.STOPPING, StopRefused): step.same,
    (S.STOPPING, StopAsked): step.same,
    (S.STOPPING, HoldExpiring): step.hold_expires_while_stopping,
    (S.STOPPING, Ticked): step.stop_again,
    (S.STOPPING, Unplugged): step.unplugged,
    (S.STOPPING, PluggedIn): step.plugged,
    (S.STOPPING, Suspended): step.suspended,
    (S.STOPPING, Resumed): step.resumed,
    (S.STOPPING, Started): step.same,
    (S.STOPPING, StartAccepted): step.same,
    (S.STOPPING, StartUncertain): step.same,
    (S.STOPPING, StartRefused): step.same,
    # a person has looked
    (S.REVIEW, Decided): ends.decided,
    # a refund or a void of a session that was paid
    (S.CLOSED, RefundWanted): ends.payment_moved,
    (S.CLOSED, Refunded): ends.payment_moved,
    (S.CLOSED, RefundRefused): ends.payment_moved,
    (S.CLOSED, VoidWanted): ends.payment_moved,
    (S.CLOSED, Voided): ends.payment_moved,
    (S.CLOSED, VoidRefused): ends.payment_moved,
}

NEWS: tuple[type, ...] = (
    PluggedIn, Unplugged, StartAccepted, StartUncertain, StartRefused, StopAccepted, StopRefused, StopAsked,
    HoldExpiring,
)  # fmt: skip
PAID = (S.READY, S.STARTING, S.CHARGING, S.STOPPING)
ENDING = (S.CLOSING, S.REVIEW, S.CLOSED, S.FAILED)

# While the hold is used its outcomes are repeats, or news for the payment alone; later it finds its end.
TABLE |= {(state, event): step.payment_news for state in PAID for event in OUTCOMES}
TABLE |= {(S.CHARGING, event): step.payment_news_while_charging for event in OUTCOMES}
TABLE |= {(state, event): ends.payment_moved for state in ENDING for event in OUTCOMES}
TABLE |= {(state, CannotAsk): step.cannot_ask for state in (S.CLOSING, S.REVIEW)}
# What stations and drivers still say when the charge is over.
TABLE |= {(state, Started): ends.started_late for state in ENDING}
TABLE |= {(state, Metered): step.metered_otherwise for state in ENDING}
TABLE |= {(state, Stopped): ends.stopped_late for state in ENDING}
TABLE |= {(state, event): step.same for state in ENDING for event in NEWS}
TABLE |= {(state, HoldExpiring): ends.hold_expires_at_the_end for state in (S.REVIEW, S.CLOSING)}
TABLE |= {(state, Ticked): ends.watch for state in ENDING}
TABLE |= {(state, Offered): step.same for state in S}
# A car that idles before or after the charge, and a choice that comes too late, change nothing.
TABLE |= {
    (state, event): step.same
    for state in S
    for event in (Suspended, Resumed, HoldChosen)
    if (state, event) not in TABLE
}


def decide(session: Session | None, event: object) -> tuple[Session, tuple[Effect, ...]]:
    """One step of a session: its new state and what is to be done. Raises `UnableToDecide` without a row."""
    if session is None:
        if not isinstance(event, Offered):
            raise UnableToDecide(f"a session begins with an offer, not with {type(event).__name__}")
        return step.offer(event)
    if isinstance(event, Ticked) and (session.deadline_ms is None or event.at_ms < session.deadline_ms):
        return session, ()
    event = clock.of_the_hold(session, event)
    row = TABLE.get((session.state, type(event)))
    if row is None:
        raise UnableToDecide(f"session {session.session_id}: {type(event).__name__} in {session.state}")
    after, effects = row(session, event)
    booked, postings = book(session, clock.with_the_hold(session, event, after))
    return booked, (*effects, *postings)
