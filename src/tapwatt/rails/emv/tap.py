"""A contactless tap: what card and terminal put into field 55 (reference/rails.md section 2.3).

The simulated card and the tests use it; amounts are the *hold*, since the card is gone before the final
amount is known.
"""

from __future__ import annotations

from dataclasses import dataclass

from tapwatt.rails.emv.cryptogram import generate_arqc
from tapwatt.rails.emv.tlv import encode_tlv
from tapwatt.rails.keys.tdes import card_key

_CRYPTOGRAM_ONLINE = b"\x80"  # tag 9F27: the card asks its issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipCard:
    """The chip's side: who it is and the key in it. `key` is the card's own (see `personalise`)."""

    pan: str
    sequence: str  # two digits
    expiry: str  # YYMM
    aid: bytes
    label: str
    key: bytes
    par: str = ""

    def __repr__(self) -> str:
        return f"ChipCard({self.label}, ends {self.pan[-4:]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TapTerms:
    """The terminal's side of one tap: what it asks the card to sign."""

    amount_minor: int
    currency: str  # three digits, ISO 4217 numeric
    country: str  # three digits, ISO 3166 numeric
    date: str  # YYMMDD, local
    unpredictable: bytes  # four bytes of chance
    stan: str = "000000"  # transaction sequence counter, tag 9F41
    terminal_serial: str = ""


def personalise(
    *, pan: str, sequence: str, expiry: str, aid: bytes, label: str, issuer_master_key: bytes, par: str = ""
) -> ChipCard:
    """A card as its issuer's personalisation bureau would make it."""
    key = card_key(issuer_master_key, pan, sequence)
    return ChipCard(pan=pan, sequence=sequence, expiry=expiry, aid=aid, label=label, key=key, par=par)


def tap_tags(card: ChipCard, terms: TapTerms, *, counter: int) -> dict[str, bytes]:
    """The tags of one tap with the card's cryptogram; `counter` is the card's transaction counter (1 to
    65535).
    """
    tags = {
        "9F02": bytes.fromhex(f"{terms.amount_minor:012d}"),
        "9F03": bytes(6),
        "9F1A": bytes.fromhex(terms.country.zfill(4)),
        "95": bytes(5),
        "5F2A": bytes.fromhex(terms.currency.zfill(4)),
        "9A": bytes.fromhex(terms.date),
        "9C": b"\x00",
        "9F37": terms.unpredictable,
        "82": bytes.fromhex("2000"),
        "9F36": counter.to_bytes(2, "big"),
        "9F10": bytes.fromhex("06011203A00000"),  # cryptogram version 18, key index 1
        "84": card.aid,
        "5F34": bytes.fromhex(card.sequence),
        "9F27": _CRYPTOGRAM_ONLINE,
        "9F33": bytes.fromhex("0008C8"),  # contactless only, no CVM or CVM on the device
        "9F34": bytes.fromhex("1F0300"),  # no CVM performed
        "9F35": b"\x25",  # unattended, online only, operated by the merchant
        "9F41": bytes.fromhex(terms.stan.zfill(8)),
    }
    if terms.terminal_serial:
        tags["9F1E"] = terms.terminal_serial[-8:].rjust(8, "0").encode("ascii")
    if card.par:
        tags["9F24"] = card.par.encode("ascii")
    return {**tags, "9F26": generate_arqc(card.key, tags)}


def tap_chip_data(card: ChipCard, terms: TapTerms, *, counter: int) -> bytes:
    """Field 55 of one tap."""
    return encode_tlv(tap_tags(card, terms, counter=counter))
