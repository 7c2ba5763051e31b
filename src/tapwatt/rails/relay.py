"""The life cycle of a payment at a host that passes it on (gateway, acquirer, scheme): one table, pure.

Durable intent before anything is sent, durable outcome before anything is answered; a silent party is
reversed; a completion is taken once; a reversal that comes before its original blocks it (reference/rails.md
sections 2.4 and 2.5, design.md laws 2, 4 and 5). A tool of the wire: whom a host trusts and where it sends is
the host's own.

An answer is not an effect: `answer` reads it from the same table, so that a repeat gets what was answered
before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tapwatt.rails.messages import ReversalReason
from tapwatt.rails.relay_states import (
    Approved,
    Asked,
    CompletionAccepted,
    CompletionReceived,
    Declined,
    Identity,
    NotSent,
    Parked,
    Refused,
    Relay,
    RelayEffect,
    RelayEvent,
    RelayStatus,
    ReversalAccepted,
    ReversalReceived,
    SendCompletion,
    SendRequest,
    SendReversal,
    Silent,
)
from tapwatt.rails.responses import ResponseCode, approves

ALREADY_REVERSED = "79"
"""Field 39 for an authorisation that comes after, or is repeated after, its reversal."""


class UnexpectedEvent(Exception):
    """The table has no row for this event in this state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a row says: the new state, what to do, and what to answer the party that sent the event.

    An empty `code` is no answer yet (or nobody asked).
    """

    state: Relay
    effects: tuple[RelayEffect, ...] = ()
    code: str = ""
    reason: str = ""


Row = Callable[[Any, Any], Outcome]


def decide(state: Relay | None, event: RelayEvent) -> tuple[Relay, tuple[RelayEffect, ...]]:
    """The next state and its effects; UnexpectedEvent where the table has no row."""
    outcome = _outcome(state, event)
    return outcome.state, outcome.effects


def answer(state: Relay | None, event: RelayEvent) -> tuple[str, str]:
    """Field 39 and its reason for the sender of an event that met this state; ("", "") is not yet known."""
    outcome = _outcome(state, event)
    return outcome.code, outcome.reason


def authorisation_answer(state: Relay) -> tuple[str, str]:
    """Field 39 and its reason for the authorisation of a life cycle as it stands; ("", "") while open."""
    if state.status in (RelayStatus.REVERSING, RelayStatus.REVERSED) and (
        not state.response_code or approves(state.response_code)
    ):
        return ALREADY_REVERSED, "the authorisation was reversed"
    return state.response_code, state.reason


def _outcome(state: Relay | None, event: RelayEvent) -> Outcome:
    row = TABLE.get((None if state is None else state.status, type(event)))
    if row is None:
        status = "no life cycle" if state is None else state.status
        raise UnexpectedEvent(f"{type(event).__name__} has no row for {status}")
    return row(state, event)


# --- the authorisation


def _begin(_state: None, event: Asked) -> Outcome:
    begun = Relay(
        identity=event.identity,
        status=RelayStatus.RECEIVED,
        original=event.original,
        upstream=event.upstream,
        scheme_transaction=event.scheme_transaction,
    )
    return Outcome(state=begun, effects=(SendRequest(stan=event.original.get("11", "")),))


def _refuse(_state: None, event: Refused) -> Outcome:
    refused = Relay(
        identity=event.identity, status=RelayStatus.DECLINED, response_code=event.code, reason=event.reason
    )
    return Outcome(state=refused, code=event.code, reason=event.reason)


def _asked_again(state: Relay, event: Asked | Refused) -> Outcome:
    """A repeat is told the stored answer; the same key with other content is told so; nothing changes."""
    known, asked = state.identity, event.identity
    if known.stan != asked.stan:
        code, reason = ResponseCode.INVALID_TRANSACTION, "a hold cannot be increased here"
    elif (known.amount_minor, known.currency, known.pan_match) != (
        asked.amount_minor,
        asked.currency,
        asked.pan_match,
    ):
        code, reason = ResponseCode.DUPLICATE, "the same request came with another amount or card"
    else:
        return Outcome(
            state=state, code=authorisation_answer(state)[0], reason=authorisation_answer(state)[1]
        )
    return Outcome(state=state, code=code, reason=reason)


def _blocked_original(state: Relay, event: Asked | Refused) -> Outcome:
    reason = "its reversal or completion came first"
    told = replace(state, identity=event.identity, response_code=ALREADY_REVERSED, reason=reason)
    return Outcome(state=told, code=ALREADY_REVERSED, reason=reason)


def _approve(state: Relay, event: Approved) -> Outcome:
    approved = replace(
        state,
        status=RelayStatus.APPROVED,
        authorised_minor=event.amount_minor,
        response_code=event.code,
        approval_code=event.approval_code,
        scheme_transaction=event.scheme_transaction or state.scheme_transaction,
    )
    return Outcome(state=approved)


def _decline(state: Relay, event: Declined) -> Outcome:
    declined = replace(state, status=RelayStatus.DECLINED, response_code=event.code, reason=event.reason)
    return Outcome(state=declined)


def _not_sent(state: Relay, event: NotSent) -> Outcome:
    code = ResponseCode.ISSUER_INOPERATIVE
    return Outcome(state=replace(state, status=RelayStatus.DECLINED, response_code=code, reason=event.reason))


def _reverse_unknown(state: Relay, event: Silent) -> Outcome:
    """Nobody knows what happened at the next party, so whatever it did is taken back."""
    unknown = replace(
        state,
        status=RelayStatus.REVERSING,
        response_code=ResponseCode.ISSUER_INOPERATIVE,
        reason=event.reason,
    )
    back = SendReversal(code=ReversalReason.TIMEOUT, stan=event.stan, at_ms=event.at_ms)
    return Outcome(state=unknown, effects=(back,))


def _too_late(state: Relay, _event: Approved | Declined | Silent | NotSent) -> Outcome:
    """The sender had given up meanwhile; its reversal is on its way and the answer is of no use."""
    return Outcome(state=state)


# --- completion


def _complete(state: Relay, event: CompletionReceived) -> Outcome:
    wrong = _wrong_completion(state, event)
    if wrong is not None:
        return Outcome(state=state, code=wrong[0], reason=wrong[1])
    amount_minor = event.identity.amount_minor
    completed = replace(state, status=RelayStatus.COMPLETED, captured_minor=amount_minor)
    forward = SendCompletion(amount_minor=amount_minor, stan=event.stan, at_ms=event.at_ms)
    return Outcome(state=completed, effects=(forward,), code=ResponseCode.APPROVED)


def _wrong_completion(state: Relay, event: CompletionReceived) -> tuple[str, str] | None:
    said = event.identity
    if not _same_owner(state.identity, said):
        return ResponseCode.ORIGINAL_NOT_FOUND, "the authorisation belongs to another terminal or merchant"
    if said.currency != state.identity.currency:
        return ResponseCode.INVALID_TRANSACTION, "the completion is in another currency"
    if said.amount_minor == 0:
        return ResponseCode.INVALID_AMOUNT, "a completion of nothing is a reversal"
    if said.amount_minor > state.authorised_minor:
        return ResponseCode.OVER_AMOUNT_LIMIT, "the completion is above the approved amount"
    return None


def _completed_again(state: Relay, event: CompletionReceived) -> Outcome:
    same = (state.captured_minor, state.identity.currency) == (
        event.identity.amount_minor,
        event.identity.currency,
    )
    if same and _same_owner(state.identity, event.identity):
        return Outcome(state=state, code=ResponseCode.APPROVED)
    reason = "the life cycle has its one completion, and it was a different one"
    return Outcome(state=state, code=ResponseCode.DUPLICATE, reason=reason)


def _nothing_to_complete(state: Relay, _event: CompletionReceived) -> Outcome:
    reason = "there is no approved authorisation to complete"
    return Outcome(state=state, code=ResponseCode.ORIGINAL_NOT_FOUND, reason=reason)


def _complete_reversed(state: Relay, _event: CompletionReceived) -> Outcome:
    return Outcome(state=state, code=ResponseCode.NO_ACTION, reason="the authorisation was reversed")


def _orphan_completion(_state: None, event: CompletionReceived) -> Outcome:
    reason = "a completion without its authorisation"
    kept = Relay(identity=event.identity, status=RelayStatus.BLOCKED, reason=reason)
    return Outcome(state=kept, code=ResponseCode.ORIGINAL_NOT_FOUND, reason=reason)


# --- reversal


def _reverse(state: Relay, event: ReversalReceived) -> Outcome:
    if not _same_owner(state.identity, event.identity):
        reason = "the authorisation belongs to another terminal or merchant"
        return Outcome(state=state, code=ResponseCode.ORIGINAL_NOT_FOUND, reason=reason)
    back = SendReversal(code=ReversalReason.CANCELLED, stan=event.stan, at_ms=event.at_ms)
    return Outcome(
        state=replace(state, status=RelayStatus.REVERSING), effects=(back,), code=ResponseCode.APPROVED
    )


def _nothing_to_reverse(state: Relay, _event: ReversalReceived) -> Outcome:
    return Outcome(state=state, code=ResponseCode.APPROVED)


def _reverse_completed(state: Relay, _event: ReversalReceived) -> Outcome:
    reason = "the payment is completed; only a refund gives it back"
    return Outcome(state=state, code=ResponseCode.NO_ACTION, reason=reason)


def _block(_state: None, event: ReversalReceived) -> Outcome:
    blocked = Relay(
        identity=event.identity, status=RelayStatus.BLOCKED, reason="a reversal without its authorisation"
    )
    return Outcome(state=blocked, code=ResponseCode.APPROVED)


# --- what became of advices passed on


def _confirmed(state: Relay, _event: CompletionAccepted) -> Outcome:
    return Outcome(state=replace(state, alarm=""))


def _reversed(state: Relay, _event: ReversalAccepted) -> Outcome:
    return Outcome(state=replace(state, status=RelayStatus.REVERSED, alarm=""))


def _park(state: Relay, event: Parked) -> Outcome:
    return Outcome(state=replace(state, alarm=f"{event.kind}: {event.reason}"))


def _same_owner(known: Identity, said: Identity) -> bool:
    return (known.tid, known.mid) == (said.tid, said.mid)


_RECEIVED, _APPROVED, _DECLINED = RelayStatus.RECEIVED, RelayStatus.APPROVED, RelayStatus.DECLINED
_REVERSING, _REVERSED = RelayStatus.REVERSING, RelayStatus.REVERSED
_COMPLETED, _BLOCKED = RelayStatus.COMPLETED, RelayStatus.BLOCKED

TABLE: dict[tuple[RelayStatus | None, type], Row] = {
    (None, Asked): _begin,
    (None, Refused): _refuse,
    (None, CompletionReceived): _orphan_completion,
    (None, ReversalReceived): _block,
    (_RECEIVED, Asked): _asked_again,
    (_RECEIVED, Approved): _approve,
    (_RECEIVED, Declined): _decline,
    (_RECEIVED, Silent): _reverse_unknown,
    (_RECEIVED, NotSent): _not_sent,
    (_RECEIVED, CompletionReceived): _nothing_to_complete,
    (_RECEIVED, ReversalReceived): _reverse,
    (_APPROVED, Asked): _asked_again,
    (_APPROVED, CompletionReceived): _complete,
    (_APPROVED, ReversalReceived): _reverse,
    (_DECLINED, Asked): _asked_again,
    (_DECLINED, CompletionReceived): _nothing_to_complete,
    (_DECLINED, ReversalReceived): _nothing_to_reverse,
    (_COMPLETED, Asked): _asked_again,
    (_COMPLETED, CompletionReceived): _completed_again,
    (_COMPLETED, ReversalReceived): _reverse_completed,
    (_COMPLETED, CompletionAccepted): _confirmed,
    (_COMPLETED, Parked): _park,
    (_REVERSING, Asked): _asked_again,
    (_REVERSING, Approved): _too_late,
    (_REVERSING, Declined): _too_late,
    (_REVERSING, Silent): _too_late,
    (_REVERSING, NotSent): _too_late,
    (_REVERSING, CompletionReceived): _complete_reversed,
    (_REVERSING, ReversalReceived): _nothing_to_reverse,
    (_REVERSING, ReversalAccepted): _reversed,
    (_REVERSING, Parked): _park,
    (_REVERSED, Asked): _asked_again,
    (_REVERSED, CompletionReceived): _complete_reversed,
    (_REVERSED, ReversalReceived): _nothing_to_reverse,
    (_BLOCKED, Asked): _blocked_original,
    (_BLOCKED, CompletionReceived): _nothing_to_complete,
    (_BLOCKED, ReversalReceived): _nothing_to_reverse,
}
