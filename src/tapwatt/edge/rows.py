"""The rows of the table of terminal operations: what each event means in each state. Pure (law 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from tapwatt.edge.operation import (
    Aborted,
    AbortWanted,
    Approved,
    Asked,
    Declined,
    Event,
    Foreknown,
    Hold,
    HoldEnded,
    Keys,
    Listed,
    NotSent,
    Operation,
    OutcomeWanted,
    Report,
    Sent,
    Silent,
    State,
    Stated,
    Superseded,
    finishes,
)
from tapwatt.terminals.messages import ResultKind
from tapwatt.uplink.messages import Operate, OperationKind, Outcome, Result

MOST_FAULTS = 5
"""A terminal that answers a capture with its own fault this often needs a person (law 10)."""

Decision = tuple[Operation, tuple[Report, ...]]
Row = Callable[[Any, Any], Decision]
S = State


class UnableToDecide(Exception):
    """The table has no row for what happened."""


class Reaction(StrEnum):
    """What a terminal's no to a capture or release asks for."""

    REFUSE = "refuse"
    LOOK_UP = "look_up"
    AGAIN = "again"
    FAULT = "fault"


REACTIONS: dict[ResultKind, Reaction] = {
    ResultKind.ALREADY_DONE: Reaction.LOOK_UP,
    ResultKind.NOT_FOUND: Reaction.LOOK_UP,
    ResultKind.BUSY: Reaction.AGAIN,
    ResultKind.UNREACHABLE: Reaction.AGAIN,
    ResultKind.ABORTED: Reaction.AGAIN,
    ResultKind.SERVICE_REQUIRED: Reaction.AGAIN,
    ResultKind.DAY_END_REQUIRED: Reaction.AGAIN,
    ResultKind.FAULT: Reaction.FAULT,
    ResultKind.PROTOCOL: Reaction.FAULT,
    ResultKind.OK: Reaction.FAULT,
    ResultKind.DECLINED: Reaction.REFUSE,
    ResultKind.PIN_REQUIRED: Reaction.REFUSE,
    ResultKind.CARD_FAULT: Reaction.REFUSE,
    ResultKind.NOT_POSSIBLE: Reaction.REFUSE,
    ResultKind.LIMIT: Reaction.REFUSE,
    ResultKind.CURRENCY: Reaction.REFUSE,
}


# --- reports

_RESULTS = {S.FENCED: Result.NOT_SENT}


def _report(operation: Operation) -> tuple[Report, ...]:
    """What the platform is told. The edge's own operations concern nobody else."""
    if operation.own:
        return ()
    keys = operation.keys or Keys(receipt="")
    request = operation.request
    outcome = Outcome(
        key=operation.key,
        kind=request.kind if request is not None else OperationKind.PREAUTHORISE,
        terminal_id=operation.terminal_id,
        result=_RESULTS.get(operation.state) or Result(operation.state),
        at_ms=operation.at_ms,
        amount_minor=operation.amount_minor,
        currency=keys.currency or (request.currency if request is not None else ""),
        receipt=keys.receipt or (request.receipt if request is not None else ""),
        trace=keys.trace,
        tid=keys.tid,
        merchant_id=keys.merchant_id,
        approval_code=keys.approval_code,
        token=keys.token,
        brand=keys.brand,
        last_four=keys.last_four,
        bin=keys.bin,
        technology=keys.technology,
        code=operation.code,
        reason=operation.reason,
    )
    return (Report(outcome=outcome),)


def _ends(operation: Operation, state: State, at_ms: int, **more: Any) -> Decision:
    ended = replace(operation, state=state, at_ms=at_ms, **more)
    return ended, _report(ended)


def _new(event: Asked) -> Operation:
    request = event.request
    return Operation(
        key=request.key,
        terminal_id=request.terminal_id,
        state=S.QUEUED,
        at_ms=event.at_ms,
        operator_id=event.operator_id,
        request=request,
        own=event.own,
    )


# --- rows: both families


def same(operation: Operation, event: Event) -> Decision:
    """Nothing new: it is on its way, and its outcome will be told."""
    return operation, ()


def tell_again(operation: Operation, event: Event) -> Decision:
    """It has ended: who asks, or sends it again, is told once more."""
    return operation, _report(operation)


