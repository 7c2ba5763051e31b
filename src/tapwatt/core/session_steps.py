"""The rows of the session table: each names one step and hands arithmetic to its neighbours."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tapwatt.core import payment, screen
from tapwatt.core.effects import Effect, IssueReceipt, Leader, Notify, StartCharging, StopCharging
from tapwatt.core.energy import begin, read
from tapwatt.core.events import (
    AccountPresented,
    CaptureWanted,
    CardPresented,
    GivenUp,
    Happened,
    Metered,
    Offered,
    ReleaseWanted,
    Started,
    StopAsked,
    Stopped,
)
from tapwatt.core.hold import must_stop
from tapwatt.core.payment import PaymentState
from tapwatt.core.session_books import driver_receipt
from tapwatt.core.session_state import FAILURES, Make, Reason, Session, SessionState, number
from tapwatt.core.tariff import Usage, limited, price

Decision = tuple[Session, tuple[Effect, ...]]
Row = Callable[[Session, Any], Decision]
S = SessionState
P = PaymentState
STOP_TRIES_MAX = 5


def same(session: Session, event: Any) -> Decision:
    """A repeat, or news that change nothing."""
    return session, ()


def offer(event: Offered) -> Decision:
    """A driver stands at a connector: price and hold go to the terminal's screen."""
    session = Session(
        session_id=event.session_id,
        operator_id=event.operator_id,
        station_id=event.station_id,
        evse_id=event.evse_id,
        terminal_id=event.terminal_id,
        state=S.OFFERED,
        id_token=event.id_token,
        reference=event.reference,
        tariff=event.tariff,
        hold=event.hold,
        limits=event.limits,
        max_power_w=event.max_power_w,
        plugged=event.plugged,
        opened_ms=event.at_ms,
        deadline_ms=event.at_ms + event.limits.offer_ms,
    )
    return number(session, *screen.offer(session))


def leave(session: Session, event: Happened) -> Decision:
    """The driver went away, or never came back to the offer."""
    return _end(session, S.CLOSED, event.at_ms, Reason.LEFT), ()


def card_presented(session: Session, event: CardPresented) -> Decision:
    """A card at the terminal: ask for the hold through the terminal."""
    started, effects = payment.begin(
        payment_id=session.session_id,
        leader=Leader.TERMINAL,
        reference=session.reference,
        currency=session.tariff.currency,
        amount_minor=session.hold.amount_minor,
        terminal_id=session.terminal_id,
    )
    known = replace(started, token=event.token, brand=event.brand, last_four=event.last_four)
    return _authorising(session, known, event), effects


def account_presented(session: Session, event: AccountPresented) -> Decision:
    """A known tag: hold on the account's balance. At the station it starts by itself."""
    started, effects = payment.begin(
        payment_id=session.session_id,
        leader=Leader.ACCOUNT,
        reference=session.reference,
        currency=session.tariff.currency,
        amount_minor=session.hold.amount_minor,
        account_id=event.account_id,
    )
    tagged = session
    if event.at_station:
        tagged = replace(session, id_token=event.id_token, remote=False)
    return _authorising(tagged, started, event), effects


def _authorising(session: Session, started: payment.Payment, event: Happened) -> Session:
    deadline_ms = event.at_ms + session.limits.authorise_ms
    return replace(session, state=S.AUTHORISING, payment=started, deadline_ms=deadline_ms)


def authorisation_answered(session: Session, event: Any) -> Decision:
    """Yes, no, less, or found after all: while somebody waits."""
    after, effects = _pay(session, event)
    match _payment(after).state:
        case P.AUTHORISED if _payment(after).authorised_minor < session.hold.least_minor:
            closing, more = _give_back(after, event, Reason.TOO_LITTLE)
        case P.AUTHORISED:
            closing, more = _approved(after, event.at_ms)
        case P.DECLINED:
            closing, more = _declined(after, event.at_ms)
        case P.REVERSING:
            closing, more = _closing(after, Reason.NO_ANSWER), ()
        case P.REVIEW:
            closing, more = _review(after, Reason.PAYMENT_REVIEW, _payment(after).reason), ()
        case _:
            closing, more = after, ()
    return closing, (*effects, *more)


def _approved(session: Session, at_ms: int) -> Decision:
    if session.transaction_id is not None:
        return replace(session, state=S.CHARGING, deadline_ms=at_ms + session.limits.session_ms), ()
    if not session.plugged:
        ready = replace(session, state=S.READY, deadline_ms=at_ms + session.limits.plug_in_ms)
        return number(ready, *screen.plug_in(ready))
    return _start(session, at_ms)


def _start(session: Session, at_ms: int) -> Decision:
    starting = replace(session, state=S.STARTING, deadline_ms=at_ms + session.limits.start_ms)
    if not session.remote:
        return starting, ()

    def start(key: str) -> Effect:
        return StartCharging(
            key=key, station_id=session.station_id, evse_id=session.evse_id, id_token=session.id_token
        )

    return number(starting, start, *screen.starting(starting))


