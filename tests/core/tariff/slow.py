"""The price of a session by a second implementation: slow and obvious, to judge the fast one.

It walks each period minute by minute and, inside a minute, from one count that a restriction names to the
next; in the middle of each little piece it asks every element anew whether all its restrictions hold. All
numbers are fractions. It shares the model with the product, and nothing that computes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from tapwatt.core.tariff.model import Component, Dimension, Reservation, Restrictions, Tariff, TaxIncluded
from tapwatt.core.tariff.usage import Period, Usage

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
Key = tuple[int, Dimension]


@dataclass
class Piece:
    """A little piece of a period: how much of each thing, and what holds in its middle."""

    reserved_ms: Fraction
    energy_wh: Fraction
    charging_ms: Fraction
    idle_ms: Fraction
    local: datetime
    kwh_before: Fraction
    passed_s: Fraction
    charging_s: Fraction
    idle_s: Fraction
    low_kw: Fraction | None
    high_kw: Fraction | None
    low_a: Fraction | None
    high_a: Fraction | None


@dataclass
class Cost:
    """What the slow way makes of a session."""

    quantity: dict[Key, Fraction] = field(default_factory=dict)
    net: Fraction = Fraction(0)
    gross: Fraction = Fraction(0)


def price(tariff: Tariff, usage: Usage) -> Cost:
    """Quantities by element and dimension (Wh, ms, times), and exact net and gross."""
    cost = Cost()
    only_reserved = any(p.reserved_ms for p in usage.periods) and not any(
        p.energy_wh or p.charging_ms or p.idle_ms for p in usage.periods
    )
    last: dict[str, Key] = {}
    due = {"flat", "reserved flat", "expired flat"}
    expiry_time = any(
        component.dimension is Dimension.TIME and element.restrictions.reservation is Reservation.EXPIRES
        for element in tariff.elements
        for component in element.components
    )
    for piece in pieces(tariff, usage):
        if piece.reserved_ms:
            kind = Reservation.EXPIRES if only_reserved and expiry_time else Reservation.RESERVATION
            put(
                cost, last, "reservation", find(tariff, piece, usage, Dimension.TIME, kind), piece.reserved_ms
            )
            pay(
                cost,
                due,
                "reserved flat",
                find(tariff, piece, usage, Dimension.FLAT, Reservation.RESERVATION),
            )
            if only_reserved:
                pay(
                    cost, due, "expired flat", find(tariff, piece, usage, Dimension.FLAT, Reservation.EXPIRES)
                )
        used = piece.energy_wh or piece.charging_ms or piece.idle_ms
        if not only_reserved and (used or not piece.reserved_ms):
            pay(cost, due, "flat", find(tariff, piece, usage, Dimension.FLAT, None))
        put(cost, last, "energy", find(tariff, piece, usage, Dimension.ENERGY, None), piece.energy_wh)
        put(cost, last, "time", find(tariff, piece, usage, Dimension.TIME, None), piece.charging_ms)
        put(cost, last, "parking", find(tariff, piece, usage, Dimension.PARKING_TIME, None), piece.idle_ms)
    fill_steps(tariff, cost, last)
    for (place, dimension), quantity in cost.quantity.items():
        net, gross = amount(tariff, component_of(tariff, place, dimension), quantity)
        cost.net += net
        cost.gross += gross
    if usage.periods and not only_reserved:
        limit(tariff, cost, tariff.limits.min_net, tariff.limits.min_gross, least=True)
    limit(tariff, cost, tariff.limits.max_net, tariff.limits.max_gross, least=False)
    return cost


def put(cost: Cost, last: dict[str, Key], kind: str, where: int | None, quantity: Fraction) -> None:
    """Count a quantity for the element that prices it."""
    if where is None or not quantity:
        return
    dimension = {"energy": Dimension.ENERGY, "parking": Dimension.PARKING_TIME}.get(kind, Dimension.TIME)
    cost.quantity[where, dimension] = cost.quantity.get((where, dimension), Fraction(0)) + quantity
    last[kind] = (where, dimension)


def pay(cost: Cost, due: set[str], what: str, where: int | None) -> None:
    """A fee, once."""
    if where is not None and what in due:
        due.remove(what)
        cost.quantity[where, Dimension.FLAT] = Fraction(1)


def find(
    tariff: Tariff, piece: Piece, usage: Usage, dimension: Dimension, kind: Reservation | None
) -> int | None:
    """The first element in the list that has the dimension and whose restrictions all hold."""
    for place, element in enumerate(tariff.elements):
        has_it = any(component.dimension is dimension for component in element.components)
        alike = element.restrictions.reservation is kind
        if has_it and alike and holds(element.restrictions, piece, usage):
            return place
    return None


def component_of(tariff: Tariff, place: int, dimension: Dimension) -> Component:
    """The first component of that dimension in an element."""
    return next(one for one in tariff.elements[place].components if one.dimension is dimension)


def holds(rules: Restrictions, piece: Piece, usage: Usage) -> bool:
    """Every restriction, one after the other, as the model's documentation says them."""
    day, minute = piece.local.date(), piece.local.hour * 60 + piece.local.minute
    start = 0 if rules.start_minute is None else rules.start_minute
    end = 1440 if rules.end_minute in (None, 0) else rules.end_minute
    assert end is not None
    inside = start <= minute < end if start < end else not end <= minute < start
    return (
        inside
        and (rules.start_date is None or rules.start_date <= day)
        and (rules.end_date is None or day < rules.end_date)
        and (not rules.weekdays or day.weekday() in rules.weekdays)
        and between(rules.min_kwh, rules.max_kwh, piece.kwh_before, piece.kwh_before)
        and between(rules.min_duration_s, rules.max_duration_s, piece.passed_s, piece.passed_s)
        and between(rules.min_charging_s, rules.max_charging_s, piece.charging_s, piece.charging_s)
        and between(rules.min_idle_s, rules.max_idle_s, piece.idle_s, piece.idle_s)
        and between(rules.min_power_kw, rules.max_power_kw, piece.low_kw, piece.high_kw)
        and between(rules.min_current_a, rules.max_current_a, piece.low_a, piece.high_a)
        and rules.evse_kind in (None, usage.evse_kind)
        and rules.payment_brand in (None, usage.payment_brand)
        and rules.payment_recognition in (None, usage.payment_recognition)
    )


