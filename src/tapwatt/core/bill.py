"""The itemised result of pricing: lines with quantity, unit price, tax and why, and totals rounded once by a
stored policy."""

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction

from tapwatt.core.money import round_to_minor, to_major

DIGITS = 28


class Basis(StrEnum):
    """What is rounded: the exact total once, or each line, whose sum is the total."""

    TOTAL = "total"
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """How a jurisdiction rounds; stored with the bill. Halves go up, away from zero.

    Where prices contain tax (`tax_inside`), the tax is taken out of the rounded gross; else net and gross are
    rounded each by itself. The tax is always their difference. `cash_step_minor` is the least coin: 5 where a
    currency has no smaller one, 1 everywhere else.
    """

    basis: Basis = Basis.TOTAL
    cash_step_minor: int = 1
    name: str = "total, half up"


PER_TOTAL = Rounding()
PER_LINE = Rounding(basis=Basis.LINE, name="each line, half up")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxShare:
    """One tax in a line: its name, its rate in percent, and the exact amount in major units."""

    name: str
    rate_percent: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One priced component, or an adjustment. Amounts are in major units, exact where decimals can be, else
    to 28 digits; `unit_price` is as the tariff says it, with tax or without (`tax_inside`)."""

    dimension: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    taxes: tuple[TaxShare, ...] = ()
    tax_inside: bool = False
    started_ms: int | None = None
    ended_ms: int | None = None
    element: int | None = None
    """Place of the tariff element that set the price."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxTotal:
    """All of one tax in a bill, in minor units: what it was taken on, and its amount."""

    name: str
    rate_percent: Decimal
    base_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a session costs. `gross_minor = net_minor + tax_minor`, always, and the tax totals sum to
    `tax_minor`."""

    currency: str
    lines: tuple[Line, ...]
    exact_net: Decimal
    exact_gross: Decimal
    net_minor: int
    tax_minor: int
    gross_minor: int
    taxes: tuple[TaxTotal, ...] = ()
    rounding: Rounding = PER_TOTAL
    credit_of: str = ""
    """The receipt number that this credit note takes back, in whole or part; empty for a bill."""


def decimal_of(value: Fraction | int) -> Decimal:
    """A fraction as a decimal: exact where it terminates within 28 digits, else rounded to them."""
    if isinstance(value, int):
        return Decimal(value)
    with localcontext() as context:
        context.prec = DIGITS
        return Decimal(value.numerator) / Decimal(value.denominator)


def total(
    lines: tuple[Line, ...], *, currency: str, net: Fraction, gross: Fraction, rounding: Rounding
) -> Bill:
    """Add up lines and round by the policy. `net` and `gross` are the exact sums of the lines."""
    inside = any(line.tax_inside for line in lines)
    if rounding.basis is Basis.LINE:
        gross_minor = sum(_minor(Fraction(line.gross), currency, rounding) for line in lines)
        net_minor = sum(_minor(Fraction(line.net), currency, rounding) for line in lines)
    else:
        gross_minor, net_minor = _minor(gross, currency, rounding), _minor(net, currency, rounding)
    if inside and gross:
        net_minor = round_to_minor(
            decimal_of(Fraction(to_major(gross_minor, currency=currency)) * net / gross), currency=currency
        )
    return Bill(
        currency=currency,
        lines=lines,
        exact_net=decimal_of(net),
        exact_gross=decimal_of(gross),
        net_minor=net_minor,
        tax_minor=gross_minor - net_minor,
        gross_minor=gross_minor,
        taxes=_tax_totals(lines, net_minor, gross_minor - net_minor),
        rounding=rounding,
    )


def _minor(amount: Fraction, currency: str, rounding: Rounding) -> int:
    """Rounded to whole minor units, then to the least coin."""
    minor, step = round_to_minor(decimal_of(amount), currency=currency), rounding.cash_step_minor
    return minor if step == 1 else step * round_to_minor(Decimal(minor) / step, currency="JPY")


def _tax_totals(lines: tuple[Line, ...], net_minor: int, tax_minor: int) -> tuple[TaxTotal, ...]:
    """Bases and taxes by name and rate, made to sum to the rounded totals."""
    names = dict.fromkeys((share.name, share.rate_percent) for line in lines for share in line.taxes)
    shares = [share for line in lines for share in line.taxes]
    bases = [
        sum((share.base for share in shares if (share.name, share.rate_percent) == name), Decimal(0))
        for name in names
    ]
    amounts = [
        sum((share.amount for share in shares if (share.name, share.rate_percent) == name), Decimal(0))
        for name in names
    ]
    net = sum((line.net for line in lines), Decimal(0))
    return tuple(
        TaxTotal(name=name, rate_percent=rate, base_minor=base_minor, amount_minor=amount_minor)
        for (name, rate), base_minor, amount_minor in zip(
            names,
            [round(base * net_minor / net) if net else 0 for base in bases],
            split(tax_minor, amounts),
            strict=True,
        )
    )


def split(amount_minor: int, weights: list[Decimal]) -> list[int]:
    """Split whole minor units by weights, without losing one: the largest remainders get the rest. Weights
    that sum to zero share evenly."""
    if not weights:
        return []
    whole = sum(weights, Decimal(0))
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    ideal = [Fraction(weight) * amount_minor / Fraction(whole) for weight in weights]
    parts = [value.numerator // value.denominator for value in ideal]
    by_rest = sorted(range(len(parts)), key=lambda place: parts[place] - ideal[place])
    for place in by_rest[: amount_minor - sum(parts)]:
        parts[place] += 1
    return parts


def limited(bill: Bill, amount_minor: int, *, why: str = "limited to the confirmed hold") -> Bill:
    """The same bill brought to an amount by a line of its own: nothing above the confirmed hold is charged.
    Taxes move in proportion."""
    if bill.gross_minor == amount_minor:
        return bill
    return _adjusted(bill, Fraction(to_major(amount_minor, currency=bill.currency)), "limit", why)


def discounted(bill: Bill, amount_minor: int, *, why: str) -> Bill:
    """The bill less an amount with tax, in minor units; never below zero."""
    left_minor = max(0, bill.gross_minor - amount_minor)
    return _adjusted(bill, Fraction(to_major(left_minor, currency=bill.currency)), "discount", why)


def credit_note(bill: Bill, *, number: str, amount_minor: int | None = None, why: str) -> Bill:
    """What takes a bill back, in whole or part (with tax, minor units): every amount negative.

    Raises ValueError when more is to be credited than was billed.
    """
    part = bill
    if amount_minor is not None and amount_minor != bill.gross_minor:
        if not 0 < amount_minor < bill.gross_minor:
            raise ValueError(f"a credit of {amount_minor} is not within a bill of {bill.gross_minor}")
        part = _adjusted(bill, Fraction(to_major(amount_minor, currency=bill.currency)), "credit", why)
    return replace(
        part,
        lines=tuple(_negative(line) for line in part.lines),
        exact_net=-part.exact_net,
        exact_gross=-part.exact_gross,
        net_minor=-part.net_minor,
        tax_minor=-part.tax_minor,
        gross_minor=-part.gross_minor,
        taxes=tuple(
            replace(tax, base_minor=-tax.base_minor, amount_minor=-tax.amount_minor) for tax in part.taxes
        ),
        credit_of=number,
    )


def _negative(line: Line) -> Line:
    return replace(
        line,
        quantity=-line.quantity,
        net=-line.net,
        tax=-line.tax,
        gross=-line.gross,
        taxes=tuple(replace(share, base=-share.base, amount=-share.amount) for share in line.taxes),
    )


def _adjusted(bill: Bill, gross: Fraction, dimension: str, why: str) -> Bill:
    """The bill with one more line that brings its gross to an exact amount, its taxes in proportion."""
    old_net, old_gross = Fraction(bill.exact_net), Fraction(bill.exact_gross)
    net = gross * old_net / old_gross if old_gross else gross
    line = adjustment(bill.lines, net=net - old_net, gross=gross - old_gross, dimension=dimension, why=why)
    exact = total((*bill.lines, line), currency=bill.currency, net=net, gross=gross, rounding=PER_TOTAL)
    gross_minor = round_to_minor(decimal_of(gross), currency=bill.currency)
    net_minor = round_to_minor(decimal_of(net), currency=bill.currency)
    tax_minor = gross_minor - net_minor
    return replace(
        exact,
        net_minor=net_minor,
        tax_minor=tax_minor,
        gross_minor=gross_minor,
        taxes=_tax_totals(exact.lines, net_minor, tax_minor),
        rounding=bill.rounding,
    )


def adjustment(lines: tuple[Line, ...], *, net: Fraction, gross: Fraction, dimension: str, why: str) -> Line:
    """A line that moves the total by exactly this much. Its tax is spread over the taxes already there."""
    tax, shares = gross - net, [share for line in lines for share in line.taxes]
    taxed = sum((Fraction(share.amount) for share in shares), Fraction(0))
    based = sum((Fraction(line.net) for line in lines), Fraction(0))
    return Line(
        dimension=dimension,
        quantity=Decimal(1),
        unit="session",
        unit_price=decimal_of(net),
        net=decimal_of(net),
        tax=decimal_of(tax),
        gross=decimal_of(gross),
        taxes=tuple(
            replace(
                share,
                base=decimal_of(Fraction(share.base) * net / based) if based else decimal_of(net),
                amount=decimal_of(Fraction(share.amount) * tax / taxed) if taxed else Decimal(0),
            )
            for share in shares
        ),
        why=why,
    )
