"""The payment inside a session, as a table: authorised once, then captured once or released once.

Rows are (state, event). What is not in the table is an error with a name. Unknown is a state: a silent party
has said neither yes nor no, so it is asked; where it cannot be asked the host side reverses and the terminal
side waits with an alarm (law 5).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tapwatt.core.effects import (
    Ask,
    Authorise,
    Capture,
    Effect,
    Increase,
    Leader,
    MoneyEffect,
    Notify,
    Refund,
    Release,
    Void,
)
from tapwatt.core.events import (
    OUTCOMES,
    Aborted,
    AlreadyCaptured,
    Approved,
    CannotAsk,
    Captured,
    CaptureRefused,
    CaptureWanted,
    Declined,
    FoundNone,
    FoundOpen,
    GivenUp,
    IncreaseWanted,
    NotSent,
    Refunded,
    RefundRefused,
    RefundWanted,
    Released,
    ReleaseRefused,
    ReleaseWanted,
    Reminded,
    Silent,
    Voided,
    VoidRefused,
    VoidWanted,
)
from tapwatt.core.payment_state import Payment, PaymentState, UnableToDecide

__all__ = ["LATE", "TABLE", "Payment", "PaymentState", "UnableToDecide", "begin", "decide"]


Decision = tuple[Payment, tuple[Effect, ...]]
Row = Callable[[Payment, Any], Decision]
S = PaymentState


def begin(
    *,
    payment_id: str,
    leader: Leader,
    reference: str,
    currency: str,
    amount_minor: int,
    terminal_id: str | None = None,
    account_id: str | None = None,
) -> Decision:
    """A payment begins by asking for a hold."""
    payment = Payment(
        payment_id=payment_id,
        state=S.AUTHORISING,
        leader=leader,
        reference=reference,
        currency=currency,
        asked_minor=amount_minor,
        terminal_id=terminal_id,
        account_id=account_id,
    )
    return _ask_for(Authorise, payment, S.AUTHORISING, amount_minor)


def decide(payment: Payment, event: object) -> Decision:
    """One step. Raises `UnableToDecide` when the table has no row.

    An outcome whose key is not the open one is late and changes nothing, but for the rows in `LATE`.
    """
    key = getattr(event, "key", None)
    if key is not None and key != payment.operation_key and (payment.state, type(event)) not in LATE:
        return payment, ()
    row = TABLE.get((payment.state, type(event)))
    if row is None:
        raise UnableToDecide(f"payment {payment.payment_id}: {type(event).__name__} in {payment.state}")
    return row(payment, event)


def _effect(kind: type[MoneyEffect], payment: Payment, amount_minor: int, key: str) -> Any:
    return kind(
        key=key,
        leader=payment.leader,
        reference=payment.reference,
        currency=payment.currency,
        amount_minor=amount_minor,
        hold_minor=payment.authorised_minor,
        terminal_id=payment.terminal_id,
        account_id=payment.account_id,
        receipt=payment.receipt,
        trace=payment.trace,
        tid=payment.tid,
    )


def _ask_for(kind: type[MoneyEffect], payment: Payment, state: PaymentState, amount_minor: int) -> Decision:
    """Move on and ask for a new operation, under a key of its own."""
    steps = payment.steps + 1
    key = f"{payment.payment_id}.p{steps}"
    moved = replace(payment, state=state, steps=steps, operation_key=key, operation_minor=amount_minor)
    return moved, (_effect(kind, payment, amount_minor, key),)


def _same(payment: Payment, event: object) -> Decision:
    """A repeat, or news that change nothing."""
    return payment, ()


def _to(state: PaymentState) -> Row:
    def row(payment: Payment, event: Any) -> Decision:
        return replace(payment, state=state), ()

    return row


def _declined(payment: Payment, event: Declined | Aborted | NotSent | FoundNone) -> Decision:
    text = "no trace of it" if isinstance(event, FoundNone) else event.text
    if isinstance(event, Declined):
        text = text or event.code
    return replace(payment, state=S.DECLINED, reason=text), ()


def _approved(payment: Payment, event: Approved) -> Decision:
    held = replace(
        payment,
        authorised_minor=event.amount_minor,
        receipt=event.receipt,
        trace=event.trace,
        tid=event.tid,
        approval_code=event.approval_code,
        token=event.token or payment.token,
        brand=event.brand or payment.brand,
        last_four=event.last_four or payment.last_four,
    )
    if event.amount_minor > payment.asked_minor:
        text = "approved for more than asked"
        return replace(held, state=S.REVIEW, reason=text), (_alarm(payment, text),)
    if not payment.awaited:
        return _ask_for(Release, held, S.REVERSING, held.authorised_minor)
    return replace(held, state=S.AUTHORISED), ()


def _found_open(payment: Payment, event: FoundOpen) -> Decision:
    # A terminal's list of open holds may give a receipt number and no amount. An amount that nobody confirmed
    # is not used.
    found = replace(
        payment,
        receipt=event.receipt,
        trace=event.trace,
        tid=event.tid,
        approval_code=event.approval_code,
        authorised_minor=payment.asked_minor if event.amount_minor is None else event.amount_minor,
    )
    if event.amount_minor is None or not payment.awaited or event.amount_minor > payment.asked_minor:
        return _ask_for(Release, found, S.REVERSING, found.authorised_minor)
    return replace(found, state=S.AUTHORISED), ()


def _ask(state: PaymentState) -> Row:
    """Nobody answered: ask what became of the operation. The question carries that operation's key."""

    def row(payment: Payment, event: Any) -> Decision:
        reason = getattr(event, "text", "") or payment.reason
        return replace(payment, state=state, reason=reason), (_question(payment),)

    return row


