"""A session cut into segments inside which no restriction of the tariff changes.

The rule: inside a period every quantity flows evenly. A period is cut where the local clock reaches a time in
the tariff or is changed, where the session has lasted, charged or idled as long as a restriction says, and
where as much energy has flowed. Cutting a period anywhere else changes nothing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from tapwatt.core.tariff import clock
from tapwatt.core.tariff.model import ALWAYS, Restrictions, Tariff
from tapwatt.core.tariff.selection import MS_PER_S, WH_PER_KWH, Moment, clock_minutes, exact
from tapwatt.core.tariff.usage import MS_PER_HOUR, Exact, Period, UnableToReadUsage, Usage

CUTS_MAX = 20_000
"""A session's clock is looked at so many times at most; one that restricts every minute is no tariff."""
MS_PER_DAY = 24 * MS_PER_HOUR


@dataclass(slots=True)
class Segment:
    """A part of a period with its share of each quantity, and what was true when it began. `state` is the
    same for segments between which no restriction of the tariff can tell a difference."""

    started_ms: Exact
    ended_ms: Exact
    energy_wh: Exact
    charging_ms: Exact
    idle_ms: Exact
    reserved_ms: Exact
    at: Moment
    state: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The values at which a restriction of a tariff may change, in order."""

    minutes: tuple[int, ...] = ()
    energy_wh: tuple[Exact, ...] = ()
    passed_ms: tuple[int, ...] = ()
    charging_ms: tuple[int, ...] = ()
    idle_ms: tuple[int, ...] = ()
    power: bool = False
    current: bool = False

    def state(self, at: Moment, shown: int) -> tuple[object, ...]:
        """Between which thresholds a moment lies; `shown` says so for the clock."""
        return (
            shown,
            bisect_right(self.energy_wh, at.energy_wh),
            bisect_right(self.passed_ms, at.passed_ms),
            bisect_right(self.charging_ms, at.charging_ms),
            bisect_right(self.idle_ms, at.idle_ms),
            (at.min_power_w, at.max_power_w) if self.power else None,
            (at.min_current_a, at.max_current_a) if self.current else None,
        )


NO_THRESHOLDS = Thresholds()


@dataclass(slots=True)
class Count:
    """What has been used up to a period."""

    energy_wh: Exact = 0
    charging_ms: int = 0
    idle_ms: int = 0

    def add(self, period: Period) -> None:
        """Go past a period."""
        self.energy_wh += exact(period.energy_wh)
        self.charging_ms += period.charging_ms
        self.idle_ms += period.idle_ms


def thresholds(tariff: Tariff) -> Thresholds:
    """Collect them from all elements."""
    rules = [one.restrictions for one in tariff.elements if one.restrictions is not ALWAYS]
    if not rules:
        return NO_THRESHOLDS
    return Thresholds(
        minutes=clock_minutes(tariff),
        energy_wh=_sorted(exact(value) * WH_PER_KWH for value in _given(rules, "min_kwh", "max_kwh")),
        passed_ms=_ms(rules, "min_duration_s", "max_duration_s"),
        charging_ms=_ms(rules, "min_charging_s", "max_charging_s"),
        idle_ms=_ms(rules, "min_idle_s", "max_idle_s"),
        power=bool(_given(rules, "min_power_kw", "max_power_kw")),
        current=bool(_given(rules, "min_current_a", "max_current_a")),
    )


def _given(rules: Sequence[Restrictions], *names: str) -> set[Decimal | int]:
    found = {getattr(rule, name) for rule in rules for name in names}
    return found - {None}


def _ms(rules: Sequence[Restrictions], *names: str) -> tuple[int, ...]:
    return tuple(sorted(int(value) * MS_PER_S for value in _given(rules, *names)))


def _sorted(values: Iterable[Exact]) -> tuple[Exact, ...]:
    return tuple(sorted(values))


class Clock:
    """What the station's clock shows in a stretch of time, looked up only where it matters to the tariff."""

    def __init__(self, limits: Thresholds, zone: ZoneInfo, started_ms: int, ended_ms: int) -> None:
        """Find the moments at which a restriction on the clock may change. Raises UnableToReadUsage when
        there are too many."""
        self.matters = bool(limits.minutes)
        self.zone = zone
        self.moments: list[int] = []
        self.shown: dict[int, datetime] = {}
        if not self.matters:
            return
        days = (ended_ms - started_ms) // MS_PER_DAY + 2
        if days * len(limits.minutes) > CUTS_MAX:
            raise UnableToReadUsage(f"the tariff's clock times would cut it at more than {CUTS_MAX} places")
        self.moments = sorted(set(clock.boundaries(started_ms, ended_ms, limits.minutes, zone)))

    def within(self, started_ms: int, ended_ms: int) -> list[int]:
        """The moments inside a period, its start and end excluded."""
        return self.moments[bisect_right(self.moments, started_ms) : bisect_left(self.moments, ended_ms)]

    def at(self, at_ms: int) -> tuple[int, datetime]:
        """What it shows, as far as a restriction can tell: the same from one moment to the next, which are
        counted."""
        if not self.matters:
            return 0, clock.EPOCH
        place = bisect_right(self.moments, at_ms)
        shown = self.shown.get(place)
        if shown is None:
            shown = self.shown[place] = clock.local(at_ms, self.zone)
        return place, shown


