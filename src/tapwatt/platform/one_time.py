"""One-time codes of an authenticator app: TOTP over HMAC-SHA-1, six digits, thirty seconds.

RFC 6238 on RFC 4226. OCPP's web-payment code (`ocpp/totp.py`) is another thing: SHA-256, letters too, and a
length of its own; no app shows it. SHA-1, six digits and thirty seconds are what every app does whatever a
link asks of it (Key Uri Format, section "Parameters"). Pure: the secret's chance and the time come from
outside.
"""

import base64
import binascii
import hmac
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
"""As long as the hash, as RFC 4226, section 4, R6 recommends."""
STEPS_APART = 1
"""Codes of the step before and after are taken too: clocks differ, people are slow (RFC 6238, 5.2)."""


def secret_of(chance: bytes) -> str:
    """A secret as apps take it, base32, of 20 random bytes."""
    return base64.b32encode(chance[:SECRET_BYTES]).decode("ascii")


def code_at(secret: str, *, step: int) -> str:
    """The code of a time step: six digits. Raises ValueError for a secret that is no base32."""
    try:
        key = base64.b32decode(secret)
    except binascii.Error:
        raise ValueError("secret: is no base32") from None
    return hotp(key, step, digits=DIGITS)


def hotp(key: bytes, counter: int, *, digits: int) -> str:
    """The value of RFC 4226, section 5.3: dynamic truncation of HMAC-SHA-1 over the counter."""
    digest = hmac.digest(key, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(code: str, secret: str, *, at_s: int, after: int) -> int | None:
    """The time step whose code this is, or None. Steps up to `after` were used and are not taken again.

    Takes the same time whichever fits, or none.
    """
    given, now, found = code.encode("utf-8", "replace"), at_s // STEP_S, None
    for step in range(max(now - STEPS_APART, 0), now + STEPS_APART + 1):
        fits = hmac.compare_digest(given, code_at(secret, step=step).encode())
        if fits and step > after:
            found = step
    return found


def otpauth(secret: str, *, login_name: str, issuer: str) -> str:
    """The address that an app reads the secret from."""
    label = quote(f"{issuer}:{login_name}", safe=":")
    asked = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{asked}"
