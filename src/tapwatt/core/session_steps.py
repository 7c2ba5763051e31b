"""The rows of the session table up to the stop: each names one step and hands arithmetic to its
neighbours."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tapwatt.core import payment, screen
from tapwatt.core import session_clock as clock
from tapwatt.core import session_ends as ends
from tapwatt.core import session_moves as move
from tapwatt.core.effects import AskReading, Effect, Leader, Notify, StartCharging
from tapwatt.core.events import (
    AccountPresented,
    CardPresented,
    GivenUp,
    Happened,
    HoldChosen,
    HoldExpiring,
    IncreaseWanted,
    Metered,
    Offered,
    Started,
    StopAsked,
    Stopped,
    Unplugged,
)
from tapwatt.core.hold import chosen, must_stop, raise_by
from tapwatt.core.payment import PaymentState
from tapwatt.core.session_state import Make, Reason, Session, SessionState, number
from tapwatt.core.tariff.running import cost_so_far

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
        site=event.site,
        plugged=event.plugged,
        opened_ms=event.at_ms,
        deadline_ms=event.at_ms + event.limits.offer_ms,
    )
    return number(session, *screen.offer(session))


def leave(session: Session, event: Happened) -> Decision:
    """The driver went away, or never came back to the offer. Who never plugged in cannot unplug."""
    if isinstance(event, Unplugged) and not session.plugged:
        return session, ()
    return move.ended(session, S.CLOSED, event.at_ms, Reason.LEFT), ()


def card_presented(session: Session, event: CardPresented) -> Decision:
    """A card at the terminal: ask for the hold through the terminal."""
    started, effects = payment.begin(
        payment_id=session.session_id,
        leader=Leader.TERMINAL,
        reference=session.reference,
        currency=session.tariff.currency,
        amount_minor=session.hold.amount_minor,
        terminal_id=session.terminal_id,
        capture_before_ms=event.at_ms + session.limits.hold_ms,
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
    after, effects = move.pay(session, event)
    match move.payment_of(after).state:
        case P.AUTHORISED if move.payment_of(after).authorised_minor < session.hold.least_minor:
            moved, more = move.give_all_back(after, event, Reason.TOO_LITTLE)
        case P.AUTHORISED:
            moved, more = _approved(after, event)
        case P.DECLINED:
            moved, more = _declined(after, event.at_ms)
        case P.REVERSING:
            moved, more = move.close(after, Reason.NO_ANSWER, event.at_ms)
        case P.REVIEW:
            moved, more = move.hand_over(
                after, Reason.PAYMENT_REVIEW, move.payment_of(after).reason, event.at_ms
            )
        case _:
            moved, more = after, ()
    return moved, (*effects, *more)


def _approved(session: Session, event: Happened) -> Decision:
    at_ms = event.at_ms
    if session.transaction_id is not None:
        return clock.looks_ahead(replace(session, state=S.CHARGING), event), ()
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
    failed = move.ended(replace(session, detail=move.payment_of(session).reason), S.FAILED, at_ms, reason)
    shown, lines = number(failed, *screen.declined(failed))
    abandoned, stop = move.abandon(shown, at_ms)
    return abandoned, (*lines, *stop)


def payment_news(session: Session, event: Any) -> Decision:
    """Something for the payment alone: the session stays where it is."""
    return move.pay(session, event)


def cannot_ask(session: Session, event: Any) -> Decision:
    """Nobody to ask: a host-led hold is reversed, a terminal-led one waits for a person, with an alarm."""
    given_up, _ = (
        move.pay(session, GivenUp(at_ms=event.at_ms)) if session.state is S.AUTHORISING else (session, ())
    )
    after, effects = move.pay(given_up, event)
    reason = after.reason if after.reason is not Reason.NONE else Reason.NO_ANSWER
    if session.state is S.REVIEW or (
        session.state is S.CLOSING and move.payment_of(after).state is P.REVERSING
    ):
        return after, effects  # where it was; the watch goes on, ever slower
    if move.payment_of(after).state is P.REVERSING:
        moved, more = move.close(after, reason, event.at_ms)
    else:
        moved, more = move.hand_over(after, reason, event.text, event.at_ms)
    return moved, (*effects, *more)


def stop_waiting(reason: Reason) -> Row:
    """Nobody waits for the authorisation any more; whatever it becomes, it goes back."""

    def row(session: Session, event: Happened) -> Decision:
        after, effects = move.pay(session, GivenUp(at_ms=event.at_ms))
        closing, more = move.close(after, reason, event.at_ms)
        return closing, (*effects, *more)

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
        return move.give_all_back(replace(session, detail=detail), event, reason)

    return row


def unplugged_before_power(session: Session, event: Happened) -> Decision:
    """The plug was pulled between approval and power: the hold goes back."""
    return move.give_all_back(replace(session, plugged=False), event, Reason.UNPLUGGED)


def started(session: Session, event: Started) -> Decision:
    """Power flows: the register at the start is what the bill counts from."""
    running = move.running(session, event)
    charging = clock.looks_ahead(replace(running, state=S.CHARGING), event)
    return number(charging, *screen.charging(charging))


def started_unanswered(session: Session, event: Started) -> Decision:
    """The station started before the account's hold was confirmed."""
    return move.running(session, event), ()


