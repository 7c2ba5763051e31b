"""The payment inside a session, as a table: authorised once, then captured once or released once.

Rows are (state, event). What is not in the table is an error with a name. Unknown is a state: a silent party
has said neither yes nor no, so it is asked; where it cannot be asked the host side reverses and the terminal
side waits with an alarm (law 5).
"""

from collections.abc import Callable
from typing import Any

from tapwatt.core import payment_steps as step
from tapwatt.core.effects import (
    Authorise,
    Effect,
    Leader,
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
    capture_before_ms: int = 0,
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
        capture_before_ms=capture_before_ms,
    )
    return step.ask_for(Authorise, payment, S.AUTHORISING, amount_minor)


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


TABLE: dict[tuple[PaymentState, type], Row] = {
    (S.AUTHORISING, Approved): step.approved,
    (S.AUTHORISING, Declined): step.declined,
    (S.AUTHORISING, Aborted): step.declined,
    (S.AUTHORISING, NotSent): step.declined,
    (S.AUTHORISING, Silent): step.ask(S.UNKNOWN),
    (S.AUTHORISING, FoundOpen): step.found_open,
    (S.AUTHORISING, FoundNone): step.declined,
    (S.AUTHORISING, CannotAsk): step.cannot_ask,
    (S.AUTHORISING, GivenUp): step.give_up,
    (S.UNKNOWN, Approved): step.approved,
    (S.UNKNOWN, Declined): step.declined,
    (S.UNKNOWN, Aborted): step.declined,
    (S.UNKNOWN, NotSent): step.declined,
    (S.UNKNOWN, Silent): step.same,
    (S.UNKNOWN, FoundOpen): step.found_open,
    (S.UNKNOWN, FoundNone): step.declined,
    (S.UNKNOWN, CannotAsk): step.cannot_ask,
    (S.UNKNOWN, GivenUp): step.give_up,
    (S.AUTHORISED, IncreaseWanted): step.increase,
    (S.AUTHORISED, CaptureWanted): step.capture,
    (S.AUTHORISED, ReleaseWanted): step.release,
    (S.INCREASING, Approved): step.increased,
    (S.INCREASING, Declined): step.not_increased,
    (S.INCREASING, Aborted): step.not_increased,
    (S.INCREASING, NotSent): step.not_increased,
    (S.INCREASING, Silent): step.ask(S.INCREASING),
    (S.INCREASING, FoundOpen): step.increased,
    (S.INCREASING, FoundNone): step.not_increased,
    (S.INCREASING, CannotAsk): step.reverse_increase,
    (S.INCREASING, CaptureWanted): step.capture,
    (S.INCREASING, ReleaseWanted): step.release,
    (S.CAPTURING, Captured): step.captured,
    (S.CAPTURING, AlreadyCaptured): step.captured,
    (S.CAPTURING, CaptureRefused): step.to_review,
    (S.CAPTURING, Declined): step.to_review,
    (S.CAPTURING, FoundNone): step.to_review,
    (S.CAPTURING, NotSent): step.capture_again,
    (S.CAPTURING, FoundOpen): step.capture_again,
    (S.CAPTURING, Silent): step.ask(S.CAPTURING),
    (S.CAPTURING, Aborted): step.ask(S.CAPTURING),
    (S.CAPTURING, CannotAsk): step.stay_with_alarm,
    (S.CAPTURED, VoidWanted): step.void,
    (S.CAPTURED, RefundWanted): step.refund,
    (S.REVERSING, Released): step.released,
    (S.REVERSING, FoundNone): step.released,
    (S.REVERSING, ReleaseRefused): step.to_review,
    (S.REVERSING, Declined): step.to_review,
    (S.REVERSING, NotSent): step.release_again,
    (S.REVERSING, FoundOpen): step.release_again,
    (S.REVERSING, Silent): step.ask(S.REVERSING),
    (S.REVERSING, Aborted): step.ask(S.REVERSING),
    (S.REVERSING, CannotAsk): step.reverse_until_answered,
    (S.REVERSED, Approved): step.late_after_reversal,
    (S.DECLINED, Approved): step.release_late,
    (S.DECLINED, FoundOpen): step.release_late,
    (S.UNKNOWN, ReleaseWanted): step.release_unknown,
    (S.REVIEW, CaptureWanted): step.only_untaken(step.capture),
    (S.REVIEW, ReleaseWanted): step.only_untaken(step.release),
    (S.VOIDING, Voided): step.voided,
    (S.VOIDING, VoidRefused): step.to(S.CAPTURED),
    (S.VOIDING, Silent): step.ask(S.VOIDING),
    (S.VOIDING, CannotAsk): step.stay_with_alarm,
    (S.REFUNDING, Refunded): step.refunded,
    (S.REFUNDING, RefundRefused): step.refund_refused,
    (S.REFUNDING, Silent): step.ask(S.REFUNDING),
    (S.REFUNDING, CannotAsk): step.stay_with_alarm,
    (S.REFUNDED, RefundWanted): step.refund,
}
OPEN = (S.AUTHORISING, S.UNKNOWN, S.INCREASING, S.CAPTURING, S.REVERSING, S.VOIDING, S.REFUNDING)
"""States in which an outcome is waited for."""
SETTLED = (S.AUTHORISED, S.CAPTURED, S.REVERSED, S.DECLINED, S.VOIDED, S.REFUNDED, S.REVIEW)
"""States in which every outcome of the last operation is a repeat, but for the rows above."""
TABLE |= {(state, Reminded): step.remind for state in OPEN}
TABLE |= {(state, Reminded): step.same for state in SETTLED}
TABLE |= {(state, event): step.same for state in SETTLED for event in OUTCOMES if (state, event) not in TABLE}

LATE = {(S.DECLINED, Approved), (S.REVERSED, Approved)}
"""Rows that look at an outcome even when its key is no longer the open one."""
