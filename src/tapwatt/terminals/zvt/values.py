"""Single ZVT values to bytes and back: BCD, currencies, masked card numbers, code page 437.

Reading is lossless, so that a frame can be written again exactly; the exceptions are a card number that
arrives in clear, which is masked at once, and track data, of which only the length is kept (law 7).
terminals.md section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from tapwatt.terminals.zvt.codes import STATES
from tapwatt.terminals.zvt.fields import FieldSpec, Kind
from tapwatt.terminals.zvt.messages import OPEN_LIST_RECEIPT

# ISO 4217 numbers of the currencies of the markets we name; any other keeps its four digits.
CURRENCIES: Mapping[str, int] = {
    "AUD": 36, "CAD": 124, "CLP": 152, "CZK": 203, "DKK": 208, "HUF": 348, "ISK": 352, "JPY": 392, "NOK": 578,
    "SEK": 752, "CHF": 756, "GBP": 826, "USD": 840, "RON": 946, "TRY": 949, "BGN": 975, "EUR": 978,
    "PLN": 985,
}  # fmt: skip
_LETTERS = {number: letters for letters, number in CURRENCIES.items()}

_SHORTEST_PAN = 12
_LONGEST_PAN = 19


class UnableToEncode(Exception):
    """A value of ours does not fit its field: nothing was sent."""


class UnableToReadValue(Exception):
    """Bytes of theirs do not mean what their field says."""


def currency_digits(letters: str) -> str:
    """Give the four BCD digits of an ISO 4217 currency: "EUR" is "0978"."""
    if letters in CURRENCIES:
        return f"{CURRENCIES[letters]:04d}"
    if len(letters) == 4 and letters.isascii() and letters.isdigit() and int(letters) not in _LETTERS:
        return letters
    raise UnableToEncode(f"currency {letters!r} is not one this interface knows")


def currency_letters(digits: str) -> str:
    """Give the letters of four BCD digits, or the digits where no currency of ours has them."""
    return _LETTERS.get(int(digits), digits) if digits.isdigit() else digits


def read_value(spec: FieldSpec, body: bytes, *, alone: bool = False) -> int | str:
    """Turn the bytes of one field into its value; `alone` says the field is all its message holds.

    Raises UnableToReadValue where the bytes contradict the field.
    """
    if spec.length is not None and len(body) != spec.length:
        raise UnableToReadValue(f"{spec.name} has {len(body)} bytes, not {spec.length}")
    match spec.kind:
        case Kind.BYTE:
            return body[0]
        case Kind.STATE:
            if body[0] not in STATES and not alone:
                raise UnableToReadValue(f"{body[0]:02X} is no terminal state")
            return body[0]
        case Kind.NUMBER:
            digits = body.hex()
            if not digits.isdigit():
                raise UnableToReadValue(f"{spec.name} is not a decimal number")
            return int(digits)
        case Kind.DIGITS | Kind.HEX:
            return body.hex().upper()
        case Kind.CURRENCY:
            return currency_letters(body.hex().upper())
        case Kind.PAN:
            return _masked(body)
        case Kind.TEXT:
            text = body.decode("cp437")
            return text.rstrip(spec.pad) if spec.pad else text
        case Kind.SECRET:
            return f"withheld, {len(body)} bytes"
        case Kind.GROUP:
            raise AssertionError("groups are read by the codec")
        case _:
            assert_never(spec.kind)


def write_value(spec: FieldSpec, value: int | str) -> bytes:
    """Turn a value into the bytes of its field. Raises UnableToEncode where it does not fit."""
    body = _number(spec, value) if isinstance(value, int) else _text(spec, value)
    if spec.length is not None and len(body) != spec.length:
        raise UnableToEncode(f"{spec.name} needs {spec.length} bytes, not {len(body)}")
    return body


def _number(spec: FieldSpec, value: int) -> bytes:
    if spec.kind in (Kind.BYTE, Kind.STATE) and 0 <= value <= 0xFF:
        return bytes([value])
    if spec.kind is Kind.NUMBER and spec.length is not None and 0 <= value < 100**spec.length:
        return bytes.fromhex(f"{value:0{2 * spec.length}d}")
    raise UnableToEncode(f"{spec.name} cannot be {value}")


def _text(spec: FieldSpec, value: str) -> bytes:
    match spec.kind:
        case Kind.DIGITS:
            if not (value.isascii() and value.isdigit()) and value != OPEN_LIST_RECEIPT:
                raise UnableToEncode(f"{spec.name} takes digits only")
            return _from_hex(spec, value)
        case Kind.HEX:
            return _from_hex(spec, value)
        case Kind.CURRENCY:
            return bytes.fromhex(currency_digits(value))
        case Kind.PAN:
            return _pan_bytes(value)
        case Kind.TEXT:
            return _text_bytes(spec, value)
        case _:
            raise UnableToEncode(f"{spec.name} cannot be sent as text")


def _from_hex(spec: FieldSpec, value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise UnableToEncode(f"{spec.name} is not an even number of hex digits") from error


def _text_bytes(spec: FieldSpec, value: str) -> bytes:
    padded = value.ljust(spec.length, spec.pad) if spec.pad and spec.length else value
    try:
        return padded.encode("cp437")
    except UnicodeEncodeError as error:
        raise UnableToEncode(f"{spec.name} has a character the terminal cannot show") from error


def _masked(body: bytes) -> str:
    """Read a card number: E is a masked digit, F at the end fills; whatever came in clear is masked here."""
    nibbles = body.hex().upper()
    nibbles = nibbles[:-1] if nibbles.endswith("F") else nibbles
    shown = "".join(nibble if nibble.isdigit() else "*" for nibble in nibbles)
    first = 6 if len(shown) >= _SHORTEST_PAN else 0
    hidden = max(len(shown) - first - 4, 0)
    return shown[:first] + "*" * hidden + shown[first + hidden :]


def _pan_bytes(value: str) -> bytes:
    digits = value.replace("*", "E")
    if not value or len(value) > _LONGEST_PAN or any(sign not in "0123456789E" for sign in digits):
        raise UnableToEncode("masked_pan takes up to 19 digits and stars")
    body = bytes.fromhex(digits + "F" * (len(digits) % 2))
    if _masked(body) != value:
        raise UnableToEncode("masked_pan is not masked")
    return body
