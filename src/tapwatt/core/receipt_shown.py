"""A receipt as people read it: labels and values in its language, in the order of the page and of the slip.

Both the text and the page are laid out from here, so that they cannot say different things.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from tapwatt.core.bill import Basis, Bill, Line
from tapwatt.core.energy import MS_PER_HOUR, show_kwh
from tapwatt.core.money import decimals, round_to_minor, to_major
from tapwatt.core.receipt import Card, Receipt
from tapwatt.core.receipt_words import ROUNDINGS, words
from tapwatt.core.tariff.clock import local, zone_of

ADJUSTMENTS = ("minimum", "maximum", "limit", "discount", "credit")
"""Lines that have an amount, and no quantity that would tell anybody something."""
COMMA = str.maketrans(",.", ".,")
COMMA_LANGUAGES = ("de",)
YEAR_FIRST_LANGUAGES = ("zh",)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EXACT_DECIMALS = 4
"""An exact amount of a line is shown to so many decimals at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShown:
    """One price line: what, how much at what price, and the amount with tax."""

    label: str
    amount: str
    detail: str
    taxes: str
    period: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A receipt in words. Sections that have nothing to say are empty."""

    language: str
    title: str
    number: str
    seller: tuple[str, ...]
    head: tuple[Row, ...]
    charge_title: str
    charge: tuple[Row, ...]
    price_title: str
    lines: tuple[LineShown, ...]
    totals: tuple[Row, ...]
    total: Row
    rounding: Row
    payment_title: str
    payment: tuple[Row, ...]
    notes: tuple[str, ...]
    credits_title: str
    credits: tuple[Row, ...]
    fiscal_title: str
    fiscal: tuple[Row, ...]
    help_title: str
    help: tuple[Row, ...]
    as_text: str
    again: str
    """Beside the QR code of its address."""
    languages: str
    """What the choice of languages is called."""


def shown(receipt: Receipt) -> Shown:
    """Put a receipt into the words of its language."""
    said, bill, language = words(receipt.language), receipt.bill, receipt.language
    credit_note = bool(receipt.credit_of)
    name = bill.rounding.name
    return Shown(
        language=language.split("-")[0],
        title=said["credit_note" if credit_note else "receipt"],
        number=receipt.number,
        seller=tuple(_seller(receipt, said)),
        head=tuple(_head(receipt, said)),
        charge_title=said["charge"],
        charge=tuple(_charge(receipt, said)),
        price_title=said["price"],
        lines=tuple(_line(line, bill, receipt, said) for line in bill.lines),
        totals=tuple(_totals(bill, said, language)),
        total=Row(
            label=said["to_give_back" if credit_note else "total"],
            value=amount(bill.gross_minor, bill.currency, language),
        ),
        rounding=Row(label=said["rounding"], value=ROUNDINGS.get(language.split("-")[0], {}).get(name, name)),
        payment_title=said["payment"],
        payment=tuple(_payment(receipt, said)),
        notes=(said["device_note"],) if receipt.purchase.card.last_four else (),
        credits_title=said["credits"],
        credits=tuple(_credits(receipt, said)),
        fiscal_title=said["fiscal"],
        fiscal=tuple(_fiscal(receipt, said)),
        help_title=said["help"],
        help=tuple(_help(receipt, said)),
        as_text=said["as_text"],
        again=said["again"],
        languages=said["languages"],
    )


def amount(amount_minor: int, currency: str, language: str) -> str:
    """An amount with its currency's code, grouped and pointed as the language does."""
    value = to_major(amount_minor, currency=currency)
    return f"{pointed(f'{value:,.{decimals(currency)}f}', language)} {currency}"


def exact_amount(value: Decimal, currency: str, language: str) -> str:
    """An exact amount: as many decimals as it has, at least those of its currency."""
    least = decimals(currency)
    text = f"{value:,.{max(least, EXACT_DECIMALS)}f}"
    whole, _, rest = text.partition(".")
    kept = rest.rstrip("0").ljust(least, "0")
    return pointed(f"{whole}.{kept}" if kept else whole, language)


