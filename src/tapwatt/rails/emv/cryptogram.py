"""The application cryptogram, card side and issuer side (EMV Book 2 section 8), as Visa's version 18 does it.

Card key by option A (B for long numbers), a session key for every transaction counter, and a retail MAC
over the amounts, terminal facts, random number, counter and issuer application data. The answer is ARPC
method 2 in tag 91. Judged by the published vectors in tests/vectors/emv.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tapwatt.rails.emv.tlv import UnableToDecodeTlv, decode_tlv
from tapwatt.rails.keys.tdes import card_key, retail_mac, session_key

# What the cryptogram covers, in this order (EMV Book 2 table 26, then the issuer application data).
COVERED_TAGS = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36", "9F10")
ARQC_TAG, ARPC_TAG, COUNTER_TAG, AMOUNT_TAG, CURRENCY_TAG = "9F26", "91", "9F36", "9F02", "5F2A"
STATUS_APPROVED = bytes.fromhex("00820000")  # card status update: issuer approves, counters reset
STATUS_DECLINED = bytes.fromhex("00000000")


class CryptogramCheck(StrEnum):
    """What the issuer found."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"  # the chip data is garbage, or lacks a tag the cryptogram covers


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipReading:
    """What chip data says and whether its cryptogram holds. Amount and counter are None when unreadable."""

    check: CryptogramCheck
    amount_minor: int | None = None
    currency: str | None = None  # three digits, as field 49
    counter: int | None = None
    arqc: bytes = b""


def generate_arqc(card_master_key: bytes, tags: Mapping[str, bytes]) -> bytes:
    """The card's cryptogram over the transaction; KeyError names a missing tag."""
    covered = b"".join(tags[tag] for tag in COVERED_TAGS)
    return retail_mac(session_key(card_master_key, tags[COUNTER_TAG]), covered)


def verify_arqc(chip_data: bytes, *, issuer_master_key: bytes, pan: str, sequence: str) -> ChipReading:
    """The issuer's check of field 55. Never raises for what a stranger sent; amounts are compared by the
    caller.
    """
    try:
        tags = dict(decode_tlv(chip_data))
        amount_minor, counter = int(tags[AMOUNT_TAG].hex()), int.from_bytes(tags[COUNTER_TAG], "big")
        currency, arqc = tags[CURRENCY_TAG].hex()[-3:], tags[ARQC_TAG]
        _lengths_hold(tags)
        expected = generate_arqc(card_key(issuer_master_key, pan, sequence), tags)
    except (UnableToDecodeTlv, KeyError, ValueError):
        return ChipReading(check=CryptogramCheck.UNREADABLE)
    right = hmac.compare_digest(expected, arqc)
    return ChipReading(
        check=CryptogramCheck.RIGHT if right else CryptogramCheck.WRONG,
        amount_minor=amount_minor,
        currency=currency,
        counter=counter,
        arqc=arqc,
    )


def generate_arpc(
    chip: ChipReading, *, issuer_master_key: bytes, pan: str, sequence: str, status: bytes = STATUS_APPROVED
) -> bytes:
    """The issuer's answer to the card, the value of tag 91: ARPC method 2 and the card status update (8
    bytes).

    Call it for a reading whose cryptogram is right; `status` is four bytes.
    """
    if chip.counter is None or len(status) != 4:
        raise ValueError("an ARPC needs a readable counter and four bytes of card status")
    counter = chip.counter.to_bytes(2, "big")
    key = session_key(card_key(issuer_master_key, pan, sequence), counter)
    return retail_mac(key, chip.arqc + status)[:4] + status


def verify_arpc(tag_91: bytes, *, card_master_key: bytes, counter: int, arqc: bytes) -> bool:
    """The card's check of the issuer's answer."""
    key = session_key(card_master_key, counter.to_bytes(2, "big"))
    expected = retail_mac(key, arqc + tag_91[4:8])[:4]
    return len(tag_91) == 8 and hmac.compare_digest(expected, tag_91[:4])


_FIXED_LENGTHS = {
    "9F02": 6,
    "9F03": 6,
    "9F1A": 2,
    "95": 5,
    "5F2A": 2,
    "9A": 3,
    "9C": 1,
    "9F37": 4,
    "82": 2,
    "9F36": 2,
    "9F26": 8,
}


def _lengths_hold(tags: Mapping[str, bytes]) -> None:
    """Without fixed lengths two different transactions could run together into the same covered bytes."""
    for tag, length in _FIXED_LENGTHS.items():
        if len(tags[tag]) != length:
            raise ValueError(f"tag {tag} has the wrong length")
    if not 1 <= len(tags["9F10"]) <= 32:
        raise ValueError("tag 9F10 has the wrong length")
