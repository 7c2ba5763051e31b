"""Which component of a tariff sets the price of a dimension at a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from tapwatt.core.tariff.model import Component, Dimension, Reservation, Restrictions, Tariff
from tapwatt.core.tariff.usage import Exact

END_OF_DAY = 24 * 60
MS_PER_S = 1000
WH_PER_KWH = 1000
W_PER_KW = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything that a restriction can ask about: counted from the session's start up to here."""

    local: datetime
    energy_wh: Exact
    passed_ms: Exact
    charging_ms: Exact
    idle_ms: Exact
    min_power_w: Decimal | None
    max_power_w: Decimal | None
    min_current_a: Decimal | None
    max_current_a: Decimal | None
    evse_kind: str | None
    payment_brand: str | None
    payment_recognition: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A component with its place in the tariff."""

    element: int
    component: Component
    restrictions: Restrictions


def candidates(
    tariff: Tariff, dimension: Dimension, reservation: Reservation | None = None
) -> tuple[Candidate, ...]:
    """The components of a dimension in the tariff's order: of charging, or of a kind of reservation."""
    return tuple(
        Candidate(place, component, element.restrictions)
        for place, element in enumerate(tariff.elements)
        if element.restrictions.reservation is reservation
        for component in element.components
        if component.dimension is dimension
    )


def first_match(of: tuple[Candidate, ...], at: Moment) -> Candidate | None:
    """The component in force; None when the dimension is free at this moment."""
    for candidate in of:
        if matches(candidate.restrictions, at):
            return candidate
    return None


def matches(restrictions: Restrictions, at: Moment) -> bool:
    """Whether every restriction holds at this moment."""
    return (
        _clock(restrictions, at.local)
        and _within(restrictions.min_kwh, restrictions.max_kwh, at.energy_wh, WH_PER_KWH)
        and _within(restrictions.min_duration_s, restrictions.max_duration_s, at.passed_ms, MS_PER_S)
        and _within(restrictions.min_charging_s, restrictions.max_charging_s, at.charging_ms, MS_PER_S)
        and _within(restrictions.min_idle_s, restrictions.max_idle_s, at.idle_ms, MS_PER_S)
        and _between(
            restrictions.min_power_kw, restrictions.max_power_kw, at.min_power_w, at.max_power_w, W_PER_KW
        )
        and _between(
            restrictions.min_current_a, restrictions.max_current_a, at.min_current_a, at.max_current_a, 1
        )
        and restrictions.evse_kind in (None, at.evse_kind)
        and restrictions.payment_brand in (None, at.payment_brand)
        and restrictions.payment_recognition in (None, at.payment_recognition)
    )


def _clock(restrictions: Restrictions, local: datetime) -> bool:
    day = local.date()
    if restrictions.start_date is not None and day < restrictions.start_date:
        return False
    if restrictions.end_date is not None and day >= restrictions.end_date:
        return False
    if restrictions.weekdays and day.weekday() not in restrictions.weekdays:
        return False
    start, end = restrictions.start_minute, restrictions.end_minute
    if start is None and end is None:
        return True
    minute = local.hour * 60 + local.minute
    since, until = start or 0, end or END_OF_DAY
    if since < until:
        return since <= minute < until
    return minute >= since or minute < until


def _within(least: Decimal | int | None, most: Decimal | int | None, value: Exact, unit: int) -> bool:
    if least is not None and value < exact(least) * unit:
        return False
    return most is None or value < exact(most) * unit


def _between(
    least: Decimal | None, most: Decimal | None, low: Decimal | None, high: Decimal | None, unit: int
) -> bool:
    """Whether all of a period lies within; what is not known does not."""
    if least is not None and (low is None or low < least * unit):
        return False
    return most is None or (high is not None and high < most * unit)


def exact(value: Decimal | int) -> Exact:
    """A decimal as a whole number or a fraction."""
    if isinstance(value, int):
        return value
    top, bottom = value.as_integer_ratio()
    return top if bottom == 1 else Fraction(top, bottom)


def clock_minutes(tariff: Tariff) -> tuple[int, ...]:
    """The minutes of the day at which a restriction may change; empty when the clock does not matter."""
    return tuple(sorted({minute for one in tariff.elements for minute in _minutes(one.restrictions)}))


def _minutes(restrictions: Restrictions) -> Iterator[int]:
    times = (restrictions.start_minute, restrictions.end_minute)
    if restrictions.weekdays or restrictions.start_date or restrictions.end_date or any(times):
        yield 0
    yield from (minute for minute in times if minute is not None)
