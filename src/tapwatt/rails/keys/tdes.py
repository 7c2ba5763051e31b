"""The one door to Triple DES: card keys, session keys and the retail MAC of the application cryptogram.

pyemv does the arithmetic. `cryptography` warns that two-key Triple DES goes away, so every key is handed
over as 24 bytes (K1 K2 K1), and the warning about where the cipher lives, which pyemv cannot avoid, is
silenced for pyemv alone.
"""

from __future__ import annotations

import warnings

from cryptography.utils import CryptographyDeprecationWarning
from pyemv import kd, mac, tools

warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module="pyemv")

KEY_BYTES = 16  # a double-length key, as it is stored and exchanged


def card_key(issuer_master_key: bytes, pan: str, sequence: str) -> bytes:
    """The card's own key from the issuer's master key (EMV Book 2 A1.4; option B for card numbers over 16
    digits).

    `sequence` is the two-digit card sequence number.
    """
    derived: bytes = kd.derive_icc_mk_b(_three_part(issuer_master_key), pan, sequence)
    return derived


def session_key(card_master_key: bytes, counter: bytes) -> bytes:
    """The key of one transaction, from the two-byte transaction counter (EMV Book 2 A1.3.1)."""
    left = counter + b"\xf0" + bytes(5)
    right = counter + b"\x0f" + bytes(5)
    derived: bytes = tools.adjust_key_parity(
        tools.encrypt_tdes_ecb(_three_part(card_master_key), left + right)
    )
    return derived


def retail_mac(key: bytes, data: bytes) -> bytes:
    """ISO/IEC 9797-1 algorithm 3 with padding method 2, eight bytes (EMV Book 2 A1.2.1)."""
    left, right = _halves(key)
    result: bytes = mac.mac_iso9797_3(left * 3, right * 3, data, padding=2)
    return result


def check_value(key: bytes) -> str:
    """The key check value by which two parties compare a key: six hex digits."""
    result: bytes = tools.key_check_digits(_three_part(key), 3)
    return result.hex().upper()


def _three_part(key: bytes) -> bytes:
    left, right = _halves(key)
    return left + right + left


def _halves(key: bytes) -> tuple[bytes, bytes]:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a card key has {KEY_BYTES} bytes, not {len(key)}")
    return key[:8], key[8:]
