"""What the issuer decides: one table over the life cycle of an authorisation, pure.

The money itself (holds, postings) is in rows of its own, which the effects write in the same commit; here is
only where a life cycle stands and what was answered, so that a repeat gets the same. Declines each have their
own reason in words (reference/rails.md sections 2.4 and 3.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tapwatt.rails.relay_states import Identity
from tapwatt.rails.responses import ResponseCode, approves

ALREADY_REVERSED = "79"


class Status(StrEnum):
    """Where a life cycle stands at the issuer."""

    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    COMPLETED = "COMPLETED"
    REVERSED = "REVERSED"
    BLOCKED = "BLOCKED"  # its reversal or completion came first


class ChipFault(StrEnum):
    """What is wrong with the chip data of a request; NONE when its cryptogram holds."""

    NONE = "none"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card and its account at the moment of the request."""

    status: str  # active, blocked or do_not_honour
    expiry: str  # YYMM
    partial: bool
    last_counter: int
    account_id: str
    currency: str  # three digits
    available_minor: int  # balance less open holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """What the chip signed."""

    fault: ChipFault
    amount_minor: int = 0
    currency: str = ""
    counter: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """The state of one life cycle. Amounts are in the hold and its postings."""

    identity: Identity
    status: Status
    response_code: str = ""
    reason: str = ""
    approval_code: str = ""
    scheme_transaction: str = ""


# --- events


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An authorisation request with everything the decision needs."""

    identity: Identity
    card: Card | None  # None: we have no such card
    chip: Chip
    partial_capable: bool  # the terminal can work with less than it asked for
    scripted_code: str = ""  # the sandbox wants this answer for this amount
    approval_code: str
    scheme_transaction: str = ""
    month: str  # YYMM of now
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionReceived:
    """The final amount of a life cycle; what is held and was posted comes from the rows."""

    identity: Identity
    held_minor: int
    posted_minor: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalReceived:
    """The authorisation is taken back."""

    identity: Identity
    at_ms: int


Event = Asked | CompletionReceived | ReversalReceived
EVENTS: tuple[type, ...] = (Asked, CompletionReceived, ReversalReceived)


# --- effects, performed on the account's rows inside the same commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Reserve an amount on an account."""

    account_id: str
    amount_minor: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Take the final amount from the account and close the hold."""

    amount_minor: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Close the hold and take nothing."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOn:
    """Remember the chip's transaction counter: it may only rise."""

    pan_match: str
    counter: int


Effect = Hold | Post | Release | CountOn
EFFECTS: tuple[type, ...] = (Hold, Post, Release, CountOn)


class UnexpectedEvent(Exception):
    """The table has no row for this event in this state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a row says: the new state, the effects, and field 39 with its reason for the scheme."""

    state: Authorisation
    effects: tuple[Effect, ...] = ()
    code: str
    reason: str = ""


def decide(state: Authorisation | None, event: Event) -> tuple[Authorisation, tuple[Effect, ...]]:
    """The next state and its effects; UnexpectedEvent where the table has no row."""
    outcome = _outcome(state, event)
    return outcome.state, outcome.effects


def answer(state: Authorisation | None, event: Event) -> tuple[str, str]:
    """Field 39 and its reason for an event that met this state."""
    outcome = _outcome(state, event)
    return outcome.code, outcome.reason


def _outcome(state: Authorisation | None, event: Event) -> Outcome:
    row = TABLE.get((None if state is None else state.status, type(event)))
    if row is None:
        status = "no life cycle" if state is None else state.status
        raise UnexpectedEvent(f"{type(event).__name__} has no row for {status}")
    return row(state, event)


# --- the authorisation


