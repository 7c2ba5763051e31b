"""A card message as a trace: named by its type, joined by its references, masked field by field.

Track data, PIN blocks and cryptograms are not kept, not even masked: of chip data the tags are listed, with
the values that say nothing about the card (PCI DSS 3.3.1).
"""

from __future__ import annotations

from typing import Any, Final

from tapwatt.rails.emv.tlv import UnableToDecodeTlv, decode_tlv
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.iso8583.masking import SECRET_FIELDS, masked, scrub
from tapwatt.rails.messages import (
    AMOUNT,
    CHIP_DATA,
    CURRENCY,
    HOUSE,
    RESPONSE_CODE,
    RRN,
    STAN,
    TERMINAL,
    TRANSMITTED,
    payment_reference,
    text_or_empty,
)
from tapwatt.rails.mti import is_repeat, is_request
from tapwatt.rails.responses import approves
from tapwatt.traces import Direction, Mark, Trace, Wire

_LIFE_CYCLE: Final = HOUSE.number("life_cycle")
_MOST_REFERENCE: Final = 64
_SHOWN_TAGS: Final = frozenset({"82", "84", "95", "9A", "9C", "5F2A", "9F02", "9F1A", "9F27", "9F36"})


def trace_of(
    message: Message, *, direction: Direction, peer: str, at_ms: int, mark: Mark = Mark.NONE
) -> Trace:
    """What is kept of a message that passed. An answer awaited in vain is drawn from its question."""
    amount = text_or_empty(message, AMOUNT)
    return Trace(
        at_ms=at_ms,
        direction=direction,
        wire=Wire.ISO8583,
        peer=peer,
        name=f"{message.mti} {HOUSE.layout.mtis.get(message.mti, '')}".rstrip(),
        amount_minor=int(amount) if amount.isascii() and amount.isdigit() else None,
        currency=text_or_empty(message, CURRENCY),
        mark=mark or _mark(message),
        reference=scrub(payment_reference(message) or "")[:_MOST_REFERENCE],
        life_cycle=scrub(_life_cycle(message))[:_MOST_REFERENCE],
        link=link_of(message),
        fields={} if direction is Direction.AWAITED else _fields(message),
    )


def link_of(message: Message) -> str:
    """What a question and its answer have in common, on both ends of a line."""
    return ".".join(text_or_empty(message, number).strip() for number in (STAN, TRANSMITTED, TERMINAL))


def unreadable(*, peer: str, at_ms: int, reason: str) -> Trace:
    """A message that could not be read, or came before the sign-on."""
    return Trace(
        at_ms=at_ms,
        direction=Direction.RECEIVED,
        wire=Wire.ISO8583,
        peer=peer,
        name="unreadable",
        mark=Mark.UNREADABLE,
        fields={"reason": reason},
    )


def _mark(message: Message) -> Mark:
    if is_request(message.mti):
        return Mark.REPEAT if is_repeat(message.mti) else Mark.NONE
    code = message.get(RESPONSE_CODE)
    return Mark.REFUSED if isinstance(code, str) and not approves(code) else Mark.NONE


def _life_cycle(message: Message) -> str:
    reference = text_or_empty(message, _LIFE_CYCLE)
    if reference:
        return reference
    terminal, rrn = text_or_empty(message, TERMINAL).strip(), text_or_empty(message, RRN).strip()
    return f"{terminal}-{rrn}" if terminal and rrn else ""


def _fields(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for number in sorted(message.fields):
        value = message.fields[number]
        if number == CHIP_DATA and isinstance(value, bytes):
            shown[str(number)] = _chip_data(value)
        elif number in SECRET_FIELDS or isinstance(value, bytes):
            shown[str(number)] = masked(number, value)
        else:
            shown[str(number)] = masked(number, value).rstrip()
    return shown


def _chip_data(value: bytes) -> dict[str, str] | str:
    try:
        tags = decode_tlv(value)
    except UnableToDecodeTlv:
        return f"<{len(value)} bytes>"
    return {
        tag: content.hex().upper() if tag in _SHOWN_TAGS else f"<{len(content)} bytes>"
        for tag, content in tags
    }
