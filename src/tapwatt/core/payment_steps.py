"""The rows of the payment table: each moves the amounts and asks for the next operation under a key of its
own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tapwatt.core.effects import (
    Ask,
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
    Aborted,
    AlreadyCaptured,
    Approved,
    CannotAsk,
    Captured,
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
    ReleaseWanted,
    Reminded,
    Voided,
    VoidWanted,
)
from tapwatt.core.payment_state import Payment, PaymentState, UnableToDecide

Decision = tuple[Payment, tuple[Effect, ...]]
Row = Callable[[Payment, Any], Decision]
S = PaymentState


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


def ask_for(kind: type[MoneyEffect], payment: Payment, state: PaymentState, amount_minor: int) -> Decision:
    """Move on and ask for a new operation, under a key of its own."""
    steps = payment.steps + 1
    key = f"{payment.payment_id}.p{steps}"
    moved = replace(payment, state=state, steps=steps, operation_key=key, operation_minor=amount_minor)
    return moved, (_effect(kind, payment, amount_minor, key),)


def same(payment: Payment, event: object) -> Decision:
    """A repeat, or news that change nothing."""
    return payment, ()


def to(state: PaymentState) -> Row:
    """The outcome says it all: move on."""

    def row(payment: Payment, event: Any) -> Decision:
        return replace(payment, state=state), ()

    return row


def declined(payment: Payment, event: Declined | Aborted | NotSent | FoundNone) -> Decision:
    """No hold: why, in words for the driver."""
    text = "no trace of it" if isinstance(event, FoundNone) else event.text
    if isinstance(event, Declined):
        text = text or event.code
    return replace(payment, state=S.DECLINED, reason=text), ()


def approved(payment: Payment, event: Approved) -> Decision:
    """The hold is confirmed, maybe for less. If nobody waits any more it goes straight back."""
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
        return ask_for(Release, held, S.REVERSING, held.authorised_minor)
    return replace(held, state=S.AUTHORISED), ()


def found_open(payment: Payment, event: FoundOpen) -> Decision:
    """Asked again, and there is a hold. It is used only if its amount is known and somebody waits."""
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
        return ask_for(Release, found, S.REVERSING, found.authorised_minor)
    return replace(found, state=S.AUTHORISED), ()


def ask(state: PaymentState) -> Row:
    """Nobody answered: ask what became of the operation. The question carries that operation's key."""

    def row(payment: Payment, event: Any) -> Decision:
        reason = getattr(event, "text", "") or payment.reason
        return replace(payment, state=state, reason=reason), (_question(payment),)

    return row


def remind(payment: Payment, event: Reminded) -> Decision:
    """It has been open for long: ask again."""
    return payment, (_question(payment),)


def _question(payment: Payment) -> Ask:
    ask: Ask = _effect(Ask, payment, payment.operation_minor, payment.operation_key)
    return ask


def cannot_ask(payment: Payment, event: CannotAsk) -> Decision:
    """Nobody can be asked: the host side reverses, the terminal side waits with an alarm."""
    if payment.leader in (Leader.HOST, Leader.ACCOUNT):
        return ask_for(Release, payment, S.REVERSING, payment.asked_minor)
    return replace(payment, state=S.UNKNOWN, reason=event.text), (_alarm(payment, event.text),)


def stay_with_alarm(payment: Payment, event: Any) -> Decision:
    """It cannot be asked, and doing it twice could move money twice: a person has to look."""
    return replace(payment, reason=event.text), (_alarm(payment, event.text),)


def _alarm(payment: Payment, text: str) -> Notify:
    return Notify(key=f"{payment.operation_key}.alarm", text=f"payment {payment.reference}: {text}")


def give_up(payment: Payment, event: GivenUp) -> Decision:
    """Nobody waits for the authorisation any more."""
    return replace(payment, awaited=False), ()


def increase(payment: Payment, event: IncreaseWanted) -> Decision:
    """Ask for a larger hold."""
    return ask_for(
        Increase, replace(payment, increase_minor=event.amount_minor), S.INCREASING, event.amount_minor
    )


def increased(payment: Payment, event: Approved | FoundOpen) -> Decision:
    """The hold is larger now, by what was confirmed."""
    if event.amount_minor is None:
        return reverse_increase(payment, event)
    added = event.amount_minor
    if added > payment.increase_minor:
        text = "increased by more than asked"
        return replace(payment, state=S.REVIEW, reason=text), (_alarm(payment, text),)
    hold = payment.authorised_minor + added
    return replace(payment, state=S.AUTHORISED, authorised_minor=hold, increase_minor=0), ()


def not_increased(payment: Payment, event: Any) -> Decision:
    """The old hold stands."""
    return replace(payment, state=S.AUTHORISED, increase_minor=0), ()


def reverse_increase(payment: Payment, event: Any) -> Decision:
    """Nobody can say whether the raise went through: take back the raise only, keep the confirmed hold."""
    kept, effects = ask_for(Release, payment, S.AUTHORISED, payment.increase_minor)
    return replace(kept, increase_minor=0), effects


def capture(payment: Payment, event: CaptureWanted) -> Decision:
    """Take the final amount, never more than the confirmed hold."""
    amount = min(event.amount_minor, payment.authorised_minor)
    return ask_for(Capture, replace(payment, capture_minor=amount), S.CAPTURING, amount)


