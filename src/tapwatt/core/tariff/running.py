"""The cost while a charge runs: how much so far, and when it will reach a limit.

The cost so far leaves out what only the end can add (steps filled up, the least price of a session), so it
never falls and never stands above the final bill. What is due if the charge ended now has them in, save the
least price, which is owed however early a charge ends.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from tapwatt.core.bill import PER_TOTAL, Bill, Rounding, decimal_of
from tapwatt.core.money import to_major
from tapwatt.core.tariff.model import Dimension, Tariff
from tapwatt.core.tariff.pricing import Account, Rules, amounts, billed, tax_factor, used
from tapwatt.core.tariff.segments import Segment, segments
from tapwatt.core.tariff.selection import WH_PER_KWH, exact
from tapwatt.core.tariff.steps import stepped
from tapwatt.core.tariff.usage import MS_PER_HOUR, Period, Usage

HORIZON_MS = 48 * MS_PER_HOUR
"""How far ahead a limit is looked for; no charge may take longer."""
S_PER_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """When the cost reaches a limit if the charge goes on like this: how much later, and the session's energy
    by then."""

    after_ms: int
    energy_wh: int


def cost_so_far(tariff: Tariff, usage: Usage, rounding: Rounding = PER_TOTAL) -> Bill:
    """The bill of what was used up to now, without what only the end can add."""
    return billed(_steady(tariff), used(tariff, usage), rounding, least=False)


def exhausts(tariff: Tariff, usage: Usage, *, limit_minor: int, power_w: int) -> bool:
    """Whether this usage costs as much as a limit, or more than it once its last step is filled up. What is
    free exhausts nothing."""
    limit = to_major(limit_minor, currency=tariff.currency)
    account = used(tariff, usage)
    cost = _gross(tariff, account)
    if cost >= limit:
        return cost > 0 or reach(tariff, usage, limit_minor=1, power_w=power_w or 1) is not None
    stepped(list(account.priced.values()), account.last)
    return _gross(tariff, account) > limit


def going_on(usage: Usage, *, for_ms: int, power_w: int) -> Usage:
    """The usage if the charge goes on for a while at this power."""
    energy_wh = Decimal(power_w * for_ms) / MS_PER_HOUR
    more = Period(
        started_ms=usage.ended_ms,
        ended_ms=usage.ended_ms + for_ms,
        energy_wh=energy_wh,
        charging_ms=for_ms,
        min_power_w=Decimal(power_w),
        max_power_w=Decimal(power_w),
    )
    return replace(usage, periods=(*usage.periods, more))


def reach(tariff: Tariff, usage: Usage, *, limit_minor: int, power_w: int) -> Reach | None:
    """When a charge that goes on at this power reaches a limit; None when it does not in two days.

    Early rather than late: what filling up a step may add at most is kept free.
    """
    limit = Fraction(to_major(limit_minor, currency=tariff.currency)) - _fill(tariff)
    ahead = going_on(usage, for_ms=HORIZON_MS, power_w=power_w)
    account, rules = Account(), Rules(tariff, expired=False)
    now_ms = usage.ended_ms
    for segment in segments(tariff, ahead):
        future = segment.ended_ms > now_ms
        before = _sums(tariff, account)[1] if future else Fraction(0)
        rules.charge(account, segment)
        if future and _gross(tariff, account) >= limit:
            after = _sums(tariff, account)[1]
            return _inside(segment, before=before, after=after, limit=limit, now_ms=now_ms)
    return None


def _inside(segment: Segment, *, before: Fraction, after: Fraction, limit: Fraction, now_ms: int) -> Reach:
    share = (limit - before) / (after - before) if after > before else Fraction(0)
    share = min(max(share, Fraction(0)), Fraction(1))
    at_ms = segment.started_ms + (segment.ended_ms - segment.started_ms) * share
    energy_wh = segment.at.energy_wh + segment.energy_wh * share
    return Reach(after_ms=max(0, int(at_ms) - now_ms), energy_wh=int(energy_wh))


def _gross(tariff: Tariff, account: Account) -> Fraction:
    """Exact gross within the highest price of a session."""
    net, gross = _sums(tariff, account)
    most_net, most_gross = tariff.limits.max_net, tariff.limits.max_gross
    if most_gross is not None:
        return min(gross, Fraction(most_gross))
    if most_net is None or net <= Fraction(most_net):
        return gross
    return Fraction(most_net) * gross / net


def _steady(tariff: Tariff) -> Tariff:
    """The tariff with a highest price after tax wherever it has one before tax. A final bill takes that tax
    in the proportion of what was used, which moves while a charge runs; up to then the lowest tax counts."""
    limits = tariff.limits
    if limits.max_net is None or limits.max_gross is not None:
        return tariff
    least = min(tax_factor(tariff, one) for element in tariff.elements for one in element.components)
    most = decimal_of(Fraction(limits.max_net) * least)
    return replace(tariff, limits=replace(limits, max_gross=most))


def _sums(tariff: Tariff, account: Account) -> tuple[Fraction, Fraction]:
    """Exact net and gross before any limit: inside a segment they grow evenly."""
    sums = [amounts(tariff, one) for one in account.priced.values()]
    return sum((each[0] for each in sums), Fraction(0)), sum((each[1] for each in sums), Fraction(0))


def _fill(tariff: Tariff) -> Fraction:
    """The most that filling up steps can add: one step of energy and one of time at their highest prices."""
    most = {Dimension.ENERGY: Fraction(0), Dimension.TIME: Fraction(0)}
    for element in tariff.elements:
        for component in element.components:
            if component.dimension is Dimension.FLAT or component.step_size <= 1:
                continue
            energy = component.dimension is Dimension.ENERGY
            step = Fraction(component.step_size, WH_PER_KWH if energy else S_PER_HOUR)
            added = step * exact(component.price) * tax_factor(tariff, component)
            kind = Dimension.ENERGY if energy else Dimension.TIME
            most[kind] = max(most[kind], added)
    return sum(most.values(), Fraction(0))