def between(least: object, most: object, low: Fraction | None, high: Fraction | None) -> bool:
    """At least the one and below the other; the unknown is nowhere."""
    if least is not None and (low is None or low < Fraction(str(least))):
        return False
    return most is None or (high is not None and high < Fraction(str(most)))


def pieces(tariff: Tariff, usage: Usage) -> Iterator[Piece]:
    """The session in pieces, in order."""
    kwh, charging_ms, idle_ms = Fraction(0), 0, 0
    something = [p for p in usage.periods if p.ended_ms > p.started_ms or p.energy_wh or p.charging_ms]
    something = [p for p in usage.periods if p in something or p.idle_ms or p.reserved_ms]
    for period in something or usage.periods[:1]:
        energy = Fraction(period.energy_wh) / 1000
        marks = {Fraction(0), Fraction(1)}
        marks |= set(minutes(period))
        for rules in (element.restrictions for element in tariff.elements):
            marks |= set(reached((rules.min_kwh, rules.max_kwh), kwh, energy))
            passed = Fraction(period.started_ms - usage.started_ms, 1000)
            wall = Fraction(period.ended_ms - period.started_ms, 1000)
            marks |= set(reached((rules.min_duration_s, rules.max_duration_s), passed, wall))
            seconds, length = Fraction(charging_ms, 1000), Fraction(period.charging_ms, 1000)
            marks |= set(reached((rules.min_charging_s, rules.max_charging_s), seconds, length))
            seconds, length = Fraction(idle_ms, 1000), Fraction(period.idle_ms, 1000)
            marks |= set(reached((rules.min_idle_s, rules.max_idle_s), seconds, length))
        ordered = sorted(marks)
        for begin, end in pairwise(ordered):
            yield piece(usage, period, begin, end, kwh, charging_ms, idle_ms)
        kwh, charging_ms, idle_ms = kwh + energy, charging_ms + period.charging_ms, idle_ms + period.idle_ms


def minutes(period: Period) -> Iterator[Fraction]:
    """Each full minute of the world's clock inside a period, as a part of it."""
    wall = period.ended_ms - period.started_ms
    at_ms = period.started_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS
    while at_ms < period.ended_ms:
        yield Fraction(at_ms - period.started_ms, wall)
        at_ms += MINUTE_MS


def reached(marks: tuple[object, object], start: Fraction, length: Fraction) -> Iterator[Fraction]:
    """Where inside a period a count reaches a number that a restriction names."""
    for mark in marks:
        if mark is not None and start < Fraction(str(mark)) < start + length:
            yield (Fraction(str(mark)) - start) / length


