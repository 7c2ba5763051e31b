"""The receipt: everything that any country's law or any acquirer's slip asks for, as values.

A union of the receipts of card slip, invoice, calibration law and fiscal law (reference: practice.md, section
2.7). The session knows what was bought and how it was paid (`Purchase`); seller, place and number are added
when the receipt is issued. What is not known is None or empty, never made up.
"""

from dataclasses import dataclass, replace

from tapwatt.core.bill import Bill, Line, TaxTotal, credit_note, decimal_of
from tapwatt.core.money import show, to_major


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """How it was paid, as far as the terminal told. `last_four` is all that is known of a card's number; with
    a phone or watch they are the digits of its device number, not of the plastic card."""

    scheme: str | None = None
    entry_mode: str | None = None
    last_four: str | None = None
    aid: str | None = None
    approval_code: str | None = None
    tid: str | None = None
    mid: str | None = None
    acquirer_reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What a session knows of its receipt: the charge, its bill, and the money.

    Times are epoch milliseconds, `time_zone` is that of the location; registers and energy are in watt-hours.
    """

    session_id: str
    station_id: str
    evse_id: int
    time_zone: str
    started_ms: int
    ended_ms: int
    charging_ms: int
    idle_ms: int
    register_begin_wh: int
    register_end_wh: int
    energy_wh: int
    bill: Bill
    hold_minor: int
    captured_minor: int
    released_minor: int
    card: Card = Card()
    account_id: str | None = None
    signed_data: str | None = None
    """Where the meter's signed readings of this charge are."""
    public_key: str | None = None
    """The meter's key, for whoever verifies them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """Who sells: an operator's legal data, and where a driver turns to."""

    legal_name: str
    address: tuple[str, ...] = ()
    country: str = ""
    vat_id: str = ""
    tax_scheme: str = ""
    helpline: str = ""
    complaints: str = ""
    verification: str = ""
    """How a driver verifies the meter's readings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the charge was. `evse_name` is the EVSE's public id, such as `DE*ABC*E1*1`."""

    name: str = ""
    address: tuple[str, ...] = ()
    country: str = ""
    evse_name: str = ""
    meter_serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fiscal:
    """What a country's tax office or fiscal device said of the receipt."""

    fiscal_id: str
    qr: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Whom it is made out to, when a driver wants an invoice."""

    name: str
    vat_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """A credit note that stands against a receipt; the amount is positive, in minor units."""

    number: str
    amount_minor: int
    at_ms: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One receipt, or a credit note (`credit_of` names the receipt it takes back, and every amount is
    negative). Never changed once issued; `credits` are those issued since."""

    number: str
    issued_ms: int
    language: str
    seller: Seller
    place: Place
    purchase: Purchase
    credit_of: str = ""
    why: str = ""
    fiscal: Fiscal | None = None
    buyer: Buyer | None = None
    credits: tuple[Credited, ...] = ()

    @property
    def bill(self) -> Bill:
        """What is charged, or taken back."""
        return self.purchase.bill

    @property
    def credited_minor(self) -> int:
        """How much of it has been taken back."""
        return sum(credit.amount_minor for credit in self.credits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """How a seller numbers: `R-2026-000001`, a new series each year where `yearly`."""

    prefix: str = "R"
    yearly: bool = True
    digits: int = 6

    def name(self, year: int) -> str:
        """The series that a receipt of this year stands in."""
        return f"{self.prefix}-{year}" if self.yearly else self.prefix

    def number(self, year: int, place: int) -> str:
        """The number of the receipt at a place, counted from 1."""
        return f"{self.name(year)}-{place:0{self.digits}}"


class UnableToCredit(ValueError):
    """The credit would take back what was not billed; the sentence says why."""


def credit(receipt: Receipt, *, amount_minor: int | None, why: str, earlier: tuple[Receipt, ...]) -> Bill:
    """The bill of a credit note: the rest of a receipt, or a part with tax in minor units.

    Tax is reckoned on all that has been credited so far, less what the earlier notes say: several parts come
    to the cent to what one note of their sum would be. Raises UnableToCredit above what is left.
    """
    if receipt.credit_of:
        raise UnableToCredit(f"{receipt.number} is a credit note itself")
    billed_minor = receipt.bill.gross_minor
    before_minor = -sum(note.bill.gross_minor for note in earlier)
    left_minor = billed_minor - before_minor
    wanted_minor = left_minor if amount_minor is None else amount_minor
    if not 0 < wanted_minor <= left_minor:
        wanted, left = (show(each, currency=receipt.bill.currency) for each in (wanted_minor, left_minor))
        raise UnableToCredit(f"{wanted} cannot be credited: {left} of {receipt.number} is left")
    whole = credit_note(
        receipt.bill, number=receipt.number, amount_minor=before_minor + wanted_minor, why=why
    )
    if wanted_minor == billed_minor:
        return whole
    bills = tuple(note.bill for note in earlier)
    net_minor = whole.net_minor - sum(bill.net_minor for bill in bills)
    taxes = tuple(_less(tax, bills) for tax in whole.taxes)
    return _part(replace(whole, net_minor=net_minor, gross_minor=-wanted_minor, taxes=taxes), why)


def _less(tax: TaxTotal, earlier: tuple[Bill, ...]) -> TaxTotal:
    """One tax of all credits, less what earlier notes have of it."""
    same = [
        each
        for bill in earlier
        for each in bill.taxes
        if (each.name, each.rate_percent) == (tax.name, tax.rate_percent)
    ]
    return replace(
        tax,
        base_minor=tax.base_minor - sum(each.base_minor for each in same),
        amount_minor=tax.amount_minor - sum(each.amount_minor for each in same),
    )


def _part(bill: Bill, why: str) -> Bill:
    """A part of a bill has one line of its own: that of the whole would not add up to it."""
    net = to_major(bill.net_minor, currency=bill.currency)
    gross = to_major(bill.gross_minor, currency=bill.currency)
    line = Line(
        dimension="credit",
        quantity=decimal_of(-1),
        unit="session",
        unit_price=-net,
        net=net,
        tax=gross - net,
        gross=gross,
        why=why,
    )
    return replace(
        bill, lines=(line,), exact_net=net, exact_gross=gross, tax_minor=bill.gross_minor - bill.net_minor
    )