def asked_again(row: Row) -> Row:
    """A repeat is known by its key and must ask for the same; only its deadline may be a new one."""

    def checked(operation: Operation, event: Asked) -> Decision:
        if _without_deadline(event.request) != _without_deadline(operation.asked):
            raise UnableToDecide(f"key {operation.key} was used for another operation before")
        return row(operation, event)

    return checked


def _without_deadline(request: Operate) -> Operate:
    return replace(request, deadline_ms=0)


def sent(operation: Operation, event: Sent) -> Decision:
    """It is on the wire now, or about to be."""
    return replace(operation, state=S.SENT, at_ms=event.at_ms, sends=operation.sends + 1, denied=False), ()


def stated(operation: Operation, event: Stated) -> Decision:
    """The terminal named its keys; whether it finishes is still open."""
    return replace(operation, keys=event.keys), ()


def silent(operation: Operation, event: Silent) -> Decision:
    """Nobody said yes or no: the platform hears that, and the list of open holds will tell."""
    return _ends(operation, S.UNKNOWN, event.at_ms, reason=event.reason)


# --- rows: an operation that makes a hold


def begin_hold(operation: None, event: Asked) -> Decision:
    """A new authorisation; one that nobody waits for any more never begins."""
    request = event.request
    new = _new(event)
    if event.problem:
        return _ends(new, S.DECLINED, event.at_ms, code="impossible", reason=event.problem)
    if 0 < request.deadline_ms <= event.at_ms:
        return _ends(new, S.NOT_SENT, event.at_ms, code="deadline", reason="it arrived after its deadline")
    return new, ()


def approved(operation: Operation, event: Approved) -> Decision:
    """The hold is confirmed, if the terminal said which and how much."""
    keys = event.keys
    if not keys.receipt:
        # Without its number the hold can be neither captured nor released: the list of open holds has it.
        return _ends(operation, S.UNKNOWN, event.at_ms, keys=None, reason="approved without a receipt number")
    if keys.amount_minor is None:
        return _found_open(replace(operation, keys=keys), event.at_ms, "approved without saying how much")
    return _ends(
        operation,
        S.APPROVED,
        event.at_ms,
        keys=keys,
        amount_minor=keys.amount_minor,
        hold=Hold.OPEN,
        reason="",
    )


def _found_open(operation: Operation, at_ms: int, reason: str) -> Decision:
    return _ends(operation, S.FOUND_OPEN, at_ms, hold=Hold.OPEN, amount_minor=None, reason=reason)


def declined(operation: Operation, event: Declined) -> Decision:
    """A clear no."""
    return _ends(operation, S.DECLINED, event.at_ms, code=event.code, reason=event.reason)


def aborted(operation: Operation, event: Aborted) -> Decision:
    """Broken off before there was an answer."""
    return _ends(operation, S.ABORTED, event.at_ms, code=event.code, reason=event.reason)


def abort(operation: Operation, event: AbortWanted) -> Decision:
    """Taken back while it waited."""
    return _ends(operation, S.ABORTED, event.at_ms, reason="taken back before it was sent")


def not_sent(operation: Operation, event: NotSent) -> Decision:
    """The terminal never began it."""
    return _ends(operation, S.NOT_SENT, event.at_ms, code=event.code, reason=event.reason)


def hold_listed(operation: Operation, event: Listed) -> Decision:
    """With the keys stated before the silence the hold is known; without them only its number is."""
    if event.receipt is None:
        return _ends(operation, S.FOUND_NONE, event.at_ms, reason="no open hold of it at the terminal")
    keys = operation.keys
    if keys is not None and keys.receipt == event.receipt:
        return approved(operation, Approved(at_ms=event.at_ms, keys=keys))
    found = Keys(receipt=event.receipt, currency=operation.asked.currency)
    return _found_open(replace(operation, keys=found), event.at_ms, "an open hold nobody knew was there")


def hold_ended(operation: Operation, event: HoldEnded) -> Decision:
    """A capture or release of this hold ended."""
    return replace(operation, hold=event.hold, captured_minor=event.amount_minor), ()


def superseded(operation: Operation, event: Superseded) -> Decision:
    """Its receipt number names another hold from now on."""
    return replace(operation, hold=Hold.NONE), ()