def pointed(text: str, language: str) -> str:
    """A number written with comma and point, as the language writes it."""
    return text.translate(COMMA) if language.split("-")[0] in COMMA_LANGUAGES else text


def moment(at_ms: int, time_zone: str, language: str) -> str:
    """Date and time on the location's clock, with what that clock is ahead of UTC."""
    at = local(at_ms, zone_of(time_zone))
    ahead = at.utcoffset() or timedelta()
    minutes = abs(ahead) // timedelta(minutes=1)
    zone = f"UTC{'-' if ahead < timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    if language.split("-")[0] in COMMA_LANGUAGES:
        return f"{at:%d.%m.%Y %H:%M:%S} {zone}"
    if language.split("-")[0] in YEAR_FIRST_LANGUAGES:
        return f"{at:%Y-%m-%d %H:%M:%S} {zone}"
    return f"{at.day} {MONTHS[at.month - 1]} {at:%Y %H:%M:%S} {zone}"


def duration(passed_ms: int) -> str:
    """A time in minutes and seconds, to the nearest second."""
    seconds = (passed_ms + 500) // 1000
    return f"{seconds // 60} min {seconds % 60:02d} s"


def card_shown(card: Card) -> str:
    """The scheme and the last four digits; all else of a card's number is unknown here."""
    return " ".join(
        filter(None, ((card.scheme or "").capitalize(), f"**** {card.last_four}" if card.last_four else ""))
    )


def _rows(said: Mapping[str, str], **values: str | None) -> Iterator[Row]:
    """A row for each value that is known."""
    for name, value in values.items():
        if value:
            yield Row(label=said[name], value=value)


def _seller(receipt: Receipt, said: Mapping[str, str]) -> Iterator[str]:
    seller = receipt.seller
    yield seller.legal_name
    yield from seller.address
    if seller.country:
        yield seller.country
    if seller.vat_id:
        scheme = f" ({seller.tax_scheme})" if seller.tax_scheme else ""
        yield f"{said['vat_id']} {seller.vat_id}{scheme}"


def _head(receipt: Receipt, said: Mapping[str, str]) -> Iterator[Row]:
    bought, buyer = receipt.purchase, receipt.buyer
    yield from _rows(
        said,
        number=receipt.number,
        issued=moment(receipt.issued_ms, bought.time_zone, receipt.language),
        credit_of=receipt.credit_of,
        why=receipt.why,
        buyer=buyer.name if buyer else None,
        vat_id=buyer.vat_id if buyer else None,
    )


def _charge(receipt: Receipt, said: Mapping[str, str]) -> Iterator[Row]:
    bought, place, language = receipt.purchase, receipt.place, receipt.language
    where = ", ".join(filter(None, (place.name, *place.address, place.country)))

    def kwh(energy_wh: int) -> str:
        return f"{pointed(show_kwh(energy_wh), language)} kWh"

    yield from _rows(
        said,
        place=where,
        evse=place.evse_name or f"{bought.station_id} / {bought.evse_id}",
        started=moment(bought.started_ms, bought.time_zone, language),
        ended=moment(bought.ended_ms, bought.time_zone, language),
        charging=duration(bought.charging_ms),
        idle=duration(bought.idle_ms) if bought.idle_ms else None,
        meter=place.meter_serial,
        register_begin=kwh(bought.register_begin_wh),
        register_end=kwh(bought.register_end_wh),
        energy_kwh=kwh(bought.energy_wh),
        signed_data=bought.signed_data,
        public_key=bought.public_key,
        session=bought.session_id,
    )


def _line(line: Line, bill: Bill, receipt: Receipt, said: Mapping[str, str]) -> LineShown:
    language, currency = receipt.language, bill.currency
    detail = ""
    if line.dimension not in ADJUSTMENTS:
        price = exact_amount(line.unit_price, currency, language)
        unit = "" if line.unit == "session" else f"/{line.unit}"
        with_tax = "" if not line.taxes else f" {said['with_tax' if line.tax_inside else 'without_tax']}"
        detail = f"{_quantity(line, language)} × {price} {currency}{unit}{with_tax}"
    gross = line.gross
    if bill.rounding.basis is Basis.LINE:
        gross = to_major(round_to_minor(gross, currency=currency), currency=currency)
    return LineShown(
        label=said.get(line.dimension, line.dimension.capitalize()),
        amount=exact_amount(gross, currency, language),
        detail=detail,
        taxes=_taxes(line, currency, language, said),
        period=_period(line, receipt),
        why=line.why,
    )


