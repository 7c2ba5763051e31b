"""What a dialect says about one field, and the tables of content classes and encodings it chooses from.

A new dialect is a new data file as long as its choices are rows of these tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class ContentClass(StrEnum):
    """Which characters a field may hold (ISO 8583:1987 section 4.3.1)."""

    N = "n"  # digits
    A = "a"  # letters and space
    AN = "an"  # letters, digits and space
    ANS = "ans"  # printable ASCII
    Z = "z"  # track 2 and 3: digits and separators
    XN = "xn"  # C or D, then digits
    B = "b"  # bytes


PATTERNS: dict[ContentClass, re.Pattern[str]] = {
    ContentClass.N: re.compile("[0-9]*"),
    ContentClass.A: re.compile("[A-Za-z ]*"),
    ContentClass.AN: re.compile("[A-Za-z0-9 ]*"),
    ContentClass.ANS: re.compile("[ -~]*"),
    ContentClass.Z: re.compile("[0-9=D]*"),
    ContentClass.XN: re.compile("[CD][0-9]*"),
}


class Encoding(StrEnum):
    """How characters, length prefixes and the message type become bytes."""

    ASCII = "ascii"
    BCD = "bcd"  # two digits a byte, odd counts padded with a zero on the left


class BitmapEncoding(StrEnum):
    """How the bitmap becomes bytes: 8 of them, or 16 hex characters."""

    BINARY = "binary"
    HEX = "hex"


@dataclass(frozen=True, slots=True)
class EncodingRules:
    """The byte side of an encoding: how many bytes hold `length` characters, and the way there and back."""

    size: Callable[[int], int]
    write: Callable[[str], bytes]
    read: Callable[[bytes, int], str]  # bytes and the number of characters; ValueError when it cannot be


def _write_bcd(text: str) -> bytes:
    nibbles = text.replace("=", "D")
    return bytes.fromhex("0" + nibbles if len(nibbles) % 2 else nibbles)


def _read_bcd(data: bytes, length: int) -> str:
    nibbles = data.hex().replace("d", "=")
    if length % 2:
        if nibbles[0] != "0":
            raise ValueError("the padding nibble is not zero")
        return nibbles[1:]
    return nibbles


ENCODINGS: dict[Encoding, EncodingRules] = {
    Encoding.ASCII: EncodingRules(
        size=lambda length: length,
        write=lambda text: text.encode("ascii"),
        read=lambda data, _length: data.decode("ascii"),
    ),
    Encoding.BCD: EncodingRules(size=lambda length: (length + 1) // 2, write=_write_bcd, read=_read_bcd),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One row of a dialect. `prefix_digits` is 0 for a fixed field of `length`, else `length` is the
    maximum.
    """

    number: int
    name: str
    content: ContentClass
    length: int
    prefix_digits: int
    encoding: Encoding

    @property
    def fixed(self) -> bool:
        """Whether the field always has its full length."""
        return self.prefix_digits == 0

    @property
    def binary(self) -> bool:
        """Whether the value is bytes."""
        return self.content is ContentClass.B
