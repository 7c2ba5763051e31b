"""The one-time code in the web address that an OCPP 2.1 station shows for payment (use case C25, TOTP v1).

HMAC-SHA256 of the number of the running interval under the shared secret, spelt in digits and letters.
Source: ocpp.md section 4.5 and practice.md section 4; certainty: two independent implementations agree,
while the readable copy of the specification has lost a letter of the alphabet.
A code that fits has still to be used once only and tried seldom: that is its caller's to see to.
"""

from __future__ import annotations

import hashlib
import hmac
import string
from typing import Final

VALIDITY_S: Final = range(6, 3601)
"""Seconds an interval may last."""
LENGTH: Final = range(6, 33)
"""Characters a code may have."""
SECRET_LIMIT: Final = 255
"""Bytes of a shared secret."""
_ALPHABET: Final = string.digits + string.ascii_lowercase + string.ascii_uppercase
_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999."""


class UnableToMakeCode(ValueError):
    """A secret, time, validity or length out of bounds; the sentence names it."""


def totp(secret: str, *, at_s: int, validity_s: int, length: int) -> str:
    """The code at `at_s` (seconds since 1970, UTC) for intervals of `validity_s`. Raises UnableToMakeCode."""
    return _code(_key(secret), interval=_interval(at_s, validity_s), length=_length(length))


def totp_fits(code: str, secret: str, *, at_s: int, validity_s: int, length: int) -> bool:
    """Whether a code is that of the running interval or of a neighbour, as clocks differ.

    Takes the same time whichever it is, or none. Raises UnableToMakeCode.
    """
    key, now, length = _key(secret), _interval(at_s, validity_s), _length(length)
    given, fits = code.encode("utf-8", "replace"), False
    for interval in (max(now - 1, 0), now, now + 1):
        fits |= hmac.compare_digest(given, _code(key, interval=interval, length=length).encode())
    return fits


def _code(key: bytes, *, interval: int, length: int) -> str:
    digest = hmac.digest(key, interval.to_bytes(8, "big"), hashlib.sha256)
    offset = digest[-1] & 15
    return "".join(_ALPHABET[digest[(offset + place) % 32] % 62] for place in range(length))


def _key(secret: str) -> bytes:
    try:
        key = secret.encode()
    except UnicodeEncodeError:
        raise UnableToMakeCode("secret: must be UTF-8") from None
    if not 1 <= len(key) <= SECRET_LIMIT:
        raise UnableToMakeCode(f"secret: must be 1 to {SECRET_LIMIT} bytes, not {len(key)}")
    return key


def _interval(at_s: int, validity_s: int) -> int:
    if not 0 <= at_s <= _LAST_SECOND:
        raise UnableToMakeCode(f"at: must be seconds since 1970, before the year 10000, not {at_s}")
    if validity_s not in VALIDITY_S:
        raise UnableToMakeCode(f"validity: must be 6 to 3600 seconds, not {validity_s}")
    return at_s // validity_s


def _length(length: int) -> int:
    if length not in LENGTH:
        raise UnableToMakeCode(f"length: must be 6 to 32 characters, not {length}")
    return length