def _quantity(line: Line, language: str) -> str:
    """How much; hours as the clock counts them."""
    if line.unit == "h":
        sign = "-" if line.quantity < 0 else ""
        return sign + duration(round(abs(line.quantity) * MS_PER_HOUR))
    amount = pointed(f"{line.quantity.normalize():,f}", language)
    return amount if line.unit == "session" else f"{amount} {line.unit}"


def _taxes(line: Line, currency: str, language: str, said: Mapping[str, str]) -> str:
    """Net and each tax of a line; an adjustment has its taxes once for every line that it moves."""
    shares: dict[tuple[str, Decimal], Decimal] = {}
    for share in line.taxes:
        name = (share.name, share.rate_percent)
        shares[name] = shares.get(name, Decimal(0)) + share.amount
    taxes = [
        f"{name} {_rate(rate, language)} % {exact_amount(amount, currency, language)}"
        for (name, rate), amount in shares.items()
    ]
    return ", ".join((f"{said['net']} {exact_amount(line.net, currency, language)}", *taxes))


def _period(line: Line, receipt: Receipt) -> str:
    if line.started_ms is None or line.ended_ms is None:
        return ""
    zone = zone_of(receipt.purchase.time_zone)
    return f"{local(line.started_ms, zone):%H:%M:%S}–{local(line.ended_ms, zone):%H:%M:%S}"


def _rate(rate_percent: Decimal, language: str) -> str:
    return pointed(f"{rate_percent.normalize():f}", language)


def _totals(bill: Bill, said: Mapping[str, str], language: str) -> Iterator[Row]:
    yield Row(label=said["net"], value=amount(bill.net_minor, bill.currency, language))
    for tax in bill.taxes:
        label = said["tax_on"].format(
            name=tax.name,
            rate=_rate(tax.rate_percent, language),
            base=amount(tax.base_minor, bill.currency, language),
        )
        yield Row(label=label, value=amount(tax.amount_minor, bill.currency, language))
    if not bill.taxes:
        yield Row(label=said["tax"], value=amount(bill.tax_minor, bill.currency, language))


def _payment(receipt: Receipt, said: Mapping[str, str]) -> Iterator[Row]:
    bought, card, currency = receipt.purchase, receipt.purchase.card, receipt.bill.currency
    if not receipt.credit_of:
        for name in ("hold", "captured", "released"):
            amount_minor: int = getattr(bought, f"{name}_minor")
            yield Row(label=said[name], value=amount(amount_minor, currency, receipt.language))
    yield from _rows(
        said,
        scheme=card_shown(card),
        account=bought.account_id,
        entry_mode=card.entry_mode,
        aid=card.aid,
        approval_code=card.approval_code,
        tid=card.tid,
        mid=card.mid,
        acquirer_reference=card.acquirer_reference,
    )


def _credits(receipt: Receipt, said: Mapping[str, str]) -> Iterator[Row]:
    currency, language = receipt.bill.currency, receipt.language
    for credit in receipt.credits:
        yield Row(
            label=f"{credit.number}: {credit.why}", value=amount(-credit.amount_minor, currency, language)
        )
    if receipt.credits:
        left_minor = receipt.bill.gross_minor - receipt.credited_minor
        yield Row(label=said["left"], value=amount(left_minor, currency, language))


def _fiscal(receipt: Receipt, said: Mapping[str, str]) -> Iterator[Row]:
    if receipt.fiscal is not None:
        yield from _rows(said, fiscal_id=receipt.fiscal.fiscal_id, signature=receipt.fiscal.signature)


def _help(receipt: Receipt, said: Mapping[str, str]) -> Iterator[Row]:
    seller = receipt.seller
    yield from _rows(
        said, helpline=seller.helpline, complaints=seller.complaints, verification=seller.verification
    )
