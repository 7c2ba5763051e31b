"""Checks behind the rules of law: each looks for what one kind of rule forbids, and says where it stands."""

import itertools
from collections.abc import Callable, Iterator

from tapwatt.core.tariff.model import Dimension, Tariff
from tapwatt.markets.findings import Finding, Where, at_component
from tapwatt.markets.jurisdictions import Rule, Severity, rules
from tapwatt.markets.reach import CHANGES_IN_SESSION, DURATION, IDLE, Map, Place

ORDER = (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME, Dimension.FLAT)
Offences = Iterator[tuple[str, Place | None]]


def needs_kwh_price(tariff: Tariff, seen: Map) -> Offences:
    """Something is charged for and energy has no price."""
    paid = [one for one in seen.priced if one.component.price and one.restrictions.reservation is None]
    if paid and not any(one.component.dimension is Dimension.ENERGY for one in paid):
        yield "there is no price per kWh", None


def only_kwh_and_occupancy(tariff: Tariff, seen: Map) -> Offences:
    """A fee per session, or for time from the first minute of a charge on."""
    yield from no_session_fee(tariff, seen)
    yield from no_charging_time_fee(tariff, seen)


def no_charging_time_fee(tariff: Tariff, seen: Map) -> Offences:
    """A price for the time of charging; one that begins later is there to keep places free."""
    for one in seen.of(Dimension.TIME):
        late = all(box[DURATION][0] > 0 or box[IDLE][0] > 0 for box in one.rest)
        if one.component.price > 0 and not late:
            yield "there is a price for charging time from the start on", one.place


def no_session_fee(tariff: Tariff, seen: Map) -> Offences:
    """A fee per session."""
    for one in seen.of(Dimension.FLAT):
        if one.component.price > 0 and one.rest:
            yield "there is a fee per session", one.place


def only_kwh_and_overstay(tariff: Tariff, seen: Map) -> Offences:
    """Anything beside the price per kWh but a fee for a car left standing."""
    yield from needs_kwh_price(tariff, seen)
    yield from no_session_fee(tariff, seen)
    yield from no_charging_time_fee(tariff, seen)


def price_changes_in_session(tariff: Tariff, seen: Map) -> Offences:
    """Two prices per kWh that one charge can meet."""
    prices = [one for one in seen.of(Dimension.ENERGY) if one.rest]
    changing = [
        one
        for one in prices
        if any(one.own[0][axis] != seen.everything[axis] for axis in CHANGES_IN_SESSION if axis)
        or any(box[0] != seen.everything[0] for box in one.own)
    ]
    values = {one.component.price for one in prices} | ({0} if seen.free[Dimension.ENERGY] else set())
    if changing and len(values) > 1:
        yield "the price per kWh can change in the course of a charge", changing[0].place


def component_order(tariff: Tariff, seen: Map) -> Offences:
    """Components that stand in another order than the law shows them."""
    first: dict[Dimension, Place] = {}
    for one in seen.priced:
        if one.restrictions.reservation is None:
            first.setdefault(one.component.dimension, one.place)
    found = sorted(first, key=lambda dimension: first[dimension])
    for before, after in itertools.pairwise(found):
        if ORDER.index(before) > ORDER.index(after):
            yield f"{after.value} stands after {before.value}", first[after]
            return


CHECKS: dict[str, Callable[[Tariff, Map], Offences]] = {
    "needs-kwh-price": needs_kwh_price,
    "only-kwh-and-occupancy": only_kwh_and_occupancy,
    "no-charging-time-fee": no_charging_time_fee,
    "no-session-fee": no_session_fee,
    "only-kwh-and-overstay": only_kwh_and_overstay,
    "price-changes-in-session": price_changes_in_session,
    "component-order": component_order,
}


def law(tariff: Tariff, seen: Map, where: Where) -> Iterator[Finding]:
    """Everything that rules of the country forbid. Where the EVSE's power is not known, a rule for some
    powers only warns."""
    for rule in rules():
        severity = _severity(rule, where)
        if severity is None:
            continue
        for offence, place in CHECKS[rule.kind](tariff, seen):
            yield Finding(
                severity=severity,
                rule=rule.rule_id,
                text=f"{offence}: {rule.text}",
                place=at_component(*place) if place else "elements",
                source=rule.source,
                certainty=rule.certainty,
            )


def _severity(rule: Rule, where: Where) -> Severity | None:
    """How bad an offence is there; None where the rule does not hold."""
    if where.power_w is not None:
        return rule.severity if rule.holds(where.country, where.day, where.power_w) else None
    if not rule.holds(where.country, where.day, rule.min_power_w):
        return None
    bounded = rule.min_power_w > 0 or rule.max_power_w is not None
    return Severity.WARNING if bounded and rule.severity is Severity.ERROR else rule.severity
