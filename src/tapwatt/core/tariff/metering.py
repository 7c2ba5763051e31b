"""Usage as it grows: a charge's periods are kept only where the tariff changes, not one for each reading.

Two periods that follow each other are joined when the same components price both from end to end. Then the
joined period costs exactly what the two cost, whatever comes later, and a session of a day is a handful of
periods instead of thousands of readings.
"""

from dataclasses import replace

from tapwatt.core.tariff.clock import zone_of
from tapwatt.core.tariff.model import ALWAYS, Dimension, Tariff
from tapwatt.core.tariff.segments import Count, cut, thresholds
from tapwatt.core.tariff.selection import candidates, first_match
from tapwatt.core.tariff.usage import Period, Usage, joined

KEPT_MAX = 400
"""So many periods of one session are kept; from then on the last one grows, and the bill is in doubt."""


def grown(tariff: Tariff, usage: Usage, period: Period) -> Usage:
    """The usage with one more period at its end."""
    if not usage.periods:
        return replace(usage, periods=(period,))
    last = usage.periods[-1]
    full = len(usage.periods) >= KEPT_MAX
    if full or (last.ended_ms == period.started_ms and _alike(tariff, usage, last, period)):
        return replace(usage, periods=(*usage.periods[:-1], joined(last, period)))
    return replace(usage, periods=(*usage.periods, period))


def is_full(usage: Usage) -> bool:
    """Whether no more periods are kept: then prices that change with power or time may be a little off."""
    return len(usage.periods) >= KEPT_MAX


def _alike(tariff: Tariff, usage: Usage, last: Period, period: Period) -> bool:
    if _activity(last) != _activity(period):
        return False
    if all(element.restrictions == ALWAYS for element in tariff.elements):
        return True
    before = Count()
    for earlier in usage.periods[:-1]:
        before.add(earlier)
    first = _in_force(tariff, usage, last, before)
    before.add(last)
    return first is not None and first == _in_force(tariff, usage, period, before)


def _activity(period: Period) -> tuple[bool, bool]:
    return period.charging_ms > 0, period.idle_ms > 0


def _in_force(tariff: Tariff, usage: Usage, period: Period, count: Count) -> tuple[int | None, ...] | None:
    """The elements that price a period, by dimension; None when they change inside it."""
    lists = [candidates(tariff, dimension) for dimension in Dimension]
    found = None
    for segment in cut(period, usage, thresholds(tariff), zone_of(usage.time_zone), count):
        chosen = tuple(match.element if (match := first_match(one, segment.at)) else None for one in lists)
        if found is not None and chosen != found:
            return None
        found = chosen
    return found
