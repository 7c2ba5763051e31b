"""What the gateway itself decides about a request: is it one of its terminals, used where it was installed?

Pure. Serial number, terminal and merchant must be the three that were bound at activation (reference/rails.md
1.3, 2.2); the card is nothing a gateway judges.
"""

from __future__ import annotations

from dataclasses import dataclass

from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import (
    CURRENCY,
    HOUSE,
    MERCHANT,
    RRN,
    TERMINAL,
    amount_minor,
    life_cycle,
    terminal_serial,
)
from tapwatt.rails.mti import AUTHORISATION, first_of
from tapwatt.rails.relay_messages import Pass, Refuse, Verdict
from tapwatt.rails.responses import ResponseCode

ACQUIRER = "acquirer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A terminal as the gateway's estate has it."""

    tid: str
    serial: str
    mid: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """A merchant as the gateway's estate has it. `currency` is the three-digit code it is paid in."""

    mid: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the gateway's tables say about the sender of a message."""

    terminal: Terminal | None
    merchant: Merchant | None


def machine_id(message: Message) -> str:
    """A life cycle is its terminal's and its reference number's: terminals are the gateway's own."""
    return life_cycle(message)


def check(message: Message, facts: Facts) -> Verdict:
    """Whether a request goes on to the acquirer."""
    merchant, terminal = facts.merchant, facts.terminal
    if merchant is None:
        return Refuse(code=ResponseCode.INVALID_MERCHANT, reason="the merchant is not known here")
    if terminal is None:
        return Refuse(code=ResponseCode.NOT_PERMITTED_TO_TERMINAL, reason="the terminal is not known here")
    if terminal.mid != merchant.mid:
        return Refuse(
            code=ResponseCode.NOT_PERMITTED_TO_TERMINAL, reason="the terminal is another merchant's"
        )
    if first_of(message.mti) == AUTHORISATION:
        refusal = _wrong_request(message, terminal, merchant)
        if refusal is not None:
            return refusal
    # The serial number is between the terminal and its gateway.
    return Pass(upstream=ACQUIRER, stamps={HOUSE.number("terminal_serial"): None})


def _wrong_request(message: Message, terminal: Terminal, merchant: Merchant) -> Refuse | None:
    if not terminal.active:
        return Refuse(code=ResponseCode.NOT_PERMITTED_TO_TERMINAL, reason="the terminal is not active")
    if terminal_serial(message) != terminal.serial:
        return Refuse(
            code=ResponseCode.NOT_PERMITTED_TO_TERMINAL,
            reason="the serial number is not the one this terminal was activated with",
        )
    if message.text(CURRENCY) != merchant.currency:
        return Refuse(code=ResponseCode.INVALID_TRANSACTION, reason="not the merchant's currency")
    if amount_minor(message) == 0:
        return Refuse(code=ResponseCode.INVALID_AMOUNT, reason="a hold of nothing")
    if life_cycle(message) != own_life_cycle(message):
        return Refuse(code=ResponseCode.FORMAT_ERROR, reason="the life cycle is not this terminal's own")
    return None


def own_life_cycle(message: Message) -> str:
    """The life cycle that a terminal may open: its own number and its own reference number."""
    return life_cycle(message.only(TERMINAL, RRN))


def merchant_id(message: Message) -> str:
    """Field 42 without its fill."""
    return message.text(MERCHANT).strip()


def terminal_id(message: Message) -> str:
    """Field 41 without its fill."""
    return message.text(TERMINAL).strip()