def capture_again(payment: Payment, event: Any) -> Decision:
    """It was not done: the same operation again, under its own key."""
    return payment, (_effect(Capture, payment, payment.capture_minor, payment.operation_key),)


def captured(payment: Payment, event: Captured | AlreadyCaptured) -> Decision:
    """The amount was taken; the rest of the hold is released with it."""
    done = replace(payment, captured_minor=event.amount_minor)
    if event.amount_minor != payment.capture_minor:
        text = f"captured {event.amount_minor} minor units, wanted {payment.capture_minor}"
        return replace(done, state=S.REVIEW, reason=text), (_alarm(payment, text),)
    released = payment.authorised_minor - event.amount_minor
    return replace(done, state=S.CAPTURED, released_minor=released), ()


def to_review(payment: Payment, event: Any) -> Decision:
    """Refused, or nothing is there: a person has to look."""
    text = getattr(event, "text", "") or getattr(event, "code", "") or "no trace of the hold"
    return replace(payment, state=S.REVIEW, reason=text), (_alarm(payment, text),)


def release(payment: Payment, event: Any) -> Decision:
    """Give the whole hold back."""
    return ask_for(Release, payment, S.REVERSING, payment.authorised_minor)


def late_after_reversal(payment: Payment, event: Approved) -> Decision:
    """A repeat of the approval whose hold went back, or the first word of a hold that was reversed unseen."""
    return (payment, ()) if payment.released_minor else release_late(payment, event)


def reverse_until_answered(payment: Payment, event: CannotAsk) -> Decision:
    """The host side repeats its reversal; the terminal side waits for a person (law 5)."""
    if payment.leader in (Leader.HOST, Leader.ACCOUNT):
        return release_again(payment, event)
    return stay_with_alarm(payment, event)


def release_unknown(payment: Payment, event: ReleaseWanted) -> Decision:
    """A person gives back a hold that nobody confirmed: for the amount that was asked."""
    return ask_for(Release, payment, S.REVERSING, payment.asked_minor)


def only_untaken(row: Row) -> Row:
    """What a person may still do in review: nothing, once an amount was taken."""

    def checked(payment: Payment, event: Any) -> Decision:
        if payment.captured_minor:
            raise UnableToDecide(f"payment {payment.payment_id}: {payment.captured_minor} were taken already")
        return row(payment, event)

    return checked


def release_late(payment: Payment, event: Approved | FoundOpen) -> Decision:
    """An approval after we had been told no: somebody holds money for nothing, so it goes back, and a person
    hears of it."""
    held = replace(
        payment,
        authorised_minor=payment.asked_minor if event.amount_minor is None else event.amount_minor,
        receipt=event.receipt,
        trace=event.trace,
        tid=event.tid,
        approval_code=event.approval_code,
    )
    reversing, effects = ask_for(Release, held, S.REVERSING, held.authorised_minor)
    return reversing, (*effects, _alarm(reversing, "approved after it was declined"))


def release_again(payment: Payment, event: Any) -> Decision:
    """It was not done: the same operation again, under its own key."""
    return payment, (_effect(Release, payment, payment.operation_minor, payment.operation_key),)


def released(payment: Payment, event: Released | FoundNone) -> Decision:
    """The hold is gone."""
    return replace(payment, state=S.REVERSED, released_minor=payment.authorised_minor), ()


def void(payment: Payment, event: VoidWanted) -> Decision:
    """Undo a capture before cut-off."""
    return ask_for(Void, payment, S.VOIDING, payment.captured_minor)


def voided(payment: Payment, event: Voided) -> Decision:
    """The capture is undone, and its amount released."""
    return replace(
        payment,
        state=S.VOIDED,
        captured_minor=0,
        released_minor=payment.released_minor + payment.captured_minor,
    ), ()


def refund(payment: Payment, event: RefundWanted) -> Decision:
    """Give back part or all of what was captured. Raises UnableToDecide above that."""
    left = payment.captured_minor - payment.refunded_minor
    if not 0 < event.amount_minor <= left:
        raise UnableToDecide(f"payment {payment.payment_id}: refund of {event.amount_minor}, {left} left")
    return ask_for(Refund, replace(payment, refund_minor=event.amount_minor), S.REFUNDING, event.amount_minor)


def refunded(payment: Payment, event: Refunded) -> Decision:
    """Money was given back, as much as was asked."""
    if event.amount_minor != payment.refund_minor:
        text = f"refunded {event.amount_minor} minor units, wanted {payment.refund_minor}"
        return replace(payment, state=S.REVIEW, reason=text), (_alarm(payment, text),)
    total = payment.refunded_minor + event.amount_minor
    return replace(payment, state=S.REFUNDED, refunded_minor=total, refund_minor=0), ()


def refund_refused(payment: Payment, event: RefundRefused) -> Decision:
    """Money could not be given back: as it was before, and a person has to give it back another way."""
    state = S.REFUNDED if payment.refunded_minor else S.CAPTURED
    text = f"refund of {payment.refund_minor} minor units refused: {event.text}"
    return replace(payment, state=state, refund_minor=0, reason=event.text), (_alarm(payment, text),)