def segments(tariff: Tariff, usage: Usage) -> Iterator[Segment]:
    """Cut a session. Raises `clock.UnknownTimeZone`, and UnableToReadUsage where a clock would cut too often.

    A period in which nothing was used and no time passed is left out, unless there is no other.
    """
    if not usage.periods:
        return
    limits, zone, count = thresholds(tariff), clock.zone_of(usage.time_zone), Count()
    shown = Clock(limits, zone, usage.periods[0].started_ms, usage.ended_ms)
    some = [period for period in usage.periods if _is_something(period)]
    for period in some or usage.periods[:1]:
        yield from _cut(period, exact(period.energy_wh), usage, limits, shown, count)
        count.add(period)


def cut(period: Period, usage: Usage, limits: Thresholds, zone: ZoneInfo, count: Count) -> Iterator[Segment]:
    """Cut one period; `count` is what was used before it."""
    shown = Clock(limits, zone, period.started_ms, period.ended_ms)
    return _cut(period, exact(period.energy_wh), usage, limits, shown, count)


def _is_something(period: Period) -> bool:
    return bool(
        period.ended_ms > period.started_ms
        or period.energy_wh
        or period.charging_ms
        or period.idle_ms
        or period.reserved_ms
    )


def _cut(
    period: Period, energy_wh: Exact, usage: Usage, limits: Thresholds, shown: Clock, count: Count
) -> Iterator[Segment]:
    wall_ms = period.ended_ms - period.started_ms
    low_w, high_w = _power(period, energy_wh) if limits.power else (None, None)
    low_a, high_a = _current(period) if limits.current else (None, None)
    places = () if limits is NO_THRESHOLDS else _places(period, energy_wh, usage, limits, shown, count)
    edges: Sequence[Exact] = (0, *places, 1)
    for begin, end in pairwise(edges):
        share = end - begin
        started_ms = period.started_ms + wall_ms * begin
        place, local = shown.at(int(started_ms))
        at = Moment(
            local,
            count.energy_wh + energy_wh * begin,
            max(0, started_ms - usage.started_ms),
            count.charging_ms + period.charging_ms * begin,
            count.idle_ms + period.idle_ms * begin,
            low_w,
            high_w,
            low_a,
            high_a,
            usage.evse_kind,
            usage.payment_brand,
            usage.payment_recognition,
        )
        yield Segment(
            started_ms,
            period.started_ms + wall_ms * end,
            energy_wh * share,
            period.charging_ms * share,
            period.idle_ms * share,
            period.reserved_ms * share,
            at,
            limits.state(at, place),
        )


def _places(
    period: Period, energy_wh: Exact, usage: Usage, limits: Thresholds, shown: Clock, count: Count
) -> Sequence[Fraction]:
    """Where to cut: parts of the period between 0 and 1, in order."""
    wall_ms = period.ended_ms - period.started_ms
    found: list[Fraction] = []
    if shown.matters:
        found += _parts(shown.within(period.started_ms, period.ended_ms), period.started_ms, wall_ms)
    if limits.passed_ms:
        found += _parts(limits.passed_ms, period.started_ms - usage.started_ms, wall_ms)
    if limits.energy_wh:
        found += _parts(limits.energy_wh, count.energy_wh, energy_wh)
    if limits.charging_ms:
        found += _parts(limits.charging_ms, count.charging_ms, period.charging_ms)
    if limits.idle_ms:
        found += _parts(limits.idle_ms, count.idle_ms, period.idle_ms)
    return sorted(set(found)) if len(found) > 1 else found


def _parts(values: Sequence[Exact], start: Exact, length: Exact) -> list[Fraction]:
    """The values of an ordered list that lie inside a stretch, as parts of it."""
    if not values or not length:
        return []
    inside = values[bisect_right(values, start) : bisect_left(values, start + length)]
    return [Fraction(value - start) / length for value in inside]


def _power(period: Period, energy_wh: Exact) -> tuple[Exact | None, Exact | None]:
    """Least and most power: as told, one for both where only one was told, else the mean."""
    low, high = period.min_power_w, period.max_power_w
    if low is None and high is None:
        over_ms = period.charging_ms or period.ended_ms - period.started_ms
        mean = Fraction(energy_wh * MS_PER_HOUR) / over_ms if over_ms else None
        return mean, mean
    least, most = (high if low is None else low), (low if high is None else high)
    return (None if least is None else exact(least)), (None if most is None else exact(most))


def _current(period: Period) -> tuple[Decimal | None, Decimal | None]:
    """Least and most current, one for both where only one was told; none flows into a car that does not
    charge."""
    low, high = period.min_current_a, period.max_current_a
    if low is None and high is None and not period.energy_wh and not period.charging_ms:
        return Decimal(0), Decimal(0)
    return (high if low is None else low), (low if high is None else high)