def _declined(session: Session, at_ms: int) -> Decision:
    reason = session.reason if session.reason is not Reason.NONE else Reason.DECLINED
    failed = _end(replace(session, detail=_payment(session).reason), S.FAILED, at_ms, reason)
    return number(failed, *_stop_if_running(failed), *screen.declined(failed))


def account_silent(session: Session, event: Any) -> Decision:
    """No answer: the payment asks; the driver still waits until the deadline."""
    return _pay(session, event)


def cannot_ask(session: Session, event: Any) -> Decision:
    """Nobody to ask: a host-led hold is reversed, a terminal-led one waits for a person, with an alarm."""
    after, effects = _pay(session, event)
    if _payment(after).state is P.REVERSING:
        return _closing(after, Reason.NO_ANSWER), effects
    return _review(after, Reason.NO_ANSWER, event.text), effects


def stop_waiting(reason: Reason) -> Row:
    """Nobody waits for the authorisation any more; whatever it becomes, it goes back."""

    def row(session: Session, event: Happened) -> Decision:
        after, effects = _pay(session, GivenUp(at_ms=event.at_ms))
        return _closing(after, reason), effects

    return row


def plugged(session: Session, event: Any) -> Decision:
    """The car is connected."""
    return replace(session, plugged=True), ()


def unplugged(session: Session, event: Any) -> Decision:
    """The car is gone; what follows comes from the station's own stop."""
    return replace(session, plugged=False), ()


def plugged_when_ready(session: Session, event: Happened) -> Decision:
    """Paid and now connected: start."""
    return _start(replace(session, plugged=True), event.at_ms)


def give_back(reason: Reason) -> Row:
    """Nothing was delivered: the whole hold goes back."""

    def row(session: Session, event: Any) -> Decision:
        detail = getattr(event, "text", "")
        return _give_back(replace(session, detail=detail), event, reason)

    return row


def unplugged_before_power(session: Session, event: Happened) -> Decision:
    """The plug was pulled between approval and power: the hold goes back."""
    return _give_back(replace(session, plugged=False), event, Reason.UNPLUGGED)


def _give_back(session: Session, event: Happened, reason: Reason) -> Decision:
    after, effects = _pay(session, ReleaseWanted(at_ms=event.at_ms))
    closing, shown = number(_closing(after, reason), *screen.given_back(after, reason))
    return closing, (*effects, *shown)


def started(session: Session, event: Started) -> Decision:
    """Power flows: the register at the start is what the bill counts from."""
    running = _running(session, event)
    charging = replace(running, state=S.CHARGING, deadline_ms=event.at_ms + session.limits.session_ms)
    return number(charging, *screen.charging(charging))


def started_unanswered(session: Session, event: Started) -> Decision:
    """The station started before the account's hold was confirmed."""
    return _running(session, event), ()


def started_late(session: Session, event: Started) -> Decision:
    """A start after the payment was over: stop it; its energy is a loss, never captured on the dead hold."""
    if session.transaction_id is not None:
        return session, ()
    late = replace(_running(session, event), late=True)
    return number(late, *_stop_if_running(late))


def _running(session: Session, event: Started) -> Session:
    return replace(
        session,
        transaction_id=event.transaction_id,
        meter=begin(event.register_wh, at_ms=event.read_ms, doubt=event.doubt),
        started_ms=event.at_ms,
    )


def metered(session: Session, event: Metered) -> Decision:
    """A reading while charging: stop before the cost passes the confirmed hold."""
    after = _read(session, event)
    if after.meter and must_stop(
        after.tariff, after.meter, authorised_minor=_payment(after).authorised_minor
    ):
        return stop_asked(after, StopAsked(at_ms=event.at_ms, by="limit"))
    return after, ()


def metered_otherwise(session: Session, event: Metered) -> Decision:
    """A reading that decides nothing, kept."""
    return _read(session, event), ()


def stop_asked(session: Session, event: Happened) -> Decision:
    """End the charge."""
    by = event.by if isinstance(event, StopAsked) else "limit"
    stopping = replace(
        session, state=S.STOPPING, deadline_ms=event.at_ms + session.limits.stop_ms, detail=f"stopped by {by}"
    )
    return number(stopping, *_stop_if_running(stopping))


def stop_again(session: Session, event: Happened) -> Decision:
    """The station has not stopped: ask again, ever later; at the last try a person hears of it."""
    tries = session.stop_tries + 1
    later_ms = event.at_ms + session.limits.stop_ms * 2 ** min(tries, STOP_TRIES_MAX)
    stopping = replace(session, stop_tries=tries, deadline_ms=later_ms)
    makes: tuple[Make, ...] = _stop_if_running(stopping)
    if tries == STOP_TRIES_MAX:
        text = f"station {session.station_id} does not stop transaction {session.transaction_id}"
        makes = (*makes, lambda key: Notify(key=key, text=text))
    return number(stopping, *makes)


