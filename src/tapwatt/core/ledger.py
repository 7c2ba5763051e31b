"""Postings that sum to zero: where the money of a session stands.

Holds are memo postings (two accounts of our own); a capture moves what the acquirer or an account owes us
against revenue and tax. Entries are never changed, only added.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One side of a posting; positive is debit, negative is credit."""

    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """Entries of one business event, in one currency, that sum to zero."""

    kind: str
    currency: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        total = sum(entry.amount_minor for entry in self.entries)
        if total:
            raise ValueError(f"posting {self.kind} is out of balance by {total} minor units")


HOLD, HOLD_CONTRA = "hold", "hold_contra"
RECEIVABLE = {"terminal": "acquirer_receivable", "host": "acquirer_receivable", "account": "driver_balance"}
REVENUE, TAX, LOSS, UNBILLED = "revenue", "tax", "loss_operator", "unbilled_energy"


def receivable(leader: str) -> str:
    """The account of the party that owes us after a capture led this way."""
    return RECEIVABLE.get(leader, f"{leader}_receivable")


def hold(amount_minor: int, *, currency: str) -> Posting:
    """An authorised amount, remembered."""
    return _pair("authorised", HOLD, HOLD_CONTRA, amount_minor, currency)


def release(amount_minor: int, *, currency: str) -> Posting:
    """A part of a hold, or all of it, given back."""
    return _pair("released", HOLD_CONTRA, HOLD, amount_minor, currency)


def capture(*, net_minor: int, tax_minor: int, leader: str, currency: str) -> Posting:
    """The captured amount: the hold is used up and somebody owes us net and tax."""
    gross_minor = net_minor + tax_minor
    return Posting(
        kind="captured",
        currency=currency,
        entries=(
            Entry(account=HOLD, amount_minor=-gross_minor),
            Entry(account=HOLD_CONTRA, amount_minor=gross_minor),
            Entry(account=receivable(leader), amount_minor=gross_minor),
            Entry(account=REVENUE, amount_minor=-net_minor),
            Entry(account=TAX, amount_minor=-tax_minor),
        ),
    )


def loss(amount_minor: int, *, currency: str) -> Posting:
    """Energy that was delivered and will not be paid: a loss that the operator owns."""
    return _pair("lost", LOSS, UNBILLED, amount_minor, currency)


def refund(*, net_minor: int, tax_minor: int, leader: str, currency: str) -> Posting:
    """Money given back after a capture, with the tax that was in it."""
    return Posting(
        kind="refunded",
        currency=currency,
        entries=(
            Entry(account=REVENUE, amount_minor=net_minor),
            Entry(account=TAX, amount_minor=tax_minor),
            Entry(account=receivable(leader), amount_minor=-(net_minor + tax_minor)),
        ),
    )


def _pair(kind: str, debit: str, credit: str, amount_minor: int, currency: str) -> Posting:
    return Posting(
        kind=kind,
        currency=currency,
        entries=(
            Entry(account=debit, amount_minor=amount_minor),
            Entry(account=credit, amount_minor=-amount_minor),
        ),
    )
