"""How values print: card numbers, tracks, PIN blocks and chip data are masked by the number of their field.

The numbers are the same in every dialect of ISO 8583, so a message masks itself without knowing its
dialect. Any other text is searched for digit runs that could be a card number: a partner may put one where
it does not belong.
"""

from __future__ import annotations

import re

PAN_FIELDS = frozenset({2, 34})
SECRET_FIELDS = frozenset({14, 35, 36, 45, 52, 53})  # expiry, tracks, PIN block and its control data

_DIGIT_RUN = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9])")


def masked(number: int, value: str | bytes) -> str:
    """A field's value as it may be shown to anybody."""
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if number in SECRET_FIELDS:
        return f"<{len(value)} characters>"
    if number in PAN_FIELDS:
        return mask_pan(value)
    return scrub(value)


def mask_pan(pan: str) -> str:
    """First six and last four digits of a card number, the most that may be shown (PCI DSS 3.4.1)."""
    if len(pan) < 13:
        return "*" * len(pan)
    return f"{pan[:6]}{'*' * (len(pan) - 10)}{pan[-4:]}"


def scrub(text: str) -> str:
    """Free text with every digit run that passes the card-number check masked."""
    return _DIGIT_RUN.sub(lambda run: mask_pan(run[0]) if luhn_holds(run[0]) else run[0], text)


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the right check digit for the others (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