def _remind(payment: Payment, event: Reminded) -> Decision:
    return payment, (_question(payment),)


def _question(payment: Payment) -> Ask:
    ask: Ask = _effect(Ask, payment, payment.operation_minor, payment.operation_key)
    return ask


def _cannot_ask(payment: Payment, event: CannotAsk) -> Decision:
    if payment.leader in (Leader.HOST, Leader.ACCOUNT):
        return _ask_for(Release, payment, S.REVERSING, payment.asked_minor)
    return replace(payment, state=S.UNKNOWN, reason=event.text), (_alarm(payment, event.text),)


def _stay_with_alarm(payment: Payment, event: Any) -> Decision:
    """It cannot be asked, and doing it twice could move money twice: a person has to look."""
    return replace(payment, reason=event.text), (_alarm(payment, event.text),)


def _alarm(payment: Payment, text: str) -> Notify:
    return Notify(key=f"{payment.operation_key}.alarm", text=f"payment {payment.reference}: {text}")


def _give_up(payment: Payment, event: GivenUp) -> Decision:
    return replace(payment, awaited=False), ()


def _increase(payment: Payment, event: IncreaseWanted) -> Decision:
    return _ask_for(
        Increase, replace(payment, increase_minor=event.amount_minor), S.INCREASING, event.amount_minor
    )


def _increased(payment: Payment, event: Approved | FoundOpen) -> Decision:
    added = payment.increase_minor if event.amount_minor is None else event.amount_minor
    if added > payment.increase_minor:
        text = "increased by more than asked"
        return replace(payment, state=S.REVIEW, reason=text), (_alarm(payment, text),)
    hold = payment.authorised_minor + added
    return replace(payment, state=S.AUTHORISED, authorised_minor=hold, increase_minor=0), ()


def _not_increased(payment: Payment, event: Any) -> Decision:
    return replace(payment, state=S.AUTHORISED, increase_minor=0), ()


def _reverse_increase(payment: Payment, event: CannotAsk) -> Decision:
    """Nobody can say whether the raise went through: take back the raise only, keep the confirmed hold."""
    kept, effects = _ask_for(Release, payment, S.AUTHORISED, payment.increase_minor)
    return replace(kept, increase_minor=0), effects


def _capture(payment: Payment, event: CaptureWanted) -> Decision:
    amount = min(event.amount_minor, payment.authorised_minor)
    return _ask_for(Capture, replace(payment, capture_minor=amount), S.CAPTURING, amount)


