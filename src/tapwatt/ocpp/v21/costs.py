"""A bill as OCPP 2.1 costDetails: what a station tells that it worked out itself.

Spec: OCPP 2.1 Part 2, I12 and CostDetailsType; errata 2025-09: charging periods only when the session ended.

Certain: parts and total before and after tax; where the minimum applies it replaces the cost (I12.FR.38), and
all of it is `fixed`; where the maximum is reached the cost stands still (I12.FR.39).

Not certain:
- How a total is rounded. What is reported has the full resolution (six places), and is rounded like the bill
  by whoever charges it; only where lines or coins are rounded it is the bill's own total.
- The parts at the maximum depend on when a station looked; only the total is told then.
- `totalUsage.chargingTime`: its note says the whole session, I12.FR.10 the time that chargingTime prices.
  Here it is the latter. Energy is in Wh: the note of the dimension says both "Wh" and "kilowatt-hours".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from tapwatt.core.bill import Basis, Bill, Line
from tapwatt.core.money import to_major
from tapwatt.core.tariff.model import Dimension, Element, Tariff
from tapwatt.core.tariff.segments import Segment, segments
from tapwatt.core.tariff.usage import Usage
from tapwatt.ocpp.mend import UnableToWrite
from tapwatt.ocpp.timestamps import write_time
from tapwatt.ocpp.v21 import wire
from tapwatt.ocpp.v21.numbers import encoded, rounded

MS_PER_S: Final = 1000
PARTS_OF_COST: Final = (
    "fixed",
    "energy",
    "charging_time",
    "idle_time",
    "reservation_time",
    "reservation_fixed",
)
ADJUSTMENTS: Final = ("minimum", "maximum")
_PARTS: Final = {"energy": "energy", "time": "charging_time", "parking": "idle_time", "flat": "fixed"}
TypeOfCost = Literal["NormalCost", "MinCost", "MaxCost"]


def write(bill: Bill, usage: Usage, tariff: Tariff, *, ended: bool = True) -> bytes:
    """CostDetailsType as JSON text; with charging periods once the session ended. Raises UnableToWrite for a
    bill that was changed after pricing, which costDetails cannot say."""
    return encoded(
        wire.CostDetails(
            total_cost=_total_cost(bill, tariff),
            total_usage=_total_usage(usage),
            charging_periods=tuple(_periods(usage, tariff)) or None if ended else None,
        )
    )


def type_of_cost(bill: Bill, tariff: Tariff) -> TypeOfCost:
    """Whether a limit of the tariff decided."""
    limits = tariff.limits
    for most, cost in ((limits.max_net, bill.exact_net), (limits.max_gross, bill.exact_gross)):
        if most is not None and cost >= most:
            return "MaxCost"
    return "MinCost" if any(line.dimension == "minimum" for line in bill.lines) else "NormalCost"


def parts(bill: Bill) -> dict[str, tuple[Decimal, Decimal]]:
    """Exact net and gross of each part of the cost that was priced. Raises UnableToWrite."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for line in bill.lines:
        if line.dimension not in ADJUSTMENTS:
            part = _part(line)
            net, gross = found.get(part, (Decimal(0), Decimal(0)))
            found[part] = (net + line.net, gross + line.gross)
    return found


def _part(line: Line) -> str:
    if line.dimension == "reservation":
        return "reservation_fixed" if line.unit == "session" else "reservation_time"
    if line.dimension not in _PARTS:
        raise UnableToWrite(f"costDetails have no place for the line {line.dimension!r} of the bill")
    return _PARTS[line.dimension]


def _total_cost(bill: Bill, tariff: Tariff) -> wire.TotalCost:
    kind, found = type_of_cost(bill, tariff), parts(bill)
    total = _amount(*_total(bill))
    shown = {name: _amount(*found[name]) for name in found} if kind == "NormalCost" else {}
    if kind == "MinCost":
        shown = {"fixed": total}
    return wire.TotalCost(currency=bill.currency, type_of_cost=kind, total=total, **shown)


def _total(bill: Bill) -> tuple[Decimal, Decimal]:
    if bill.rounding.basis is Basis.TOTAL and bill.rounding.cash_step_minor == 1:
        return bill.exact_net, bill.exact_gross
    return (
        to_major(bill.net_minor, currency=bill.currency),
        to_major(bill.gross_minor, currency=bill.currency),
    )


def _amount(net: Decimal, gross: Decimal) -> wire.Amount:
    return wire.Amount(excl_tax=rounded(net), incl_tax=rounded(gross))


def _total_usage(usage: Usage) -> wire.TotalUsage:
    reserved_ms = sum(period.reserved_ms for period in usage.periods)
    return wire.TotalUsage(
        energy=rounded(usage.energy_wh),
        charging_time=_seconds(sum(period.charging_ms for period in usage.periods), places=0),
        idle_time=_seconds(sum(period.idle_ms for period in usage.periods), places=0),
        reservation_time=_seconds(reserved_ms, places=0) if reserved_ms else None,
    )


def _periods(usage: Usage, tariff: Tariff) -> Iterator[wire.ChargingPeriod]:
    """A period wherever something changes that a price may depend on: at least as often as I12.FR.35 asks.
    Reserved time is none of the session's, and fixed fees are looked at once. Power is told where a price
    depends on it."""
    running = replace(tariff, elements=tuple(_without_fees(tariff)))
    for segment in segments(running, usage):
        if segment.energy_wh or segment.charging_ms or segment.idle_ms or not segment.reserved_ms:
            yield wire.ChargingPeriod(
                start_period=write_time(int(segment.started_ms)),
                tariff_id=tariff.tariff_id,
                dimensions=tuple(_dimensions(segment)),
            )


def _without_fees(tariff: Tariff) -> Iterator[Element]:
    for element in tariff.elements:
        kept = tuple(one for one in element.components if one.dimension is not Dimension.FLAT)
        if kept:
            yield replace(element, components=kept)


def _dimensions(segment: Segment) -> Iterator[wire.CostDimension]:
    at = segment.at
    values = {
        "Energy": segment.energy_wh,
        "ChargingTime": _seconds(segment.charging_ms),
        "IdleTIme": _seconds(segment.idle_ms),
        "MinPower": at.min_power_w,
        "MaxPower": at.max_power_w,
        "MinCurrent": at.min_current_a,
        "MaxCurrent": at.max_current_a,
    }
    for name, volume in values.items():
        if volume is not None:
            yield wire.CostDimension(type=name, volume=rounded(volume))


def _seconds(ms: Fraction | int, *, places: int = 6) -> Decimal:
    return rounded(Fraction(ms) / MS_PER_S, places)