def stopped(session: Session, event: Stopped) -> Decision:
    """The charge is over: bill it, then capture, or give the hold back if nothing was delivered."""
    over = replace(_read(session, event), stopped_ms=event.at_ms, deadline_ms=None)
    if over.meter is None:
        return _review(over, Reason.DOUBTFUL_ENERGY, "no register reading at the start"), ()
    doubts = over.meter.doubts if event.proved else (*over.meter.doubts, "the stop could not be proved")
    bill = price(over.tariff, _usage(over))
    over = replace(over, bill=bill)
    if doubts:
        text = "; ".join(doubts)
        over, alarm = number(over, lambda key: Notify(key=key, text=f"session {over.session_id}: {text}"))
        return _review(over, Reason.DOUBTFUL_ENERGY, text), alarm
    if bill.gross_minor <= 0:
        return _give_back(over, event, Reason.NOTHING_DELIVERED)
    return _take(over, event.at_ms)


def _take(session: Session, at_ms: int) -> Decision:
    bill, authorised_minor = session.bill, _payment(session).authorised_minor
    if bill is None:
        raise ValueError(f"session {session.session_id} has no bill to capture")
    over_hold = max(0, bill.gross_minor - authorised_minor)
    if over_hold:
        bill = limited(session.tariff, bill, authorised_minor)
    billed = replace(session, bill=bill, lost_minor=session.lost_minor + over_hold)
    after, effects = _pay(billed, CaptureWanted(at_ms=at_ms, amount_minor=bill.gross_minor))
    return _closing(after, session.reason), effects


def stopped_unanswered(session: Session, event: Stopped) -> Decision:
    """The charge ended before its hold was confirmed: its energy is a loss."""
    over, _ = stopped_late(replace(session, late=True), event)
    after, effects = _pay(over, GivenUp(at_ms=event.at_ms))
    return _closing(after, Reason.NO_ANSWER), effects


def stopped_late(session: Session, event: Stopped) -> Decision:
    """The end of a transaction that nobody pays for, or a repeat of one that was paid."""
    if not session.late or session.stopped_ms is not None:
        return session, ()
    over = replace(_read(session, event), stopped_ms=event.at_ms)
    lost_minor = price(over.tariff, _usage(over)).gross_minor if over.meter else 0
    return replace(over, lost_minor=over.lost_minor + lost_minor), ()


def payment_moved(session: Session, event: Any) -> Decision:
    """An outcome while closing or in review: end when the payment has ended."""
    after, effects = _pay(session, event)
    match _payment(after).state:
        case P.CAPTURED | P.REFUNDED | P.VOIDED if session.state is not S.CLOSED:
            ended, more = _paid(after, event.at_ms)
        case P.REVERSED | P.DECLINED if session.state is not S.CLOSED:
            end = S.FAILED if after.reason in FAILURES else S.CLOSED
            ended, more = _end(after, end, event.at_ms, after.reason), ()
        case P.REVIEW:
            ended, more = _review(after, Reason.PAYMENT_REVIEW, _payment(after).reason), ()
        case P.REVERSING if session.state in (S.FAILED, S.REVIEW):
            ended, more = _closing(after, after.reason), ()
        case _:
            ended, more = after, ()
    return ended, (*effects, *more)


def _paid(session: Session, at_ms: int) -> Decision:
    closed = _end(session, S.CLOSED, at_ms, session.reason)
    receipt = driver_receipt(closed)
    if receipt is None:
        return closed, ()
    return number(closed, lambda key: IssueReceipt(key=key, receipt=receipt), *screen.receipt(closed))


def _pay(session: Session, event: object) -> Decision:
    after, effects = payment.decide(_payment(session), event)
    return replace(session, payment=after), effects


def _payment(session: Session) -> payment.Payment:
    if session.payment is None:
        raise payment.UnableToDecide(f"session {session.session_id} has no payment")
    return session.payment


def _usage(session: Session) -> Usage:
    meter = session.meter
    if meter is None:
        raise ValueError(f"session {session.session_id} has no meter")
    return Usage(energy_wh=meter.delivered_wh, started_ms=meter.first_ms, ended_ms=meter.last_ms)


def _read(session: Session, event: Metered | Stopped) -> Session:
    if session.meter is None:
        return session
    meter = read(session.meter, event.register_wh, at_ms=event.read_ms, max_power_w=session.max_power_w)
    return replace(session, meter=meter)


def _closing(session: Session, reason: Reason) -> Session:
    return replace(session, state=S.CLOSING, reason=reason, deadline_ms=None)


def _review(session: Session, reason: Reason, detail: str) -> Session:
    return replace(session, state=S.REVIEW, reason=reason, detail=detail, deadline_ms=None)


def _end(session: Session, state: SessionState, at_ms: int, reason: Reason) -> Session:
    return replace(session, state=state, closed_ms=at_ms, reason=reason, deadline_ms=None)


def _stop_if_running(session: Session) -> tuple[Make, ...]:
    transaction_id = session.transaction_id
    if transaction_id is None or session.stopped_ms is not None:
        return ()
    return (lambda key: StopCharging(key=key, station_id=session.station_id, transaction_id=transaction_id),)