def _capture_again(payment: Payment, event: Any) -> Decision:
    return payment, (_effect(Capture, payment, payment.capture_minor, payment.operation_key),)


def _captured(payment: Payment, event: Captured | AlreadyCaptured) -> Decision:
    done = replace(payment, captured_minor=event.amount_minor)
    if event.amount_minor != payment.capture_minor:
        text = f"captured {event.amount_minor} minor units, wanted {payment.capture_minor}"
        return replace(done, state=S.REVIEW, reason=text), (_alarm(payment, text),)
    released = payment.authorised_minor - event.amount_minor
    return replace(done, state=S.CAPTURED, released_minor=released), ()


def _to_review(payment: Payment, event: Any) -> Decision:
    text = getattr(event, "text", "") or getattr(event, "code", "") or "no trace of the hold"
    return replace(payment, state=S.REVIEW, reason=text), (_alarm(payment, text),)


def _release(payment: Payment, event: Any) -> Decision:
    return _ask_for(Release, payment, S.REVERSING, payment.authorised_minor)


def _release_late(payment: Payment, event: Approved) -> Decision:
    """An approval after we had been told no: somebody holds money for nothing, so it goes back, and a person
    hears of it."""
    held = replace(
        payment,
        authorised_minor=event.amount_minor,
        receipt=event.receipt,
        trace=event.trace,
        tid=event.tid,
        approval_code=event.approval_code,
    )
    reversing, effects = _ask_for(Release, held, S.REVERSING, held.authorised_minor)
    return reversing, (*effects, _alarm(reversing, "approved after it was declined"))


def _release_again(payment: Payment, event: Any) -> Decision:
    return payment, (_effect(Release, payment, payment.operation_minor, payment.operation_key),)


def _released(payment: Payment, event: Released | FoundNone) -> Decision:
    return replace(payment, state=S.REVERSED, released_minor=payment.authorised_minor), ()


def _void(payment: Payment, event: VoidWanted) -> Decision:
    return _ask_for(Void, payment, S.VOIDING, payment.captured_minor)


def _voided(payment: Payment, event: Voided) -> Decision:
    return replace(
        payment,
        state=S.VOIDED,
        captured_minor=0,
        released_minor=payment.released_minor + payment.captured_minor,
    ), ()


def _refund(payment: Payment, event: RefundWanted) -> Decision:
    left = payment.captured_minor - payment.refunded_minor
    if not 0 < event.amount_minor <= left:
        raise UnableToDecide(f"payment {payment.payment_id}: refund of {event.amount_minor}, {left} left")
    return _ask_for(
        Refund, replace(payment, refund_minor=event.amount_minor), S.REFUNDING, event.amount_minor
    )


def _refunded(payment: Payment, event: Refunded) -> Decision:
    if event.amount_minor != payment.refund_minor:
        text = f"refunded {event.amount_minor} minor units, wanted {payment.refund_minor}"
        return replace(payment, state=S.REVIEW, reason=text), (_alarm(payment, text),)
    total = payment.refunded_minor + event.amount_minor
    return replace(payment, state=S.REFUNDED, refunded_minor=total, refund_minor=0), ()


def _refund_refused(payment: Payment, event: RefundRefused) -> Decision:
    state = S.REFUNDED if payment.refunded_minor else S.CAPTURED
    return replace(payment, state=state, refund_minor=0, reason=event.text), ()


