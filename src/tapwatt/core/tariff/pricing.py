"""Tariff + usage → itemised bill, exact until the totals."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from tapwatt.core.bill import (
    PER_TOTAL,
    Basis,
    Bill,
    Line,
    Rounding,
    TaxShare,
    adjustment,
    decimal_of,
    difference,
    limited,
    total,
)
from tapwatt.core.money import round_to_minor
from tapwatt.core.tariff.model import (
    NO_LIMITS,
    Component,
    Dimension,
    Reservation,
    Tariff,
    Tax,
    TaxIncluded,
)
from tapwatt.core.tariff.segments import Segment, segments
from tapwatt.core.tariff.selection import WH_PER_KWH, Candidate, by_kind, exact, first_match
from tapwatt.core.tariff.steps import Priced, kind_of, stepped
from tapwatt.core.tariff.usage import MS_PER_HOUR, Exact, Usage
from tapwatt.core.tariff.words import restricted

Choose = Callable[[Fraction, Fraction], Fraction]
UNITS = {"energy": ("kWh", WH_PER_KWH), "time": ("h", MS_PER_HOUR), "parking": ("h", MS_PER_HOUR)}
UNITS |= {"reservation": ("h", MS_PER_HOUR), "flat": ("session", 1)}
UNTAXED = Fraction(1)


@dataclass(slots=True)
class Account:
    """What each component has priced so far, in the order of their first use."""

    priced: dict[tuple[int, Dimension], Priced] = field(default_factory=dict)
    last: dict[str, Priced] = field(default_factory=dict)

    def add(self, of: Candidate | None, quantity: Exact, segment: Segment) -> None:
        """Add a segment's quantity to the component in force, if any."""
        if of is None or not quantity:
            return
        key = (of.element, of.component.dimension)
        known = self.priced.get(key)
        if known is None:
            known = self.priced[key] = Priced(of, 0, segment.started_ms, segment.ended_ms)
        known.quantity += quantity
        known.ended_ms = segment.ended_ms
        self.last[kind_of(of)] = known

    def add_once(self, of: Candidate | None, segment: Segment) -> bool:
        """Add a flat fee; whether there was one."""
        self.add(of, 1, segment)
        return of is not None


def price(tariff: Tariff, session: Usage, rounding: Rounding = PER_TOTAL) -> Bill:
    """Price a session. Exact until the totals, which are rounded by the policy; step sizes and price limits
    are applied, the least price only where there was more than a reservation. Raises
    `clock.UnknownTimeZone`, and UnableToReadUsage where the tariff's clock times would cut it too often."""
    account = used(tariff, session)
    stepped(list(account.priced.values()), account.last)
    least = bool(session.periods) and not expired(session)
    return billed(tariff, account, rounding, least=least)


def used(tariff: Tariff, session: Usage) -> Account:
    """What each component of the tariff has to price."""
    account, rules = Account(), Rules(tariff, expired=expired(session))
    for segment in segments(tariff, session):
        rules.charge(account, segment)
    return account


def expired(session: Usage) -> bool:
    """Whether this is a reservation that ended without a charge: nothing but reserved time."""
    periods = session.periods
    if not any(period.reserved_ms for period in periods):
        return False
    return not any(period.energy_wh or period.charging_ms or period.idle_ms for period in periods)


class Rules:
    """The components of a tariff by what they price, and which flat fees are still due."""

    def __init__(self, tariff: Tariff, *, expired: bool) -> None:
        """Read the tariff once for all segments."""
        self.in_force: dict[tuple[object, ...], tuple[Candidate | None, ...]] = {}
        found = by_kind(tariff)
        self.energy = found.get((Dimension.ENERGY, None), ())
        self.time = found.get((Dimension.TIME, None), ())
        self.parking = found.get((Dimension.PARKING_TIME, None), ())
        flats = found.get((Dimension.FLAT, None), ())
        self.flats = [flats] if flats and not expired else []
        # The time of an expired reservation costs what RESERVATION_EXPIRES says where it says something; its
        # fee comes on top of the fee for reserving.
        kinds = (Reservation.EXPIRES, Reservation.RESERVATION) if expired else (Reservation.RESERVATION,)
        times = (found.get((Dimension.TIME, kind), ()) for kind in kinds)
        self.reserved = next((one for one in times if one), ())
        fees = (found.get((Dimension.FLAT, kind), ()) for kind in reversed(kinds))
        self.reserved_flats = [one for one in fees if one]

    def charge(self, account: Account, segment: Segment) -> None:
        """Add one segment to the account."""
        at = segment.at
        if segment.reserved_ms:
            account.add(first_match(self.reserved, at), segment.reserved_ms, segment)
            if self.reserved_flats:
                self.reserved_flats = _still_due(self.reserved_flats, account, segment)
        if self.flats and (
            segment.energy_wh or segment.charging_ms or segment.idle_ms or not segment.reserved_ms
        ):
            self.flats = _still_due(self.flats, account, segment)
        energy, time, parking = self._in_force(segment)
        account.add(energy, segment.energy_wh, segment)
        account.add(time, segment.charging_ms, segment)
        account.add(parking, segment.idle_ms, segment)

    def _in_force(self, segment: Segment) -> tuple[Candidate | None, ...]:
        """The components that price energy, time and parking, looked for once in each state."""
        found = self.in_force.get(segment.state)
        if found is None:
            lists = (self.energy, self.time, self.parking)
            found = tuple(first_match(one, segment.at) for one in lists)
            self.in_force[segment.state] = found
        return found


