"""A message as text for people, masked: for consoles, the forecourt's sequence chart and `tapwatt iso
explain`.
"""

from __future__ import annotations

from collections.abc import Callable

from tapwatt.rails.emv.tlv import UnableToDecodeTlv, strip_sensitive
from tapwatt.rails.iso8583.masking import masked
from tapwatt.rails.iso8583.message import Message

_CHIP_DATA = 55
_PIN_BLOCK = 52


def describe(message: Message, *, name: Callable[[int], str] | None = None) -> dict[str, str]:
    """Field number (with its name when `name` is given, as `spec.field_name`) → masked value, in order."""
    shown: dict[str, str] = {}
    for number in sorted(message.fields):
        key = str(number) if name is None else f"{number} {name(number)}"
        shown[key] = _shown(number, message.fields[number])
    return shown


def _shown(number: int, value: str | bytes) -> str:
    if not isinstance(value, bytes) or number == _PIN_BLOCK:
        return masked(number, value)
    if number != _CHIP_DATA:
        return value.hex()
    try:
        return strip_sensitive(value).hex()
    except UnableToDecodeTlv:  # not chip data at all, so nobody knows what is in it
        return masked(number, value)