TABLE: dict[tuple[PaymentState, type], Row] = {
    (S.AUTHORISING, Approved): _approved,
    (S.AUTHORISING, Declined): _declined,
    (S.AUTHORISING, Aborted): _declined,
    (S.AUTHORISING, NotSent): _declined,
    (S.AUTHORISING, Silent): _ask(S.UNKNOWN),
    (S.AUTHORISING, FoundOpen): _found_open,
    (S.AUTHORISING, FoundNone): _declined,
    (S.AUTHORISING, CannotAsk): _cannot_ask,
    (S.AUTHORISING, GivenUp): _give_up,
    (S.UNKNOWN, Approved): _approved,
    (S.UNKNOWN, Declined): _declined,
    (S.UNKNOWN, Aborted): _declined,
    (S.UNKNOWN, NotSent): _declined,
    (S.UNKNOWN, Silent): _same,
    (S.UNKNOWN, FoundOpen): _found_open,
    (S.UNKNOWN, FoundNone): _declined,
    (S.UNKNOWN, CannotAsk): _cannot_ask,
    (S.UNKNOWN, GivenUp): _give_up,
    (S.AUTHORISED, IncreaseWanted): _increase,
    (S.AUTHORISED, CaptureWanted): _capture,
    (S.AUTHORISED, ReleaseWanted): _release,
    (S.INCREASING, Approved): _increased,
    (S.INCREASING, Declined): _not_increased,
    (S.INCREASING, Aborted): _not_increased,
    (S.INCREASING, NotSent): _not_increased,
    (S.INCREASING, Silent): _ask(S.INCREASING),
    (S.INCREASING, FoundOpen): _increased,
    (S.INCREASING, FoundNone): _not_increased,
    (S.INCREASING, CannotAsk): _reverse_increase,
    (S.INCREASING, CaptureWanted): _capture,
    (S.INCREASING, ReleaseWanted): _release,
    (S.CAPTURING, Captured): _captured,
    (S.CAPTURING, AlreadyCaptured): _captured,
    (S.CAPTURING, CaptureRefused): _to_review,
    (S.CAPTURING, Declined): _to_review,
    (S.CAPTURING, FoundNone): _to_review,
    (S.CAPTURING, NotSent): _capture_again,
    (S.CAPTURING, FoundOpen): _capture_again,
    (S.CAPTURING, Silent): _ask(S.CAPTURING),
    (S.CAPTURING, Aborted): _ask(S.CAPTURING),
    (S.CAPTURING, CannotAsk): _stay_with_alarm,
    (S.CAPTURED, VoidWanted): _void,
    (S.CAPTURED, RefundWanted): _refund,
    (S.REVERSING, Released): _released,
    (S.REVERSING, FoundNone): _released,
    (S.REVERSING, ReleaseRefused): _to_review,
    (S.REVERSING, Declined): _to_review,
    (S.REVERSING, NotSent): _release_again,
    (S.REVERSING, FoundOpen): _release_again,
    (S.REVERSING, Silent): _ask(S.REVERSING),
    (S.REVERSING, Aborted): _ask(S.REVERSING),
    (S.REVERSING, CannotAsk): _stay_with_alarm,
    (S.REVERSED, Approved): _release_late,
    (S.DECLINED, Approved): _release_late,
    (S.VOIDING, Voided): _voided,
    (S.VOIDING, VoidRefused): _to(S.CAPTURED),
    (S.VOIDING, Silent): _ask(S.VOIDING),
    (S.REFUNDING, Refunded): _refunded,
    (S.REFUNDING, RefundRefused): _refund_refused,
    (S.REFUNDING, Silent): _ask(S.REFUNDING),
    (S.REFUNDED, RefundWanted): _refund,
}
OPEN = (S.AUTHORISING, S.UNKNOWN, S.INCREASING, S.CAPTURING, S.REVERSING, S.VOIDING, S.REFUNDING)
"""States in which an outcome is waited for."""
SETTLED = (S.AUTHORISED, S.CAPTURED, S.REVERSED, S.DECLINED, S.VOIDED, S.REFUNDED, S.REVIEW)
"""States in which every outcome of the last operation is a repeat, but for the rows above."""
TABLE |= {(state, Reminded): _remind for state in OPEN}
TABLE |= {(state, Reminded): _same for state in SETTLED}
TABLE |= {(state, event): _same for state in SETTLED for event in OUTCOMES if (state, event) not in TABLE}

LATE = {(S.DECLINED, Approved), (S.REVERSED, Approved)}
"""Rows that look at an outcome even when its key is no longer the open one."""
