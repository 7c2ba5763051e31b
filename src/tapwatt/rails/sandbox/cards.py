"""The test cards and the outcomes by amount (cards.toml)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from tapwatt.rails.emv.tap import ChipCard, personalise
from tapwatt.rails.keys.pan import mask
from tapwatt.rails.sandbox.data import sandbox_data
from tapwatt.rails.sandbox.keys import issuer_master_key

_AIDS = {"visa": bytes.fromhex("A0000000031010"), "mastercard": bytes.fromhex("A0000000041010")}
_LABELS = {"visa": "VISA DEBIT", "mastercard": "MASTERCARD"}


class CardStatus(StrEnum):
    """What the issuer thinks of a card."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    DO_NOT_HONOUR = "do_not_honour"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCard:
    """One test card and the account behind it."""

    name: str
    pan: str
    expiry: str  # YYMM
    sequence: str  # two digits
    brand: str
    par: str
    balance_minor: int
    currency: str
    status: CardStatus
    known: bool  # whether the issuer has the card at all
    partial: bool  # whether the issuer approves for less
    key_name: str  # the master key that the chip's key comes from
    counter_stuck: bool
    expected: str  # field 39 for an ordinary hold
    shows: str

    @property
    def bin(self) -> str:
        """The first six digits."""
        return self.pan[:6]

    @property
    def last_four(self) -> str:
        """The last four digits."""
        return self.pan[-4:]

    def __repr__(self) -> str:
        return f"SandboxCard({self.name}, {mask(self.pan)})"


class AmountOutcome(StrEnum):
    """What the issuer does for the sake of an amount."""

    SILENT = "silent"
    LATE = "late"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountRule:
    """One row of the table of amounts. `late_ms` belongs to LATE, `code` to ANSWER."""

    ending: str
    outcome: AmountOutcome
    late_ms: int
    code: str
    shows: str


@lru_cache(maxsize=1)
def cards() -> tuple[SandboxCard, ...]:
    """All test cards."""
    return tuple(
        SandboxCard(
            name=row["name"],
            pan=row["pan"],
            expiry=row["expiry"],
            sequence=row.get("sequence", "01"),
            brand=row["brand"],
            par=row["par"],
            balance_minor=row["balance_minor"],
            currency=row.get("currency", "EUR"),
            status=CardStatus(row.get("status", "active")),
            known=row.get("known", True),
            partial=row.get("partial", False),
            key_name="wrong" if row.get("key") == "wrong" else row["brand"],
            counter_stuck=row.get("counter") == "stuck",
            expected=row["expected"],
            shows=row["shows"],
        )
        for row in sandbox_data("cards")["card"]
    )


def card(name: str) -> SandboxCard:
    """The test card of this name; KeyError for another."""
    return {known.name: known for known in cards()}[name]


def chip_card(test_card: SandboxCard) -> ChipCard:
    """The chip of a test card, ready to be tapped."""
    return personalise(
        pan=test_card.pan,
        sequence=test_card.sequence,
        expiry=test_card.expiry,
        aid=_AIDS[test_card.brand],
        label=_LABELS[test_card.brand],
        issuer_master_key=issuer_master_key(test_card.key_name),
        par=test_card.par,
    )


@lru_cache(maxsize=1)
def amount_rules() -> tuple[AmountRule, ...]:
    """The table of amounts, first match wins."""
    return tuple(
        AmountRule(
            ending=row["ending"],
            outcome=AmountOutcome(row["outcome"]),
            late_ms=row.get("late_ms", 0),
            code=row.get("code", ""),
            shows=row["shows"],
        )
        for row in sandbox_data("cards")["amount"]
    )


def amount_outcome(amount_minor: int) -> AmountRule | None:
    """The rule for an authorisation of this amount, None when nothing special happens."""
    digits = f"{amount_minor:012d}"
    return next((rule for rule in amount_rules() if digits.endswith(rule.ending)), None)