def piece(
    usage: Usage, period: Period, begin: Fraction, end: Fraction, kwh: Fraction, charging: int, idle: int
) -> Piece:
    """One piece, described by what holds in its middle."""
    part, middle = end - begin, (begin + end) / 2
    wall = period.ended_ms - period.started_ms
    at_ms = period.started_ms + wall * middle
    local = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(at_ms))
    low_kw, high_kw = known(period.min_power_w, period.max_power_w)
    if low_kw is None and (over := period.charging_ms or wall):
        low_kw = high_kw = Fraction(period.energy_wh) * HOUR_MS / over
    low_a, high_a = known(period.min_current_a, period.max_current_a)
    if low_a is None and not period.energy_wh and not period.charging_ms:
        low_a = high_a = Fraction(0)
    return Piece(
        reserved_ms=period.reserved_ms * part,
        energy_wh=Fraction(period.energy_wh) * part,
        charging_ms=period.charging_ms * part,
        idle_ms=period.idle_ms * part,
        local=local.astimezone(ZoneInfo(usage.time_zone)),
        kwh_before=kwh + Fraction(period.energy_wh) / 1000 * middle,
        passed_s=max(Fraction(0), (at_ms - usage.started_ms) / 1000),
        charging_s=(charging + period.charging_ms * middle) / 1000,
        idle_s=(idle + period.idle_ms * middle) / 1000,
        low_kw=None if low_kw is None else low_kw / 1000,
        high_kw=None if high_kw is None else high_kw / 1000,
        low_a=low_a,
        high_a=high_a,
    )


def known(low: object, high: object) -> tuple[Fraction | None, Fraction | None]:
    """Both ends of a range, one for the other where only one is told."""
    if low is None and high is None:
        return None, None
    return Fraction(str(high if low is None else low)), Fraction(str(low if high is None else high))


def fill_steps(tariff: Tariff, cost: Cost, last: dict[str, Key]) -> None:
    """Whole steps: of energy; of parking where it was priced, else of charging time; of reservation."""
    for kind in ("energy", "parking" if "parking" in last else "time", "reservation"):
        if kind not in last:
            continue
        step = component_of(tariff, *last[kind]).step_size * (1 if kind == "energy" else 1000)
        total = Fraction(0)
        for (place, dimension), quantity in cost.quantity.items():
            reserved = tariff.elements[place].restrictions.reservation is not None
            if dimension is last[kind][1] and reserved == (kind == "reservation"):
                total += quantity
        if step and total % step:
            cost.quantity[last[kind]] += step - total % step


def amount(tariff: Tariff, component: Component, quantity: Fraction) -> tuple[Fraction, Fraction]:
    """Net and gross of a quantity, its taxes level by level."""
    per = {Dimension.ENERGY: 1000, Dimension.FLAT: 1}.get(component.dimension, HOUR_MS)
    said = Fraction(component.price) * quantity / per
    factor = gross_of_one(tariff, component)
    return (said / factor, said) if tariff.tax_included is TaxIncluded.YES else (said, said * factor)


def gross_of_one(tariff: Tariff, component: Component) -> Fraction:
    """What one unit of net costs with its taxes."""
    gross = Fraction(1)
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        return gross
    for stack in range(20):
        rates = [tax.rate_percent for tax in component.taxes if tax.stack == stack]
        gross += gross * sum((Fraction(rate) for rate in rates), Fraction(0)) / 100
    return gross


def limit(tariff: Tariff, cost: Cost, net: object, gross: object, *, least: bool) -> None:
    """The least or the highest price, before and after tax, each by itself."""
    choose = max if least else min
    to_net = cost.net if net is None else choose(cost.net, Fraction(str(net)))
    to_gross = cost.gross if gross is None else choose(cost.gross, Fraction(str(gross)))
    if (to_net, to_gross) == (cost.net, cost.gross):
        return
    usual = gross_of_one(tariff, tariff.elements[0].components[0])
    factor = cost.gross / cost.net if cost.net > 0 and cost.gross > 0 else usual
    if gross is None:
        to_gross = to_net * factor
    if net is None:
        to_net = to_gross / factor
    if to_gross < to_net:
        to_net = to_gross = choose(to_net, to_gross)
    cost.net, cost.gross = to_net, to_gross
