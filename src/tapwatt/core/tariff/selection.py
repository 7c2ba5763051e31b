"""Which component of a tariff sets the price of a dimension at a moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter

from tapwatt.core.tariff.model import ALWAYS, Component, Dimension, Reservation, Restrictions, Tariff
from tapwatt.core.tariff.usage import Exact

END_OF_DAY = 24 * 60
MS_PER_S = 1000
WH_PER_KWH = 1000
W_PER_KW = 1000


@dataclass(slots=True)
class Moment:
    """Everything that a restriction can ask about: counted from the session's start up to here. `local` is
    what the station's clock shows, or anything where no restriction looks at the clock."""

    local: datetime
    energy_wh: Exact
    passed_ms: Exact
    charging_ms: Exact
    idle_ms: Exact
    min_power_w: Exact | Decimal | None
    max_power_w: Exact | Decimal | None
    min_current_a: Decimal | None
    max_current_a: Decimal | None
    evse_kind: str | None
    payment_brand: str | None
    payment_recognition: str | None


Test = Callable[[Moment], bool]
"""One restriction, made ready to be asked many times."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A component with its place in the tariff, and its restrictions made ready."""

    element: int
    component: Component
    restrictions: Restrictions
    tests: tuple[Test, ...] = field(default=(), compare=False)


Kind = tuple[Dimension, Reservation | None]


def by_kind(tariff: Tariff) -> dict[Kind, tuple[Candidate, ...]]:
    """The components of each dimension in the tariff's order, those of charging and of each kind of
    reservation apart. Those after one that always matches are left out, as they never have a say."""
    found: dict[Kind, list[Candidate]] = {}
    settled: set[Kind] = set()
    for place, element in enumerate(tariff.elements):
        rules = element.restrictions
        made = tests(rules)
        for component in element.components:
            kind = (component.dimension, rules.reservation)
            if kind not in settled:
                found.setdefault(kind, []).append(Candidate(place, component, rules, made))
                if not made:
                    settled.add(kind)
    return {kind: tuple(of) for kind, of in found.items()}


def candidates(
    tariff: Tariff, dimension: Dimension, reservation: Reservation | None = None
) -> tuple[Candidate, ...]:
    """The components of one dimension, of charging or of a kind of reservation."""
    return by_kind(tariff).get((dimension, reservation), ())


def first_match(of: tuple[Candidate, ...], at: Moment) -> Candidate | None:
    """The component in force; None when the dimension is free at this moment."""
    for candidate in of:
        for test in candidate.tests:
            if not test(at):
                break
        else:
            return candidate
    return None


def tests(rules: Restrictions) -> tuple[Test, ...]:
    """The restrictions that are given."""
    return () if rules is ALWAYS else tuple(_tests(rules))


def _tests(rules: Restrictions) -> Iterator[Test]:
    yield from _clock(rules)
    if rules.min_kwh is not None or rules.max_kwh is not None:
        yield _within("energy_wh", "energy_wh", rules.min_kwh, rules.max_kwh, WH_PER_KWH)
    for name, least, most in (
        ("passed_ms", rules.min_duration_s, rules.max_duration_s),
        ("charging_ms", rules.min_charging_s, rules.max_charging_s),
        ("idle_ms", rules.min_idle_s, rules.max_idle_s),
    ):
        if least is not None or most is not None:
            yield _within(name, name, least, most, MS_PER_S)
    if rules.min_power_kw is not None or rules.max_power_kw is not None:
        yield _within("min_power_w", "max_power_w", rules.min_power_kw, rules.max_power_kw, W_PER_KW)
    if rules.min_current_a is not None or rules.max_current_a is not None:
        yield _within("min_current_a", "max_current_a", rules.min_current_a, rules.max_current_a, 1)
    for name, wanted in (
        ("evse_kind", rules.evse_kind),
        ("payment_brand", rules.payment_brand),
        ("payment_recognition", rules.payment_recognition),
    ):
        if wanted is not None:
            yield _is(name, wanted)


def _clock(rules: Restrictions) -> Iterator[Test]:
    since, until, days = rules.start_date, rules.end_date, rules.weekdays
    if since is not None:
        yield lambda at: at.local.date() >= since
    if until is not None:
        yield lambda at: at.local.date() < until
    if days:
        yield lambda at: at.local.weekday() in days
    if rules.start_minute is None and rules.end_minute is None:
        return
    start, end = rules.start_minute or 0, rules.end_minute or END_OF_DAY
    if start < end:
        yield lambda at: start <= at.local.hour * 60 + at.local.minute < end
    else:
        yield lambda at: not end <= at.local.hour * 60 + at.local.minute < start


def _within(low: str, high: str, least: Decimal | int | None, most: Decimal | int | None, unit: int) -> Test:
    """Whether all of a value lies within, its end excluded; what is not known does not."""
    bottom = None if least is None else exact(least) * unit
    top = None if most is None else exact(most) * unit
    lowest, highest = attrgetter(low), attrgetter(high)

    def holds(at: Moment) -> bool:
        if bottom is not None:
            value = lowest(at)
            if value is None or value < bottom:
                return False
        if top is None:
            return True
        value = highest(at)
        return value is not None and value < top

    return holds


def _is(name: str, wanted: str) -> Test:
    told = attrgetter(name)
    return lambda at: told(at) == wanted


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
