"""Between the platform's words and the terminal's: requests to operations, outcomes to events. Pure.

terminals.md section 10: approved, declined, aborted, not sent, unknown; only unknown leads to recovery.
"""

from __future__ import annotations

from collections.abc import Callable

from tapwatt.edge import operation as happened
from tapwatt.edge.operation import Event, Keys, Operation
from tapwatt.terminals import messages as terminal
from tapwatt.terminals.messages import ResultKind
from tapwatt.uplink.messages import Operate, OperationKind

CAN = (OperationKind.PREAUTHORISE, OperationKind.CAPTURE, OperationKind.RELEASE)
NOT_REGISTERED = "6B"
"""The one result that registering again cures; nothing was begun (terminals.md section 4.4)."""


def problem(request: Operate, *, can: Callable[[str], bool]) -> str:
    """Why the terminal can never do this, in a sentence; "" when it can. `can` is its profile's."""
    if request.kind not in CAN or not can(request.kind.value):
        return f"the terminal's protocol has no {request.kind}"
    if request.kind is OperationKind.PREAUTHORISE:
        return "" if request.amount_minor > 0 else "a hold must be above zero"
    if not request.receipt:
        return "no receipt number says which hold is meant"
    if request.kind is OperationKind.CAPTURE and not 0 <= request.amount_minor <= request.hold_minor:
        return f"{request.amount_minor} is not within the hold of {request.hold_minor}"
    return ""


def command(operation: Operation) -> terminal.Operation:
    """What the terminal is asked to do. A capture of nothing is a release."""
    request = operation.asked
    if request.kind is OperationKind.PREAUTHORISE:
        return terminal.Preauthorise(
            amount_minor=request.amount_minor, currency=request.currency, reference=request.reference
        )
    if request.kind is OperationKind.CAPTURE and request.amount_minor > 0:
        return terminal.Capture(
            receipt=request.receipt,
            hold_minor=request.hold_minor,
            amount_minor=request.amount_minor,
            currency=request.currency,
            reference=request.reference,
        )
    return terminal.Release(receipt=request.receipt, currency=request.currency, reference=request.reference)


def keys(outcome: terminal.Approved) -> Keys:
    """What is kept of an approval: never a card number, not even a masked one."""
    return Keys(
        receipt=outcome.receipt,
        amount_minor=outcome.amount_minor,
        currency=outcome.currency,
        trace=outcome.trace,
        tid=outcome.tid,
        merchant_id=outcome.merchant_id,
        approval_code=outcome.approval_code,
        token=outcome.token,
        brand=outcome.brand,
        last_four=outcome.last_four,
        bin=outcome.bin,
        technology=outcome.technology,
    )


def event(outcome: terminal.Outcome, *, at_ms: int) -> Event:
    """What the outcome of a money dialogue means for its operation."""
    match outcome:
        case terminal.Approved():
            return happened.Approved(at_ms=at_ms, keys=keys(outcome))
        case terminal.Declined():
            return happened.Declined(at_ms=at_ms, code=outcome.code, reason=outcome.reason, kind=outcome.kind)
        case terminal.Aborted():
            reason = f"{outcome.reason} ({outcome.by})"
            return happened.Aborted(at_ms=at_ms, code=outcome.code, reason=reason)
        case terminal.NotSent():
            return happened.NotSent(at_ms=at_ms, code=outcome.code, reason=outcome.reason)
        case terminal.Unknown():
            return happened.Silent(at_ms=at_ms, reason=outcome.reason)
        case _:
            return happened.Silent(at_ms=at_ms, reason=f"the terminal answered {type(outcome).__name__}")


def is_not_registered(outcome: terminal.Outcome) -> bool:
    """Whether registering again and asking once more is safe and useful."""
    match outcome:
        case terminal.NotSent(code=code) | terminal.Declined(code=code):
            return code == NOT_REGISTERED
    return False


def is_busy(outcome: terminal.Outcome) -> bool:
    """Whether the terminal does something else just now."""
    return isinstance(outcome, terminal.NotSent) and outcome.kind is ResultKind.BUSY
