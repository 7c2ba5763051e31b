"""A message as a JSON document, `{"mti", "fields": {"2": …}}`, and back: for `tapwatt iso` and other tools.

Numbers and texts stand as they are, of full length; binary fields as hex. A document is masked unless its
card number is one that was published for testing (design.md law 7); a masked one cannot be packed again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tapwatt.rails.emv.tlv import UnableToDecodeTlv, decode_tlv
from tapwatt.rails.iso8583.masking import PAN_FIELDS, SECRET_FIELDS, luhn_holds
from tapwatt.rails.iso8583.message import Message, Value
from tapwatt.rails.iso8583.spec import Spec
from tapwatt.rails.iso8583.view import describe

Document = dict[str, Any]

_TRACKS = frozenset({35, 36, 45})
_CHIP_DATA = 55
_CHIP_PANS = ("57", "5A")
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")
_PARTS = frozenset({"mti", "fields"})
_DIGIT_RUN = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9])")
_LEADING_DIGITS = re.compile(r"B?([0-9]{12,19})")


class UnableToShow(ValueError):
    """The message must stay masked; the sentence says why."""


class UnableToRead(ValueError):
    """The document is not a message; the sentence names the field and the reason, never a value."""


def document(message: Message) -> Document:
    """The message as anybody may see it."""
    return {"mti": message.mti, "fields": describe(message)}


def clear_document(message: Message, *, is_test_pan: Callable[[str], bool]) -> Document:
    """The message with nothing masked. Raises UnableToShow unless each card number in it is a test number."""
    found = set(_card_numbers(message))
    if not all(map(is_test_pan, found)):
        raise UnableToShow("the card number is no published test number, so it stays masked")
    secret = (SECRET_FIELDS | {_CHIP_DATA}) & set(message.fields)
    if secret and not found:
        raise UnableToShow(f"field {min(secret)} stays masked: no test card number says that it is a test")
    shown = {str(number): _plain(message.fields[number]) for number in sorted(message.fields)}
    return {"mti": message.mti, "fields": shown}


def read_document(given: object, spec: Spec) -> Message:
    """The message of a document. Raises UnableToRead; whether its values fit the dialect, `encode` says."""
    if not isinstance(given, Mapping) or set(given) != _PARTS:
        raise UnableToRead('message: must be an object with "mti" and "fields" and nothing else')
    mti, fields = given["mti"], given["fields"]
    if not isinstance(mti, str):
        raise UnableToRead("mti: must be a text of four digits")
    if not isinstance(fields, Mapping):
        raise UnableToRead("fields: must be an object of field numbers and their values")
    return Message(mti, dict(_read_field(name, value, spec) for name, value in fields.items()))


def _read_field(name: str, value: object, spec: Spec) -> tuple[int, Value]:
    if not _NUMBER.fullmatch(name):
        raise UnableToRead(f"fields: {name[:20]!r} is not a field number")
    number = int(name)
    if not isinstance(value, str):
        raise UnableToRead(f"field {number}: must be text, not {type(value).__name__}")
    row = spec.layout.fields.get(number)
    if row is None:
        raise UnableToRead(f"field {number}: the dialect has no such field")
    if row.binary:
        return number, _bytes(number, value)
    if row.content == "n" and "*" in value:
        raise UnableToRead(f"field {number}: is masked, and a masked number cannot be packed")
    return number, value


def _bytes(number: int, text: str) -> bytes:
    if not re.fullmatch("(?:[0-9A-Fa-f]{2})*", text):
        raise UnableToRead(f"field {number}: must be hex, two digits a byte")
    return bytes.fromhex(text)


def _plain(value: Value) -> str:
    return value.hex() if isinstance(value, bytes) else value


def _card_numbers(message: Message) -> Iterator[str]:
    """Every card number in the message: in its own field, in front of a track, in chip data, in free text."""
    for number, value in message.fields.items():
        if isinstance(value, bytes):
            if number == _CHIP_DATA:
                yield from _chip_numbers(value)
        elif number in PAN_FIELDS:
            yield value
        elif number in _TRACKS:
            yield from _LEADING_DIGITS.findall(value)[:1] or [value]
        else:
            yield from filter(luhn_holds, _DIGIT_RUN.findall(value))


def _chip_numbers(data: bytes) -> Iterator[str]:
    try:
        tags = decode_tlv(data)
    except UnableToDecodeTlv:
        return
    for tag, value in tags:
        if tag in _CHIP_PANS:
            yield value.hex().upper().partition("D")[0].rstrip("F")
        elif int(tag[:2], 16) & 0x20:
            yield from _chip_numbers(value)
