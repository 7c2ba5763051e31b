"""A session cut into segments inside which no restriction of the tariff changes.

The rule: inside a period every quantity flows evenly. A period is cut where the local clock reaches a time in
the tariff or is changed, where the session has lasted, charged or idled as long as a restriction says, and
where as much energy has flowed. Cutting a period anywhere else changes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from tapwatt.core.tariff import clock
from tapwatt.core.tariff.model import Tariff
from tapwatt.core.tariff.selection import MS_PER_S, WH_PER_KWH, Moment, clock_minutes, exact
from tapwatt.core.tariff.usage import MS_PER_HOUR, Exact, Period, UnableToReadUsage, Usage

CUTS_MAX = 5_000
"""A period is cut at so many places at most; a clock that restricts every minute of a month is no tariff."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a period with its share of each quantity, and what was true when it began."""

    started_ms: Exact
    ended_ms: Exact
    energy_wh: Exact
    charging_ms: Exact
    idle_ms: Exact
    reserved_ms: Exact
    at: Moment


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The values at which a restriction of a tariff may change."""

    minutes: tuple[int, ...]
    energy_wh: tuple[Exact, ...]
    passed_ms: tuple[int, ...]
    charging_ms: tuple[int, ...]
    idle_ms: tuple[int, ...]


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
    rules = [element.restrictions for element in tariff.elements]

    def values(*names: str) -> set[Decimal | int]:
        found = {getattr(rule, name) for rule in rules for name in names}
        return {value for value in found if value is not None}

    def ms(*names: str) -> tuple[int, ...]:
        return tuple(int(value) * MS_PER_S for value in values(*names))

    return Thresholds(
        minutes=clock_minutes(tariff),
        energy_wh=tuple(exact(value) * WH_PER_KWH for value in values("min_kwh", "max_kwh")),
        passed_ms=ms("min_duration_s", "max_duration_s"),
        charging_ms=ms("min_charging_s", "max_charging_s"),
        idle_ms=ms("min_idle_s", "max_idle_s"),
    )


def segments(tariff: Tariff, usage: Usage) -> Iterator[Segment]:
    """Cut a session. Raises `clock.UnknownTimeZone`."""
    limits, zone, count = thresholds(tariff), clock.zone_of(usage.time_zone), Count()
    for period in usage.periods:
        yield from cut(period, usage, limits, zone, count)
        count.add(period)


def _places(period: Period, usage: Usage, limits: Thresholds, zone: ZoneInfo, count: Count) -> list[Fraction]:
    """Where to cut: parts of the period between 0 and 1, in order."""
    wall_ms = period.ended_ms - period.started_ms
    found: set[Fraction] = set()
    if limits.minutes and wall_ms:
        moments = clock.boundaries(period.started_ms, period.ended_ms, limits.minutes, zone)
        found |= _parts(moments, period.started_ms, wall_ms)
    if limits.passed_ms and wall_ms:
        found |= _parts(limits.passed_ms, period.started_ms - usage.started_ms, wall_ms)
    if limits.energy_wh and period.energy_wh:
        found |= _parts(limits.energy_wh, count.energy_wh, exact(period.energy_wh))
    if limits.charging_ms and period.charging_ms:
        found |= _parts(limits.charging_ms, count.charging_ms, period.charging_ms)
    if limits.idle_ms and period.idle_ms:
        found |= _parts(limits.idle_ms, count.idle_ms, period.idle_ms)
    if len(found) > CUTS_MAX:
        raise UnableToReadUsage(f"a period would be cut at {len(found)} places, {CUTS_MAX} are allowed")
    return sorted(found)


def _parts(values: Iterable[Exact], start: Exact, length: Exact) -> set[Fraction]:
    return {Fraction(value - start) / length for value in values if start < value < start + length}


def cut(period: Period, usage: Usage, limits: Thresholds, zone: ZoneInfo, count: Count) -> Iterator[Segment]:
    """Cut one period; `count` is what was used before it."""
    places = _places(period, usage, limits, zone, count)
    energy_wh, wall_ms = exact(period.energy_wh), period.ended_ms - period.started_ms
    low_w, high_w = _power(period)
    edges: list[Exact] = [0, *places, 1]
    for begin, end in zip(edges, edges[1:], strict=False):
        share = end - begin
        started_ms = period.started_ms + wall_ms * begin
        yield Segment(
            started_ms=started_ms,
            ended_ms=period.started_ms + wall_ms * end,
            energy_wh=energy_wh * share,
            charging_ms=period.charging_ms * share,
            idle_ms=period.idle_ms * share,
            reserved_ms=period.reserved_ms * share,
            at=Moment(
                local=clock.local(int(started_ms), zone),
                energy_wh=count.energy_wh + energy_wh * begin,
                passed_ms=max(0, started_ms - usage.started_ms),
                charging_ms=count.charging_ms + period.charging_ms * begin,
                idle_ms=count.idle_ms + period.idle_ms * begin,
                min_power_w=low_w,
                max_power_w=high_w,
                min_current_a=_or_zero(period, period.min_current_a),
                max_current_a=_or_zero(period, period.max_current_a),
                evse_kind=usage.evse_kind,
                payment_brand=usage.payment_brand,
                payment_recognition=usage.payment_recognition,
            ),
        )


def _power(period: Period) -> tuple[Decimal | None, Decimal | None]:
    """Least and most power: as told, one for both where only one was told, else the mean."""
    low, high = period.min_power_w, period.max_power_w
    if low is None and high is None:
        over_ms = period.charging_ms or period.ended_ms - period.started_ms
        mean = period.energy_wh * MS_PER_HOUR / over_ms if over_ms else None
        return mean, mean
    return (high if low is None else low), (low if high is None else high)


def _or_zero(period: Period, current_a: Decimal | None) -> Decimal | None:
    """No current flows into a car that does not charge; one told value stands for both."""
    if current_a is not None:
        return current_a
    told = period.min_current_a if period.max_current_a is None else period.max_current_a
    return Decimal(0) if told is None and not period.energy_wh and not period.charging_ms else told
