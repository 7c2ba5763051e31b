"""Numbers of OCPP 2.1 documents: decimals of sane size, never through a float."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from tapwatt.core.bill import decimal_of
from tapwatt.ocpp.mend import UnableToRead, UnableToWrite
from tapwatt.rpc.messages import Fault

PLACES: Final = 6
"""Decimal places of what is sent to a station. So in 2.0.1 (Part 2, primitive data types), taken to hold for
2.1; what a station reports may have more."""
DIGITS_MAX: Final = 12
PLACES_READ_MAX: Final = 12
_encoder = msgspec.json.Encoder(decimal_format="number")


def refused(path: str, reason: str) -> UnableToRead:
    """A document cannot be read: where, and why."""
    return UnableToRead(Fault.PROPERTY_CONSTRAINT_VIOLATION, f"{path}: {reason}")


def exact(number: Decimal, path: str) -> Decimal:
    """A number that prices and thresholds can have. Raises UnableToRead."""
    if -int(sane(number, path).as_tuple().exponent) > PLACES_READ_MAX:
        raise refused(path, f"more than {PLACES_READ_MAX} decimal places")
    return number


def reported(number: Decimal, path: str) -> Decimal:
    """A number that a station worked out; the noise of its floats is rounded off. Raises UnableToRead."""
    return rounded(sane(number, path), PLACES_READ_MAX)


def sane(number: Decimal, path: str) -> Decimal:
    """A number that money, energy or time can have. Raises UnableToRead."""
    if (
        not number.is_finite()
        or abs(number.adjusted()) >= 100
        or (number and number.adjusted() >= DIGITS_MAX)
    ):
        raise refused(path, f"not a number below 10^{DIGITS_MAX}")
    return number


def sendable(value: Decimal | Fraction, path: str) -> Decimal:
    """Exactly this value with as many places as a station takes. Raises UnableToWrite where it has more."""
    scaled = Fraction(value) * 10**PLACES
    if scaled.denominator != 1:
        raise UnableToWrite(
            f"{path}: {decimal_of(Fraction(value)):.9g} has more than {PLACES} decimal places"
        )
    if abs(scaled) >= 10 ** (DIGITS_MAX + PLACES):
        raise UnableToWrite(f"{path}: not below 10^{DIGITS_MAX}")
    return plain(Decimal(scaled.numerator).scaleb(-PLACES))


def rounded(value: Decimal | Fraction | int, places: int = PLACES) -> Decimal:
    """Half up, to so many places: for what is reported, not for prices."""
    scaled = Fraction(value) * 10**places
    whole = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return plain(Decimal(-whole if scaled < 0 else whole).scaleb(-places))


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros or exponent, as JSON readers like it."""
    text = f"{number:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def encoded(value: Any) -> bytes:
    """JSON text with decimals as numbers."""
    return _encoder.encode(value)