def metered(session: Session, event: Metered) -> Decision:
    """A reading while charging: stop before the cost passes the confirmed hold."""
    after = move.take_reading(session, event)
    if _runs_out(after, move.payment_of(after).authorised_minor):
        return stop_asked(after, StopAsked(at_ms=event.at_ms, by="limit"))
    if more_minor := _worth_raising(after):
        raised, effects = move.pay(after, IncreaseWanted(at_ms=event.at_ms, amount_minor=more_minor))
        return clock.looks_ahead(raised, event), effects
    if after.meter is None or session.meter is None or after.meter.last_ms <= session.meter.last_ms:
        return after, ()  # nothing newer than what was known: it proves nothing about now
    return _cost_shown(clock.looks_ahead(after, event))


def _cost_shown(session: Session) -> Decision:
    """Tell the station's display what it costs by now, if it has one and the cost has changed."""
    if not session.site.shows_costs or session.usage is None:
        return session, ()
    cost = cost_so_far(session.tariff, session.usage, session.site.rounding).gross_minor
    if cost == session.shown_minor:
        return session, ()
    return number(replace(session, shown_minor=cost), *screen.station_cost(session, cost))


def _runs_out(session: Session, authorised_minor: int) -> bool:
    """Whether charging on would soon cost more than this."""
    meter, used = session.meter, session.usage
    if meter is None or used is None:
        return False
    return must_stop(session.tariff, used, power_w=meter.power_w, authorised_minor=authorised_minor)


def _worth_raising(session: Session) -> int:
    """By how much to raise the hold now: when half a step is left of it, and it may still grow."""
    paid = move.payment_of(session)
    more_minor = raise_by(session.hold, authorised_minor=paid.authorised_minor)
    if not more_minor or paid.state is not P.AUTHORISED:
        return 0
    nearly_minor = paid.authorised_minor - session.hold.step_minor // 2
    return more_minor if _runs_out(session, nearly_minor) else 0


def payment_news_while_charging(session: Session, event: Any) -> Decision:
    """An answer to a wish for a larger hold, or a repeat. A hold that was refused to grow is not asked for
    again."""
    asked = move.payment_of(session).state is P.INCREASING
    after, effects = move.pay(session, event)
    paid = move.payment_of(after)
    if not asked or paid.state is not P.AUTHORISED:
        return after, effects
    if paid.authorised_minor == move.payment_of(session).authorised_minor:
        after = replace(after, hold=replace(after.hold, step_minor=0))
    return clock.looks_ahead(after, event), effects


def suspended(session: Session, event: Happened) -> Decision:
    """The car asks for no power: its time at the connector is idle time from here on."""
    return replace(session, idle_since_ms=event.at_ms), ()