def _still_due(
    flats: list[tuple[Candidate, ...]], account: Account, segment: Segment
) -> list[tuple[Candidate, ...]]:
    """A flat fee is due once in a session: when it first applies."""
    return [flat for flat in flats if not account.add_once(first_match(flat, segment.at), segment)]


def billed(tariff: Tariff, account: Account, rounding: Rounding, *, least: bool) -> Bill:
    """The bill of an account, within the tariff's limits; `least` says whether the minimum applies."""
    lines, net, gross = [], Fraction(0), Fraction(0)
    for one in account.priced.values():
        line_net, line_gross = amounts(tariff, one)
        lines.append(_line(tariff, one, line_net, line_gross))
        net, gross = (net + line_net, gross + line_gross) if net or gross else (line_net, line_gross)
    for dimension, why, to_net, to_gross in _limits(tariff, net, gross, least=least):
        moved = adjustment(
            tuple(lines),
            net=to_net - net,
            gross=to_gross - gross,
            dimension=dimension,
            why=why,
            tax_inside=tariff.tax_included is TaxIncluded.YES,
            usual=_shares(
                tariff, _usual(tariff), UNTAXED, decimal_of(tax_factor(tariff, _usual(tariff)) - 1)
            ),
        )
        lines.append(moved)
        net, gross = to_net, to_gross
    bill = total(tuple(lines), currency=tariff.currency, net=net, gross=gross, rounding=rounding)
    return _rounded_within(tariff, bill) if rounding.basis is Basis.LINE else bill


def _rounded_within(tariff: Tariff, bill: Bill) -> Bill:
    """Lines that are rounded one by one may add up to a little more or less than the highest price: where it
    is reached, it is what is paid."""
    most = tariff.limits.max_gross
    if most is None:
        return bill
    most_minor = round_to_minor(most, currency=tariff.currency)
    if bill.gross_minor <= most_minor and bill.exact_gross < most:
        return bill
    return limited(bill, most_minor, why=f"tariff {tariff.tariff_id}: highest price of a session, in coins")


def amounts(tariff: Tariff, one: Priced) -> tuple[Fraction, Fraction]:
    """Exact net and gross of what a component priced."""
    component = one.of.component
    top, bottom = component.price.as_integer_ratio()
    quantity = one.quantity + one.added if one.added else one.quantity
    top *= quantity.numerator
    bottom *= quantity.denominator * UNITS[kind_of(one.of)][1]
    factor = tax_factor(tariff, component)
    amount = Fraction(top, bottom)
    if factor == UNTAXED:
        return amount, amount
    if tariff.tax_included is TaxIncluded.YES:
        return Fraction(top * factor.denominator, bottom * factor.numerator), amount
    return amount, Fraction(top * factor.numerator, bottom * factor.denominator)


def tax_factor(tariff: Tariff, component: Component) -> Fraction:
    """Gross ÷ net of a component."""
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        return UNTAXED
    return _stacked(component.taxes)[0]


@lru_cache(maxsize=1024)
def _stacked(taxes: tuple[Tax, ...]) -> tuple[Fraction, tuple[tuple[Fraction, Fraction], ...]]:
    """Gross ÷ net under these taxes; and for each what it is taken on and its amount, as parts of the net."""
    base, found = Fraction(1), {}
    for level in sorted({tax.stack for tax in taxes}):
        added = Fraction(0)
        for place, tax in enumerate(taxes):
            if tax.stack == level:
                rate = base * exact(tax.rate_percent) / 100
                found[place] = (base, rate)
                added += rate
        base += added
    return base, tuple(found[place] for place in range(len(taxes)))


