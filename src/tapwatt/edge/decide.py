"""The table of terminal operations: (family, state, event) → state and reports. Pure (law 1).

Two families: HOLD makes a hold (preauthorise, increase), FINISH ends one (capture, release). What is not in
the table is an error with a name (law 2). A money command is never sent twice blindly: from SENT only the
terminal's answer or its list of open holds leads on (law 5; terminals.md section 4.5). The rows are in
`rows`.
"""

from __future__ import annotations

from enum import StrEnum

from tapwatt.edge import rows
from tapwatt.edge.operation import (
    EFFECTS,
    EVENTS,
    Aborted,
    AbortWanted,
    Approved,
    Asked,
    Declined,
    Event,
    Foreknown,
    Hold,
    HoldEnded,
    Listed,
    NotSent,
    Operation,
    OutcomeWanted,
    Sent,
    Silent,
    State,
    Stated,
    Superseded,
    finishes,
    hold_name,
)
from tapwatt.edge.rows import Decision, Row, UnableToDecide

__all__ = ["EFFECTS", "EVENTS", "TABLE", "Decision", "Family", "UnableToDecide", "decide", "index"]

S = State


class Family(StrEnum):
    """Which part of the table an operation lives in."""

    HOLD = "hold"
    FINISH = "finish"
    FENCE = "fence"


def decide(operation: Operation | None, event: Event) -> Decision:
    """One step. Raises `UnableToDecide` when the table has no row."""
    state = None if operation is None else operation.state
    family = _family(operation, event)
    row = TABLE.get((family, state, type(event)))
    if row is None:
        raise UnableToDecide(f"{type(event).__name__} for a {family} operation in {state or 'no state'}")
    return row(operation, event)


def index(operation: Operation) -> dict[str, str]:
    """A hold is found by terminal and receipt, from its approval until the terminal uses the number again;
    while it is open, among the open ones too."""
    if operation.hold is Hold.NONE or operation.keys is None:
        return {}
    name = hold_name(operation.terminal_id, operation.keys.receipt)
    return {"hold": name, "open": name} if operation.hold is Hold.OPEN else {"hold": name}


def _family(operation: Operation | None, event: Event) -> Family:
    request = operation.request if operation is not None else getattr(event, "request", None)
    if request is None:
        return Family.FENCE
    return Family.FINISH if finishes(request.kind) else Family.HOLD


# --- the table

_H, _F, _X = Family.HOLD, Family.FINISH, Family.FENCE
_HOLD_ENDS = (S.APPROVED, S.FOUND_OPEN, S.FOUND_NONE, S.DECLINED, S.ABORTED, S.NOT_SENT)
_FINISH_ENDS = (S.DONE, S.ALREADY_DONE, S.REFUSED, S.NOT_FOUND)

TABLE: dict[tuple[Family, State | None, type], Row] = {
    (_H, None, Asked): rows.begin_hold,
    (_H, S.QUEUED, Asked): rows.asked_again(rows.same),
    (_H, S.QUEUED, OutcomeWanted): rows.same,
    (_H, S.QUEUED, AbortWanted): rows.abort,
    (_H, S.QUEUED, NotSent): rows.not_sent,
    (_H, S.QUEUED, Sent): rows.sent,
    (_H, S.SENT, Asked): rows.asked_again(rows.same),
    (_H, S.SENT, OutcomeWanted): rows.same,
    (_H, S.SENT, AbortWanted): rows.same,
    (_H, S.SENT, Stated): rows.stated,
    (_H, S.SENT, Approved): rows.approved,
    (_H, S.SENT, Declined): rows.declined,
    (_H, S.SENT, Aborted): rows.aborted,
    (_H, S.SENT, NotSent): rows.not_sent,
    (_H, S.SENT, Silent): rows.silent,
    (_H, S.UNKNOWN, Asked): rows.asked_again(rows.same),
    (_H, S.UNKNOWN, OutcomeWanted): rows.same,
    (_H, S.UNKNOWN, Listed): rows.hold_listed,
    (_H, S.APPROVED, HoldEnded): rows.hold_ended,
    (_H, S.APPROVED, Superseded): rows.superseded,
    (_H, S.FOUND_OPEN, HoldEnded): rows.hold_ended,
    (_H, S.FOUND_OPEN, Superseded): rows.superseded,
    **{(_H, state, Asked): rows.asked_again(rows.tell_again) for state in _HOLD_ENDS},
    **{(_H, state, OutcomeWanted): rows.tell_again for state in _HOLD_ENDS},
    (_F, None, Asked): rows.begin_finish,
    (_F, S.QUEUED, Asked): rows.asked_again(rows.same),
    (_F, S.QUEUED, OutcomeWanted): rows.same,
    (_F, S.QUEUED, Foreknown): rows.foreknown,
    (_F, S.QUEUED, Sent): rows.sent,
    (_F, S.SENT, Asked): rows.asked_again(rows.same),
    (_F, S.SENT, OutcomeWanted): rows.same,
    (_F, S.SENT, Stated): rows.stated,
    (_F, S.SENT, Approved): rows.done,
    (_F, S.SENT, Declined): rows.finish_declined,
    (_F, S.SENT, Aborted): rows.finish_aborted,
    (_F, S.SENT, NotSent): rows.finish_not_sent,
    (_F, S.SENT, Silent): rows.silent,
    (_F, S.UNKNOWN, Asked): rows.asked_again(rows.same),
    (_F, S.UNKNOWN, OutcomeWanted): rows.same,
    (_F, S.UNKNOWN, Listed): rows.finish_listed,
    (_F, S.LOOKUP, Asked): rows.asked_again(rows.same),
    (_F, S.LOOKUP, OutcomeWanted): rows.same,
    (_F, S.LOOKUP, Listed): rows.finish_listed,
    **{(_F, state, Asked): rows.asked_again(rows.tell_again) for state in _FINISH_ENDS},
    **{(_F, state, OutcomeWanted): rows.tell_again for state in _FINISH_ENDS},
    (_X, None, OutcomeWanted): rows.fence,
    (_X, S.FENCED, OutcomeWanted): rows.tell_again,
    (_X, S.FENCED, Asked): rows.fence_asked,
}
