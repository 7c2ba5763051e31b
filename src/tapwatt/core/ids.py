"""Names of things, as types, and the few identifiers that Tapwatt itself mints.

Chance comes in as bytes: the pure floor draws nothing (law 1). A one-use idToken has to fit the 20 characters
of an OCPP 1.6 idTag and can equal no RFID UID, because a UID is hexadecimal and our token carries a hyphen
(OCPP-J 1.6, CiString20Type).
"""

from typing import NewType

OperatorId = NewType("OperatorId", str)
StationId = NewType("StationId", str)
TerminalId = NewType("TerminalId", str)
SessionId = NewType("SessionId", str)
AccountId = NewType("AccountId", str)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ONE_USE_PREFIX = "TW-"
ID_TAG_MAX = 20


def symbols(chance: bytes, *, length: int) -> str:
    """Turn random bytes into `length` unambiguous characters, five bits each.

    Raises `ValueError` when the bytes hold less chance than the characters claim.
    """
    if len(chance) * 8 < length * 5:
        raise ValueError(f"{length} symbols need {-(-length * 5 // 8)} random bytes, got {len(chance)}")
    number = int.from_bytes(chance, "big")
    return "".join(CROCKFORD[(number >> (5 * place)) & 31] for place in range(length))


def session_id(chance: bytes) -> SessionId:
    """Mint the name of a session from at least 10 random bytes."""
    return SessionId("S" + symbols(chance, length=15))


def one_use_token(chance: bytes) -> str:
    """Mint an idToken for one session from at least 10 random bytes: 18 characters, never an RFID UID."""
    return ONE_USE_PREFIX + symbols(chance, length=15)


def payment_reference(chance: bytes) -> str:
    """Mint the short reference that travels with a payment over every wire, from at least 8 random bytes."""
    return symbols(chance, length=12)


def receipt_token(chance: bytes) -> str:
    """Mint the secret part of a receipt's link from at least 17 random bytes: 130 bits, nobody guesses it."""
    return symbols(chance, length=26)
