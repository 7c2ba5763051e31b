"""What the acquirer itself decides about a request: is it for one of its merchants, and within what was
agreed?

Pure. The acquirer, not the terminal, says what the merchant is called and does: fields 18, 32 and 43 are set
here (reference/rails.md 2.2; public charging is category 5552, section 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass

from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import (
    ACQUIRER,
    FORWARDER,
    MERCHANT,
    MERCHANT_CATEGORY,
    NAME_LOCATION,
    amount_minor,
    life_cycle,
)
from tapwatt.rails.mti import AUTHORISATION, first_of
from tapwatt.rails.relay_messages import Pass, Refuse, Verdict
from tapwatt.rails.responses import ResponseCode

SCHEME = "scheme"
CHARGING = "5552"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """A merchant with an acceptance contract."""

    mid: str
    name: str
    city: str
    country: str  # two letters
    category: str
    active: bool
    most_minor: int  # largest single hold that was agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the acquirer's tables say about a message. `acquirer_id` is our own number in the scheme."""

    merchant: Merchant | None
    acquirer_id: str


def machine_id(message: Message) -> str:
    """Two gateways may use the same terminal numbers: the life cycle is scoped by the forwarder."""
    return f"{message.get(FORWARDER) or '-'!s}/{life_cycle(message)}"


def check(message: Message, facts: Facts) -> Verdict:
    """Whether a request goes on to the scheme."""
    merchant = facts.merchant
    if merchant is None:
        return Refuse(code=ResponseCode.INVALID_MERCHANT, reason="no contract with this merchant")
    if first_of(message.mti) == AUTHORISATION:
        refusal = _outside_contract(message, merchant)
        if refusal is not None:
            return refusal
    stamps: dict[int, str | None] = {
        MERCHANT_CATEGORY: merchant.category,
        ACQUIRER: facts.acquirer_id,
        NAME_LOCATION: f"{merchant.name[:25]:<25}{merchant.city[:13]:<13}{merchant.country[:2]:<2}",
    }
    return Pass(upstream=SCHEME, stamps=stamps)


def _outside_contract(message: Message, merchant: Merchant) -> Refuse | None:
    if not merchant.active:
        return Refuse(code=ResponseCode.INVALID_MERCHANT, reason="the merchant's contract is not active")
    if merchant.category != CHARGING:
        return Refuse(
            code=ResponseCode.NOT_PERMITTED_TO_TERMINAL,
            reason="the merchant's contract is not for public charging",
        )
    if amount_minor(message) > merchant.most_minor:
        return Refuse(
            code=ResponseCode.OVER_AMOUNT_LIMIT, reason="the hold is larger than the contract allows"
        )
    return None


def merchant_id(message: Message) -> str:
    """Field 42 without its fill."""
    return message.text(MERCHANT).strip()
