"""Card numbers at rest: AES-GCM to read them back, a keyed hash to look them up (PCI DSS 3.5.1, design.md
law 7).

The two keys are different ones, so that neither column helps with the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tapwatt.rails.iso8583.masking import mask_pan

_VERSION = "p1."
_NONCE_BYTES = 12


class UnableToOpen(ValueError):
    """A sealed card number that this key did not make, or that was changed."""


class PanCipher:
    """Seals and opens card numbers for one program. `random` gives bytes of chance, as `os.urandom` does."""

    def __init__(self, key_aes: bytes, key_hash: bytes, *, random: Callable[[int], bytes]) -> None:
        if key_aes == key_hash:
            raise ValueError("the sealing key and the look-up key must differ")
        self._aes = AESGCM(key_aes)
        self._key_hash = key_hash
        self._random = random

    def __repr__(self) -> str:
        return "PanCipher(<keys>)"

    def seal(self, pan: str) -> str:
        """The card number encrypted, as text for a column; never twice the same."""
        nonce = self._random(_NONCE_BYTES)
        sealed = nonce + self._aes.encrypt(nonce, pan.encode("ascii"), _VERSION.encode("ascii"))
        return _VERSION + base64.urlsafe_b64encode(sealed).decode("ascii")

    def open(self, sealed: str) -> str:
        """The card number in clear; UnableToOpen when it was sealed with another key."""
        try:
            if not sealed.startswith(_VERSION):
                raise ValueError("not a sealed card number")
            raw = base64.b64decode(sealed[len(_VERSION) :], altchars=b"-_", validate=True)
            clear = self._aes.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _VERSION.encode("ascii"))
        except (ValueError, InvalidTag):
            raise UnableToOpen("this is no card number sealed with this key") from None
        return clear.decode("ascii")

    def match(self, pan: str) -> str:
        """The keyed hash of the card number (HMAC-SHA256, hex): always the same, good for an index."""
        return hmac.new(self._key_hash, pan.encode("ascii"), hashlib.sha256).hexdigest()


def mask(pan: str) -> str:
    """First six and last four digits, the most of a card number that anybody may be shown."""
    return mask_pan(pan)
