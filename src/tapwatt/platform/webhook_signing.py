"""Signatures of webhooks (Standard Webhooks 1.0.0, symmetric): HMAC-SHA256 over id, timestamp and body.

Both sides are here: what we put on an event, and what a receiver does with it. While a secret is exchanged
for another, an event carries a signature of each.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence

PREFIX, VERSION = "whsec_", "v1"
SECRET_BYTES = 32
TOLERANCE_S = 300
"""A receiver takes nothing that is further from its own clock: an old event that is sent again by somebody
else has an old timestamp."""


class UnableToVerify(Exception):
    """The event is not from whoever holds the secret, or not of now."""


def secret_of(chance: bytes) -> str:
    """A secret as it is shown, of so many random bytes."""
    return PREFIX + base64.b64encode(chance).decode()


def sign(secret: str, *, event_id: str, at_s: int, body: bytes) -> str:
    """One signature."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((event_id.encode(), str(at_s).encode(), body))
    return f"{VERSION},{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def headers_of(secrets: Sequence[str], *, event_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The three headers of an event, with a signature by each secret."""
    signatures = [sign(secret, event_id=event_id, at_s=at_s, body=body) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signatures),
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: int) -> str:
    """What a receiver does first: the id of an event that is genuine and of now, to be taken once.

    `headers` are by their names in lower case. Raises UnableToVerify.
    """
    event_id, at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not event_id or not given or not at.isascii() or not at.isdigit() or len(at) > 12:
        raise UnableToVerify("webhook-id, webhook-timestamp or webhook-signature is missing")
    if abs(now_s - int(at)) > TOLERANCE_S:
        raise UnableToVerify("webhook-timestamp is not of now")
    wanted = sign(secret, event_id=event_id, at_s=int(at), body=body)
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given.split(" ")):
        raise UnableToVerify("no signature is one of the secret's")
    return event_id
