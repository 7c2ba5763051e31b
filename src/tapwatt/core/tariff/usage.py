"""What a driver used, as a tariff sees it: periods of charging, idling or reservation, in order of time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

MS_PER_HOUR = 3_600_000
PERIODS_MAX = 10_000
LONGEST_MS = 366 * 24 * MS_PER_HOUR
Choose = Callable[[Decimal, Decimal], Decimal]
Exact = Fraction | int
"""A whole number where it is one, else a fraction: nothing is rounded inside a price calculation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of a session. Quantities are taken to flow evenly from its start to its end.

    Times are epoch milliseconds, energy is in watt-hours, durations are milliseconds. Power is in watts and
    current in amperes (sum over the phases): the least and the most within the period, None where unknown.
    """

    started_ms: int
    ended_ms: int
    energy_wh: Decimal = Decimal(0)
    charging_ms: int = 0
    idle_ms: int = 0
    reserved_ms: int = 0
    min_power_w: Decimal | None = None
    max_power_w: Decimal | None = None
    min_current_a: Decimal | None = None
    max_current_a: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is to be priced, and what the tariff may depend on besides: where it was and how it was paid.

    `time_zone` is an IANA name (that of the location, for clock times and dates); `evse_kind` is `AC` or
    `DC`. The session begins at `started_ms`, after any reservation.
    """

    started_ms: int
    periods: tuple[Period, ...] = ()
    time_zone: str = "UTC"
    evse_kind: str | None = None
    payment_brand: str | None = None
    payment_recognition: str | None = None

    @property
    def energy_wh(self) -> Decimal:
        """All energy."""
        return sum((period.energy_wh for period in self.periods), Decimal(0))

    @property
    def ended_ms(self) -> int:
        """When the last period ends."""
        return self.periods[-1].ended_ms if self.periods else self.started_ms


class UnableToReadUsage(ValueError):
    """The usage cannot have happened: which period, and why."""


def checked(usage: Usage) -> Usage:
    """The usage, if it could have happened. Raises UnableToReadUsage naming the period and the reason."""
    if len(usage.periods) > PERIODS_MAX:
        raise UnableToReadUsage(f"more than {PERIODS_MAX} periods")
    before_ms = None
    for place, period in enumerate(usage.periods):
        if before_ms is not None and period.started_ms < before_ms:
            raise UnableToReadUsage(f"period {place} begins before the one before it ends")
        if period.ended_ms < period.started_ms:
            raise UnableToReadUsage(f"period {place} ends before it begins")
        if period.ended_ms - usage.started_ms > LONGEST_MS:
            raise UnableToReadUsage(f"period {place} ends more than a year after the session began")
        if period.energy_wh < 0 or min(period.charging_ms, period.idle_ms, period.reserved_ms) < 0:
            raise UnableToReadUsage(f"period {place} has a negative quantity")
        before_ms = period.ended_ms
    return usage


def energy_only(energy_wh: int, *, started_ms: int = 0, ended_ms: int = 0, time_zone: str = "UTC") -> Usage:
    """An amount of energy that flowed evenly, charging all the time."""
    period = Period(
        started_ms=started_ms,
        ended_ms=ended_ms,
        energy_wh=Decimal(energy_wh),
        charging_ms=ended_ms - started_ms,
    )
    return Usage(started_ms=started_ms, periods=(period,), time_zone=time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A meter's running total at a moment, and whether the car was asking for power since the one before."""

    at_ms: int
    register_wh: int
    idle: bool = False


def stretch(before: Sample, after: Sample) -> Period:
    """The period between two samples. The rule where a tariff changes inside it: energy flows evenly between
    two samples, so each side of a boundary gets its share by time."""
    passed_ms = after.at_ms - before.at_ms
    energy_wh = after.register_wh - before.register_wh
    power_w = Decimal(energy_wh * MS_PER_HOUR) / passed_ms if passed_ms else None
    return Period(
        started_ms=before.at_ms,
        ended_ms=after.at_ms,
        energy_wh=Decimal(energy_wh),
        charging_ms=0 if after.idle else passed_ms,
        idle_ms=passed_ms if after.idle else 0,
        min_power_w=power_w,
        max_power_w=power_w,
    )


def from_samples(samples: Sequence[Sample], *, time_zone: str = "UTC", evse_kind: str | None = None) -> Usage:
    """Usage from meter samples in order of time. Raises UnableToReadUsage when time or register runs back."""
    if not samples:
        raise UnableToReadUsage("no sample")
    periods = tuple(stretch(before, after) for before, after in pairwise(samples))
    return checked(
        Usage(started_ms=samples[0].at_ms, periods=periods, time_zone=time_zone, evse_kind=evse_kind)
    )


def joined(first: Period, second: Period) -> Period:
    """Two periods that follow each other as one. Power and current keep their least and most."""
    return replace(
        first,
        ended_ms=second.ended_ms,
        energy_wh=first.energy_wh + second.energy_wh,
        charging_ms=first.charging_ms + second.charging_ms,
        idle_ms=first.idle_ms + second.idle_ms,
        reserved_ms=first.reserved_ms + second.reserved_ms,
        min_power_w=_both(min, first.min_power_w, second.min_power_w),
        max_power_w=_both(max, first.max_power_w, second.max_power_w),
        min_current_a=_both(min, first.min_current_a, second.min_current_a),
        max_current_a=_both(max, first.max_current_a, second.max_current_a),
    )


def _both(choose: Choose, first: Decimal | None, second: Decimal | None) -> Decimal | None:
    return None if first is None or second is None else choose(first, second)