def _shares(tariff: Tariff, component: Component, net: Fraction, tax: Decimal) -> tuple[TaxShare, ...]:
    """The taxes in an amount at this component's price."""
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE or not component.taxes:
        return ()
    if len(component.taxes) == 1:
        parts: Iterable[tuple[Decimal, Decimal]] = ((decimal_of(net), tax),)
    else:
        rates = _stacked(component.taxes)[1]
        parts = ((decimal_of(net * base), decimal_of(net * rate)) for base, rate in rates)
    return tuple(
        TaxShare(name=tax.name, rate_percent=tax.rate_percent, base=base, amount=amount)
        for tax, (base, amount) in zip(component.taxes, parts, strict=True)
    )


def _line(tariff: Tariff, one: Priced, net: Fraction, gross: Fraction) -> Line:
    component = one.of.component
    kind = kind_of(one.of)
    name, unit = UNITS[kind]
    billed = one.quantity + one.added
    line_net, line_gross = decimal_of(net), decimal_of(gross)
    tax = difference(line_gross, line_net)
    return Line(
        dimension=kind if one.of.restrictions.reservation is None else "reservation",
        quantity=decimal_of(Fraction(billed.numerator, billed.denominator * unit)),
        unit=name,
        unit_price=component.price,
        net=line_net,
        tax=tax,
        gross=line_gross,
        taxes=_shares(tariff, component, net, tax),
        tax_inside=tariff.tax_included is TaxIncluded.YES,
        started_ms=int(one.started_ms),
        ended_ms=int(one.ended_ms),
        element=one.of.element,
        why=_why(tariff, one),
    )


def _why(tariff: Tariff, one: Priced) -> str:
    """Which element, which restriction, which rounding."""
    words = f"tariff {tariff.tariff_id}, element {one.of.element + 1}"
    if one.of.tests and (rules := restricted(one.of.restrictions)):
        words += f": {rules}"
    if one.added:
        unit, size = ("Wh", 1) if kind_of(one.of) == "energy" else ("s", 1000)
        added = decimal_of(Fraction(one.added) / size)
        words += f"; {added:f} {unit} added to fill the step of {one.of.component.step_size} {unit}"
    return words


def _limits(
    tariff: Tariff, net: Fraction, gross: Fraction, *, least: bool
) -> Iterator[tuple[str, str, Fraction, Fraction]]:
    """The adjustments that bring a total within the tariff's limits, each with what it moves the total to."""
    limits = tariff.limits
    if limits is NO_LIMITS:
        return
    if least and (to := _moved(tariff, net, gross, limits.min_net, limits.min_gross, max)) != (net, gross):
        yield "minimum", f"tariff {tariff.tariff_id}: least price of a session", *to
        net, gross = to
    if (to := _moved(tariff, net, gross, limits.max_net, limits.max_gross, min)) != (net, gross):
        yield "maximum", f"tariff {tariff.tariff_id}: highest price of a session", *to


def _moved(
    tariff: Tariff,
    net: Fraction,
    gross: Fraction,
    net_limit: Decimal | None,
    gross_limit: Decimal | None,
    choose: Choose,
) -> tuple[Fraction, Fraction]:
    """Net and gross brought to their limits, each by itself; the one without a limit keeps its proportion.
    Where limits contradict each other so that gross would fall below net, the stricter one counts for both:
    a promised maximum holds, and so does a minimum."""
    to_net = net if net_limit is None else choose(net, Fraction(net_limit))
    to_gross = gross if gross_limit is None else choose(gross, Fraction(gross_limit))
    if (to_net, to_gross) == (net, gross):
        return net, gross
    factor = gross / net if net > 0 and gross > 0 else tax_factor(tariff, _usual(tariff))
    if gross_limit is None:
        to_gross = to_net * factor
    elif net_limit is None:
        to_net = to_gross / factor
    if to_gross < to_net:
        to_net = to_gross = choose(to_net, to_gross)
    return to_net, to_gross


def _usual(tariff: Tariff) -> Component:
    """Whose taxes a minimum bears where nothing was priced: the first component's."""
    return tariff.elements[0].components[0]