def judge(event: Asked) -> tuple[str, str, int]:
    """Field 39, its reason and the amount that is held; the first thing that is wrong decides."""
    card, amount_minor = event.card, event.identity.amount_minor
    if card is None:
        return ResponseCode.INVALID_CARD, "no such card", 0
    fault = _wrong_card(card, event.month) or _wrong_chip(card, event) or _scripted(event.scripted_code)
    if fault is not None:
        return *fault, 0
    if card.currency != event.identity.currency:
        return ResponseCode.NOT_PERMITTED_TO_CARDHOLDER, "the account is in another currency", 0
    if card.available_minor >= amount_minor:
        return ResponseCode.APPROVED, "", amount_minor
    if card.partial and event.partial_capable and card.available_minor > 0:
        return ResponseCode.PARTIAL, "approved for what is available", card.available_minor
    return ResponseCode.INSUFFICIENT_FUNDS, "less is available than was asked for", 0


def _wrong_card(card: Card, month: str) -> tuple[str, str] | None:
    if card.status == "blocked":
        return ResponseCode.RESTRICTED_CARD, "the card is blocked"
    if card.status != "active":
        return ResponseCode.DO_NOT_HONOUR, "the card is not to be honoured"
    if card.expiry < month:
        return ResponseCode.EXPIRED_CARD, "the card has expired"
    return None


_CHIP_FAULTS = {
    ChipFault.MISSING: "the request carries no cryptogram",
    ChipFault.UNREADABLE: "the chip data cannot be read",
    ChipFault.WRONG: "the cryptogram is wrong",
}


def _wrong_chip(card: Card, event: Asked) -> tuple[str, str] | None:
    chip = event.chip
    if chip.fault in _CHIP_FAULTS:
        return ResponseCode.WRONG_CRYPTOGRAM, _CHIP_FAULTS[chip.fault]
    if chip.counter <= card.last_counter:
        return ResponseCode.SECURITY_VIOLATION, "the transaction counter was used before"
    if chip.amount_minor != event.identity.amount_minor:
        return ResponseCode.SECURITY_VIOLATION, "the card signed another amount"
    if chip.currency != event.identity.currency:
        return ResponseCode.SECURITY_VIOLATION, "the card signed another currency"
    return None


def _scripted(code: str) -> tuple[str, str] | None:
    return (code, "the sandbox answers this amount so") if code else None


def _authorise(_state: None, event: Asked) -> Outcome:
    code, reason, held_minor = judge(event)
    effects: list[Effect] = []
    if event.card is not None and event.chip.fault is ChipFault.NONE:
        counter = max(event.chip.counter, event.card.last_counter)
        effects.append(CountOn(pan_match=event.identity.pan_match, counter=counter))
    approved = approves(code)
    if approved and event.card is not None:
        effects.append(Hold(account_id=event.card.account_id, amount_minor=held_minor, at_ms=event.at_ms))
    state = Authorisation(
        identity=event.identity,
        status=Status.APPROVED if approved else Status.DECLINED,
        response_code=code,
        reason=reason,
        approval_code=event.approval_code if approved else "",
        scheme_transaction=event.scheme_transaction,
    )
    return Outcome(state=state, effects=tuple(effects), code=code, reason=reason)


def _asked_again(state: Authorisation, event: Asked) -> Outcome:
    known, asked = state.identity, event.identity
    if known.stan != asked.stan:
        reason = "a hold cannot be increased here"
        return Outcome(state=state, code=ResponseCode.INVALID_TRANSACTION, reason=reason)
    if _content(known) != _content(asked):
        reason = "the same request came with another amount or card"
        return Outcome(state=state, code=ResponseCode.DUPLICATE, reason=reason)
    if state.status is Status.REVERSED:
        return Outcome(state=state, code=ALREADY_REVERSED, reason="the authorisation was reversed")
    return Outcome(state=state, code=state.response_code, reason=state.reason)


def _blocked_original(state: Authorisation, event: Asked) -> Outcome:
    reason = "its reversal or completion came first"
    told = replace(state, identity=event.identity, response_code=ALREADY_REVERSED, reason=reason)
    return Outcome(state=told, code=ALREADY_REVERSED, reason=reason)


def _content(said: Identity) -> tuple[int, str, str]:
    return said.amount_minor, said.currency, said.pan_match


# --- completion


