"""Messages of a host in the middle: what it passes on, what it answers, and what of a request it may store.

Pure. The life cycle itself is `relay`; the builders of single messages are `messages` (reference/rails.md
2.1, 2.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tapwatt.rails.iso8583 import Message, MissingField
from tapwatt.rails.iso8583.masking import mask_pan
from tapwatt.rails.messages import (
    APPROVAL_CODE,
    CARD_SEQUENCE,
    CHIP_DATA,
    CURRENCY,
    EXPIRY,
    HOUSE,
    MERCHANT,
    PAN,
    REPLACEMENT_AMOUNTS,
    RESPONSE_CODE,
    RRN,
    SENSITIVE_FIELDS,
    STAN,
    TERMINAL,
    UnableToRead,
    amount_minor,
    completion,
    life_cycle,
    next_hop,
    payment_reference,
    response,
    reversal,
    scheme_transaction,
)
from tapwatt.rails.mti import AUTHORISATION
from tapwatt.rails.relay_states import (
    Approved,
    Declined,
    Identity,
    Relay,
    SendCompletion,
    SendReversal,
)
from tapwatt.rails.responses import approves, meaning_of

LIFE_CYCLE = HOUSE.number("life_cycle")
SCHEME_TRANSACTION = HOUSE.number("scheme_transaction")
_NEVER_STORED = (*SENSITIVE_FIELDS, PAN, EXPIRY, CARD_SEQUENCE, CHIP_DATA, HOUSE.number("additional_data"))
_MOST_LIFE_CYCLE = 40
_MOST_REFERENCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """This host's own trace number and the time, for a request that it passes on."""

    stan: str
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A host lets a request through: to whom, and with which fields changed (None takes one out)."""

    upstream: str
    stamps: Mapping[int, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """A host's own check fails: field 39 and the reason in words."""

    code: str
    reason: str


Verdict = Pass | Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPan:
    """A card number as it may be stored: masked, encrypted, and as keyed hash."""

    masked: str = ""
    sealed: str = ""
    match: str = ""


def pan_of(message: Message) -> str:
    """Field 2, "" where a follow-up goes without; UnableToRead for what can be no card number."""
    pan = message.get(PAN)
    if pan is None:
        return ""
    if not isinstance(pan, str) or not 12 <= len(pan) <= 19:
        raise UnableToRead("field 2 is no card number")
    return pan


def references(message: Message) -> dict[str, str]:
    """What a log line about a message names it by, as far as the message says; masked by the log itself."""
    found = {"life_cycle": message.get(LIFE_CYCLE), "reference": payment_reference(message)}
    return {name: value[:_MOST_REFERENCE] for name, value in found.items() if isinstance(value, str)}


def masked_pan(pan: str) -> str:
    """As views show it; "" stays ""."""
    return mask_pan(pan)


def identity_of(message: Message, pan: SealedPan) -> Identity:
    """What a message says about whose payment it is; MissingField or UnableToRead when it cannot be told."""
    reference, cycle = payment_reference(message) or "", life_cycle(message)
    if len(cycle) > _MOST_LIFE_CYCLE or len(reference) > _MOST_REFERENCE:
        raise UnableToRead("a reference of the payment is too long")
    if message.get(REPLACEMENT_AMOUNTS) is not None:
        raise UnableToRead("field 95: partial reversals are not taken; the completion releases the rest")
    return Identity(
        life_cycle=cycle,
        reference=reference,
        rrn=message.text(RRN),
        stan=message.text(STAN),
        tid=message.text(TERMINAL).strip(),
        mid=message.text(MERCHANT).strip(),
        card=pan.masked,
        pan_sealed=pan.sealed,
        pan_match=pan.match,
        amount_minor=amount_minor(message),
        currency=message.text(CURRENCY),
    )


def passed_on(request: Message, hop: Hop, *, forwarder_id: str, stamps: Mapping[int, str | None]) -> Message:
    """The 0100 for the next party: our trace number and time, and what this host sets."""
    onward = next_hop(request, stan=hop.stan, now_ms=hop.now_ms, forwarder_id=forwarder_id)
    return onward.replace({LIFE_CYCLE: life_cycle(request), **stamps}, mti=AUTHORISATION)


def storable(message: Message) -> dict[str, str]:
    """The fields of a request that its follow-ups need, without anything of the card (PCI DSS 3.3.1)."""
    kept = message.without(*_NEVER_STORED).fields
    return {str(number): value for number, value in kept.items() if isinstance(value, str)}


def outcome_of(answer: Message, asked_minor: int, *, now_ms: int) -> Approved | Declined | None:
    """What the next party's 0110 says; None when it says yes to something that was not asked."""
    try:
        code = answer.text(RESPONSE_CODE)
        if not approves(code):
            return Declined(code=code, reason=meaning_of(code).meaning, at_ms=now_ms)
        approved_minor = amount_minor(answer)
    except (MissingField, UnableToRead):
        return None
    if not 0 < approved_minor <= asked_minor:
        return None
    return Approved(
        amount_minor=approved_minor,
        code=code,
        approval_code=str(answer.get(APPROVAL_CODE) or ""),
        scheme_transaction=scheme_transaction(answer) or "",
        at_ms=now_ms,
    )


def completion_message(state: Relay, effect: SendCompletion, *, pan: str) -> Message:
    """0220 for the next party."""
    return completion(
        _original(state, pan),
        amount_minor=effect.amount_minor,
        stan=effect.stan,
        now_ms=effect.at_ms,
        approval_code=state.approval_code or None,
    )


def reversal_message(state: Relay, effect: SendReversal, *, pan: str) -> Message:
    """0420 for the next party."""
    return reversal(
        _original(state, pan),
        stan=effect.stan,
        now_ms=effect.at_ms,
        reason=effect.code,
        approval_code=state.approval_code or None,
    )


def authorisation_response(
    request: Message, state: Relay, code: str, *, chip_data: bytes | None = None
) -> Message:
    """0110 for the party that asked: a yes carries amount, approval code and the scheme's identifier."""
    if not approves(code):
        return response(request, code)
    answered = response(
        request,
        code,
        approval_code=state.approval_code or None,
        amount_minor=state.authorised_minor,
        chip_data=chip_data,
    )
    return answered.replace({SCHEME_TRANSACTION: state.scheme_transaction or None})


def advice_response(request: Message, code: str) -> Message:
    """0230, 0410 or 0430."""
    return response(request, code)


def _original(state: Relay, pan: str) -> Message:
    fields: dict[int, str | bytes | None] = {int(number): value for number, value in state.original.items()}
    fields[PAN] = pan or None
    fields[SCHEME_TRANSACTION] = state.scheme_transaction or None
    return Message(AUTHORISATION, {}).replace(fields)
