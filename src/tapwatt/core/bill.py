"""The itemised result of pricing: lines with quantity, unit price, tax and why, and totals rounded once by a
stored policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import MAX_PREC, Context, Decimal, Inexact
from enum import StrEnum
from fractions import Fraction

from tapwatt.core.money import round_to_minor, to_major

DIGITS = 28
EXACT, NEAREST = Context(prec=DIGITS, traps=[Inexact]), Context(prec=DIGITS, traps=[])
ALL_DIGITS = Context(prec=MAX_PREC, traps=[])
NO_MONEY = Decimal("1e-15")
"""Less than any amount, and more than what is left off behind 28 digits."""
WHOLE = "JPY"
"""A currency without decimals: to round what is in minor units already."""


class Basis(StrEnum):
    """What is rounded: the exact total once, or each line, whose sum is the total."""

    TOTAL = "total"
    LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounding:
    """How a jurisdiction rounds; stored with the bill. Halves go up, away from zero.

    Where prices contain tax (`tax_inside`), the tax is taken out of the rounded gross; else net and gross are
    rounded each by itself. The tax is always their difference. `cash_step_minor` is the least coin: 5 where a
    currency has no smaller one, 1 everywhere else. As at a till, it rounds the rounded total, never a line;
    the tax stays as it was, so the difference is in the net.
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
    to 28 digits (`decimal_of`); `unit_price` is as the tariff says it, with tax or without (`tax_inside`)."""

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
    """A fraction as a decimal: exact where it ends, however long, else to the nearest of 28 digits."""
    top, bottom = value.numerator, value.denominator
    if bottom == 1:
        return Decimal(top)
    try:
        return EXACT.divide(Decimal(top), Decimal(bottom))
    except Inexact:
        places = _places(bottom)
        if places is None:
            return NEAREST.divide(Decimal(top), Decimal(bottom))
        return Decimal(top * 10**places // bottom).scaleb(-places, ALL_DIGITS)


def difference(one: Decimal, other: Decimal) -> Decimal:
    """One less the other with every digit of both, so that net and tax are the gross."""
    return ALL_DIGITS.subtract(one, other)


def _places(bottom: int) -> int | None:
    """How many decimals a fraction of this denominator has; None when they do not end."""
    counts = []
    for prime in (2, 5):
        count = 0
        while bottom % prime == 0:
            bottom, count = bottom // prime, count + 1
        counts.append(count)
    return max(counts) if bottom == 1 else None


def total(
    lines: tuple[Line, ...], *, currency: str, net: Fraction, gross: Fraction, rounding: Rounding
) -> Bill:
    """Add up lines and round by the policy. `net` and `gross` are the exact sums of the lines."""
    if rounding.basis is Basis.LINE:
        gross_minor = sum(round_to_minor(line.gross, currency=currency) for line in lines)
        net_minor = sum(round_to_minor(line.net, currency=currency) for line in lines)
    else:
        gross_minor = round_to_minor(gross, currency=currency)
        net_minor = gross_minor if net == gross else round_to_minor(net, currency=currency)
    if gross and any(line.tax_inside for line in lines):
        taken_out = Fraction(to_major(gross_minor, currency=currency)) * net / gross
        net_minor = round_to_minor(taken_out, currency=currency)
    return _bill(lines, currency, (net, gross), (net_minor, gross_minor), rounding)


def _bill(
    lines: tuple[Line, ...],
    currency: str,
    exact: tuple[Fraction, Fraction],
    rounded_minor: tuple[int, int],
    rounding: Rounding,
) -> Bill:
    """The bill of these lines, exact and rounded net and gross; the least coin is applied here."""
    tax_minor = rounded_minor[1] - rounded_minor[0]
    gross_minor = _in_coins(rounded_minor[1], rounding.cash_step_minor)
    exact_net = decimal_of(exact[0])
    return Bill(
        currency=currency,
        lines=lines,
        exact_net=exact_net,
        exact_gross=decimal_of(exact[1]),
        net_minor=gross_minor - tax_minor,
        tax_minor=tax_minor,
        gross_minor=gross_minor,
        taxes=_tax_totals(lines, exact_net, rounded_minor[0], tax_minor),
        rounding=rounding,
    )


def _in_coins(amount_minor: int, step: int) -> int:
    """To the nearest coin, halves away from zero."""
    if step == 1:
        return amount_minor
    coins = (2 * abs(amount_minor) + step) // (2 * step) * step
    return -coins if amount_minor < 0 else coins


Shares = dict[tuple[str, Decimal], tuple[Decimal, Decimal]]
"""Base and amount of each tax, by its name and rate."""


def _shares(lines: tuple[Line, ...]) -> Shares:
    found: Shares = {}
    for line in lines:
        for share in line.taxes:
            key = (share.name, share.rate_percent)
            known = found.get(key)
            base, amount = share.base, share.amount
            found[key] = (base, amount) if known is None else (known[0] + base, known[1] + amount)
    return found


def _tax_totals(
    lines: tuple[Line, ...], net: Decimal, net_minor: int, tax_minor: int
) -> tuple[TaxTotal, ...]:
    """Bases and taxes by name and rate. The taxes sum to the rounded tax; so do the bases to the rounded net
    where each amount bears one tax, else each is rounded by itself."""
    shares = _shares(lines)
    bases = [base for base, _ in shares.values()]
    if abs(sum(bases, Decimal(0)) - net) < NO_MONEY:
        bases_minor = split(net_minor, bases)
    else:
        factor = net_minor / Fraction(net) if net else Fraction(0)
        bases_minor = [round_to_minor(Fraction(base) * factor, currency=WHOLE) for base in bases]
    return tuple(
        TaxTotal(name=name, rate_percent=rate, base_minor=base_minor, amount_minor=amount_minor)
        for (name, rate), base_minor, amount_minor in zip(
            shares, bases_minor, split(tax_minor, [amount for _, amount in shares.values()]), strict=True
        )
    )


def split(amount_minor: int, weights: Sequence[Decimal | Fraction]) -> list[int]:
    """Split whole minor units by weights, without losing one: the largest remainders get the rest. Weights
    that sum to zero share evenly."""
    if len(weights) <= 1:
        return [amount_minor] * len(weights)
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact, Fraction(0))
    if not whole:
        exact, whole = [Fraction(1)] * len(weights), Fraction(len(weights))
    ideal = [weight * amount_minor / whole for weight in exact]
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
    inside = any(line.tax_inside for line in bill.lines)
    line = adjustment(
        bill.lines,
        net=net - old_net,
        gross=gross - old_gross,
        dimension=dimension,
        why=why,
        tax_inside=inside,
    )
    rounded_minor = (
        round_to_minor(net, currency=bill.currency),
        round_to_minor(gross, currency=bill.currency),
    )
    once = replace(bill.rounding, cash_step_minor=1)
    made = _bill((*bill.lines, line), bill.currency, (net, gross), rounded_minor, once)
    return replace(made, rounding=bill.rounding)


def adjustment(
    lines: tuple[Line, ...],
    *,
    net: Fraction,
    gross: Fraction,
    dimension: str,
    why: str,
    tax_inside: bool = False,
    usual: tuple[TaxShare, ...] = (),
) -> Line:
    """A line that moves the total by exactly this much. Its tax is spread over the taxes already there; where
    there are none, over `usual`, the shares of one unit of net price."""
    tax = gross - net
    told = _shares(lines)
    shares = {key: (Fraction(base), Fraction(amount)) for key, (base, amount) in told.items()}
    based = sum((Fraction(line.net) for line in lines), Fraction(0))
    if tax and not any(amount for _, amount in told.values()):
        shares, based = _usual_shares(usual, net, tax)
    taxed = sum((amount for _, amount in shares.values()), Fraction(0))
    return Line(
        dimension=dimension,
        quantity=Decimal(1),
        unit="session",
        unit_price=decimal_of(gross if tax_inside else net),
        net=decimal_of(net),
        tax=difference(decimal_of(gross), decimal_of(net)),
        gross=decimal_of(gross),
        taxes=tuple(
            TaxShare(
                name=name,
                rate_percent=rate,
                base=decimal_of(base * net / based if based else net),
                amount=decimal_of(amount * tax / taxed if taxed else Fraction(0)),
            )
            for (name, rate), (base, amount) in shares.items()
        ),
        tax_inside=tax_inside,
        why=why,
    )


def _usual_shares(
    usual: tuple[TaxShare, ...], net: Fraction, tax: Fraction
) -> tuple[dict[tuple[str, Decimal], tuple[Fraction, Fraction]], Fraction]:
    """Shares by which a tax is spread that no line bears, and the net that they are of."""
    if any(share.amount for share in usual):
        return {
            (share.name, share.rate_percent): (Fraction(share.base), Fraction(share.amount))
            for share in usual
        }, Fraction(1)
    rate = decimal_of(100 * tax / net) if net else Decimal(0)
    return {("tax", rate): (net, tax)}, net