def _complete(state: Authorisation, event: CompletionReceived) -> Outcome:
    amount_minor = event.identity.amount_minor
    if event.identity.currency != state.identity.currency:
        reason = "the completion is in another currency"
        return Outcome(state=state, code=ResponseCode.INVALID_TRANSACTION, reason=reason)
    if amount_minor == 0:
        reason = "a completion of nothing is a reversal"
        return Outcome(state=state, code=ResponseCode.INVALID_AMOUNT, reason=reason)
    if amount_minor > event.held_minor:
        reason = "the completion is above the hold"
        return Outcome(state=state, code=ResponseCode.OVER_AMOUNT_LIMIT, reason=reason)
    return Outcome(
        state=replace(state, status=Status.COMPLETED),
        effects=(Post(amount_minor=amount_minor, at_ms=event.at_ms),),
        code=ResponseCode.APPROVED,
    )


def _completed_again(state: Authorisation, event: CompletionReceived) -> Outcome:
    same = event.identity.amount_minor == event.posted_minor
    if same and event.identity.currency == state.identity.currency:
        return Outcome(state=state, code=ResponseCode.APPROVED)
    reason = "the life cycle has its one completion, and it was a different one"
    return Outcome(state=state, code=ResponseCode.DUPLICATE, reason=reason)


def _nothing_to_complete(state: Authorisation, _event: CompletionReceived) -> Outcome:
    reason = "there is no approved authorisation to complete"
    return Outcome(state=state, code=ResponseCode.ORIGINAL_NOT_FOUND, reason=reason)


def _complete_reversed(state: Authorisation, _event: CompletionReceived) -> Outcome:
    return Outcome(state=state, code=ResponseCode.NO_ACTION, reason="the authorisation was reversed")


def _orphan_completion(_state: None, event: CompletionReceived) -> Outcome:
    reason = "a completion without its authorisation"
    kept = Authorisation(identity=event.identity, status=Status.BLOCKED, reason=reason)
    return Outcome(state=kept, code=ResponseCode.ORIGINAL_NOT_FOUND, reason=reason)


# --- reversal


def _reverse(state: Authorisation, event: ReversalReceived) -> Outcome:
    return Outcome(
        state=replace(state, status=Status.REVERSED),
        effects=(Release(at_ms=event.at_ms),),
        code=ResponseCode.APPROVED,
    )


def _nothing_to_reverse(state: Authorisation, _event: ReversalReceived) -> Outcome:
    return Outcome(state=state, code=ResponseCode.APPROVED)


def _reverse_completed(state: Authorisation, _event: ReversalReceived) -> Outcome:
    reason = "the payment is posted; only a refund gives it back"
    return Outcome(state=state, code=ResponseCode.NO_ACTION, reason=reason)


def _block(_state: None, event: ReversalReceived) -> Outcome:
    reason = "a reversal without its authorisation"
    blocked = Authorisation(identity=event.identity, status=Status.BLOCKED, reason=reason)
    return Outcome(state=blocked, code=ResponseCode.APPROVED)


Row = Callable[[Any, Any], Outcome]

TABLE: dict[tuple[Status | None, type], Row] = {
    (None, Asked): _authorise,
    (None, CompletionReceived): _orphan_completion,
    (None, ReversalReceived): _block,
    (Status.APPROVED, Asked): _asked_again,
    (Status.APPROVED, CompletionReceived): _complete,
    (Status.APPROVED, ReversalReceived): _reverse,
    (Status.DECLINED, Asked): _asked_again,
    (Status.DECLINED, CompletionReceived): _nothing_to_complete,
    (Status.DECLINED, ReversalReceived): _nothing_to_reverse,
    (Status.COMPLETED, Asked): _asked_again,
    (Status.COMPLETED, CompletionReceived): _completed_again,
    (Status.COMPLETED, ReversalReceived): _reverse_completed,
    (Status.REVERSED, Asked): _asked_again,
    (Status.REVERSED, CompletionReceived): _complete_reversed,
    (Status.REVERSED, ReversalReceived): _nothing_to_reverse,
    (Status.BLOCKED, Asked): _blocked_original,
    (Status.BLOCKED, CompletionReceived): _nothing_to_complete,
    (Status.BLOCKED, ReversalReceived): _nothing_to_reverse,
}
