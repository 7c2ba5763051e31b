"""What the terminal's list of open holds says about operations of unknown outcome. Pure.

Ours, against production practice: known holds are kept through any restart, only unknown ones are released
(terminals.md section 4.5; design.md law 5). The list gives receipt numbers only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tapwatt.edge.operation import DOUBTFUL, Foreknown, Hold, Operation, State
from tapwatt.uplink.messages import OperationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What to do now. `receipts` by operation key: the open hold that is its own, or None."""

    receipts: dict[str, str | None]
    strangers: tuple[str, ...]
    """Open holds nobody knows: to be released."""
    missing: tuple[str, ...]
    """Holds we believe open and the terminal does not know."""
    contradicted: tuple[str, ...]
    """Holds we captured and the terminal calls open: touched by nobody but a person."""


def compare(
    *, listed: Collection[str], waiting: Collection[Operation], holders: Mapping[str, Operation]
) -> Findings:
    """Compare the list with the journal of the same terminal.

    `waiting` are its operations that have not ended, `holders` the authorisations by receipt: all that are
    open, and those whose receipt is listed.
    """
    named = {_own_receipt(operation) for operation in waiting}
    known = {receipt for receipt, holder in holders.items() if holder.hold is Hold.OPEN} | named
    unclaimed = [receipt for receipt in listed if receipt not in known]
    receipts: dict[str, str | None] = {}
    for operation in waiting:
        if operation.state not in DOUBTFUL:
            continue
        own = _own_receipt(operation)
        if own:
            receipts[operation.key] = own if own in listed else None
        else:
            # One dialogue at a time: the newest hold that nobody knows is the one that was cut.
            receipts[operation.key] = unclaimed.pop() if unclaimed else None
    captured = {receipt for receipt, holder in holders.items() if holder.hold is Hold.CAPTURED}
    return Findings(
        receipts=receipts,
        strangers=tuple(receipt for receipt in unclaimed if receipt not in captured),
        missing=tuple(
            receipt
            for receipt, holder in holders.items()
            if holder.hold is Hold.OPEN and receipt not in listed and receipt not in named
        ),
        contradicted=tuple(receipt for receipt in unclaimed if receipt in captured),
    )


def foreknown(operation: Operation, holder: Operation | None, *, at_ms: int) -> Foreknown | None:
    """What the journal alone can say about a capture or release that is about to be sent; None: ask the
    terminal."""
    if holder is None or holder.keys is None or not operation.finishes:
        return None
    request, keys = operation.asked, holder.keys
    capture = request.kind is OperationKind.CAPTURE

    def ends(state: State, reason: str, amount_minor: int | None = None) -> Foreknown:
        return Foreknown(at_ms=at_ms, state=state, reason=reason, amount_minor=amount_minor)

    if request.trace and keys.trace and request.trace != keys.trace:
        return ends(State.NOT_FOUND, f"receipt {keys.receipt} belongs to a newer authorisation now")
    match holder.hold, capture:
        case Hold.CAPTURED, True:
            return ends(State.ALREADY_DONE, "captured before", holder.captured_minor)
        case Hold.CAPTURED, False:
            return ends(State.REFUSED, "the hold was captured")
        case Hold.RELEASED, False:
            return ends(State.ALREADY_DONE, "released before", request.amount_minor)
        case Hold.RELEASED, True:
            return ends(State.NOT_FOUND, "the hold was released")
        case Hold.OPEN, True if holder.amount_minor not in (None, request.hold_minor):
            return ends(State.REFUSED, f"the hold is {holder.amount_minor}, not {request.hold_minor}")
    return None


def _own_receipt(operation: Operation) -> str:
    if operation.finishes:
        return operation.asked.receipt
    return operation.keys.receipt if operation.keys is not None else ""