# --- rows: an operation that ends a hold


def begin_finish(operation: Operation | None, event: Asked) -> Decision:
    """Deadlines do not count here: a capture must outlive everything. A fence is lifted, since these can be
    repeated."""
    new = _new(event)
    if event.problem:
        return _ends(new, S.REFUSED, event.at_ms, code="impossible", reason=event.problem)
    return new, ()


def foreknown(operation: Operation, event: Foreknown) -> Decision:
    """The journal knows how this ends: the terminal is not asked."""
    amount = event.amount_minor if event.amount_minor is not None else operation.amount_minor
    return _ends(
        operation, event.state, event.at_ms, amount_minor=amount, code="journal", reason=event.reason
    )


def done(operation: Operation, event: Approved) -> Decision:
    """Done; the amount is the one the terminal states, should it differ from ours."""
    named_minor = event.keys.amount_minor
    takes = operation.asked.kind is OperationKind.CAPTURE and operation.asked.amount_minor > 0
    amount = named_minor if takes and named_minor is not None else operation.asked.amount_minor
    return _ends(operation, S.DONE, event.at_ms, keys=event.keys, amount_minor=amount, code="", reason="")


def finish_declined(operation: Operation, event: Declined) -> Decision:
    """A no to a capture or release is final, worth a look at the list, or worth another try."""
    noted = replace(operation, code=event.code, reason=event.reason)
    match REACTIONS[event.kind]:
        case Reaction.REFUSE:
            return _ends(noted, S.REFUSED, event.at_ms)
        case Reaction.LOOK_UP:
            return replace(noted, state=S.LOOKUP, at_ms=event.at_ms, denied=True), ()
        case Reaction.FAULT if operation.faults + 1 >= MOST_FAULTS:
            return _ends(noted, S.REFUSED, event.at_ms, faults=operation.faults + 1)
        case Reaction.FAULT:
            noted = replace(noted, faults=operation.faults + 1)
    return replace(noted, state=S.LOOKUP, at_ms=event.at_ms), ()


def finish_aborted(operation: Operation, event: Aborted) -> Decision:
    """Broken off: the list tells whether it was done."""
    return replace(operation, state=S.LOOKUP, at_ms=event.at_ms, code=event.code, reason=event.reason), ()


def finish_not_sent(operation: Operation, event: NotSent) -> Decision:
    """It waits for its next turn, for ever: a capture is never given up for want of a connection."""
    waits = replace(operation, state=S.QUEUED, at_ms=event.at_ms, code=event.code, reason=event.reason)
    return replace(waits, sends=max(operation.sends - 1, 0)), ()


def finish_listed(operation: Operation, event: Listed) -> Decision:
    """Gone: we sent it, so it was done. Still open: it was not done, and may be sent again."""
    still_open = event.receipt is not None
    if still_open and operation.denied:
        return _ends(operation, S.REFUSED, event.at_ms)
    if still_open:
        return replace(operation, state=S.QUEUED, at_ms=event.at_ms, keys=None), ()
    capture = operation.asked.kind is OperationKind.CAPTURE
    if operation.denied and operation.sends <= 1 and capture:
        # The first and only attempt was denied: somebody else ended this hold, and not with our amount.
        return _ends(operation, S.NOT_FOUND, event.at_ms)
    return _ends(operation, S.ALREADY_DONE, event.at_ms, amount_minor=operation.asked.amount_minor)


# --- rows: a key that never arrived


def fence(operation: None, event: OutcomeWanted) -> Decision:
    """The key is taken, so that it cannot arrive late and make a hold nobody waits for."""
    fenced = Operation(
        key=event.key,
        terminal_id=event.terminal_id,
        state=S.FENCED,
        at_ms=event.at_ms,
        reason="it never arrived here",
    )
    return fenced, _report(fenced)


def _fenced(operation: Operation, event: Asked) -> Decision:
    """Too late: the platform was told that this one was not sent."""
    return operation, _report(operation)


def fence_asked(operation: Operation, event: Asked) -> Decision:
    """A capture or release lifts the fence, an authorisation does not."""
    row = begin_finish if finishes(event.request.kind) else _fenced
    return row(operation, event)