def resumed(session: Session, event: Happened) -> Decision:
    """The car takes power again."""
    return replace(session, idle_since_ms=None), ()


def hold_chosen(session: Session, event: HoldChosen) -> Decision:
    """The driver chose how much is held; an amount that was not offered changes nothing."""
    try:
        chose = replace(session, hold=chosen(session.hold, event.amount_minor))
    except ValueError:
        return session, ()
    return number(chose, *screen.offer(chose))


def look_again(session: Session, event: Happened) -> Decision:
    """No reading for so long that the hold may be used up: ask for one first, then stop."""
    if session.reading_asked or event.at_ms >= clock.stay_ends_ms(session, event.at_ms):
        return stop_asked(session, StopAsked(at_ms=event.at_ms, by="limit"))
    asked = replace(session, reading_asked=True, deadline_ms=event.at_ms + session.limits.reading_ms)
    return number(
        asked, lambda key: AskReading(key=key, station_id=session.station_id, evse_id=session.evse_id)
    )


def metered_otherwise(session: Session, event: Metered) -> Decision:
    """A reading that decides nothing, kept while the transaction runs: once it is billed the bill stands."""
    if session.stopped_ms is not None or session.bill is not None:
        return session, ()
    return move.take_reading(session, event), ()


def stop_asked(session: Session, event: Happened) -> Decision:
    """End the charge."""
    by = event.by if isinstance(event, StopAsked) else "the end of its hold"
    stopping = replace(
        session, state=S.STOPPING, deadline_ms=event.at_ms + session.limits.stop_ms, detail=f"stopped by {by}"
    )
    return number(stopping, *move.stop_if_running(stopping))


def stop_again(session: Session, event: Happened) -> Decision:
    """The station has not stopped: ask again, ever later; at the last try a person hears of it."""
    tries = session.stop_tries + 1
    later_ms = event.at_ms + session.limits.stop_ms * 2 ** min(tries, STOP_TRIES_MAX)
    stopping = replace(session, stop_tries=tries, deadline_ms=later_ms)
    if session.expiring and tries >= STOP_TRIES_MAX:
        return ends.settle_unstopped(stopping, event)
    makes: tuple[Make, ...] = move.stop_if_running(stopping)
    if tries == STOP_TRIES_MAX:
        text = f"station {session.station_id} does not stop transaction {session.transaction_id}"
        makes = (*makes, lambda key: Notify(key=key, text=text))
    return number(stopping, *makes)


def hold_expires_while_stopping(session: Session, event: HoldExpiring) -> Decision:
    """The hold's last day: the station has still to be heard, but not for ever."""
    return ends.settle_unstopped(session, event) if session.stop_tries >= STOP_TRIES_MAX else (session, ())


def stopped(session: Session, event: Stopped) -> Decision:
    """The charge is over: bill it, then capture, or give the hold back if nothing was delivered."""
    over = replace(move.take_reading(session, event), stopped_ms=event.at_ms, deadline_ms=None)
    if over.meter is None:
        return _doubtful(over, "the start was never reported", event.at_ms)
    doubts = move.doubts_of(over)
    if not event.proved:
        doubts = (*doubts, "the stop could not be proved")
    over = replace(over, bill=move.billed(over))
    if doubts:
        return _doubtful(over, "; ".join(doubts), event.at_ms)
    if over.bill is None or over.bill.gross_minor <= 0:
        return move.give_all_back(over, event, Reason.NOTHING_DELIVERED)
    taken, effects = move.take(over, event.at_ms)
    shown, last = number(
        taken, *screen.station_cost(taken, taken.bill.gross_minor if taken.bill else 0, final=True)
    )
    return shown, (*effects, *last)


def _doubtful(session: Session, text: str, at_ms: int) -> Decision:
    waiting, alarm = number(
        session, lambda key: Notify(key=key, text=f"session {session.session_id}: {text}")
    )
    review, more = move.hand_over(waiting, Reason.DOUBTFUL_ENERGY, text, at_ms)
    return review, (*alarm, *more)
