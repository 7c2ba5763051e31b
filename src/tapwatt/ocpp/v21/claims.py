"""What a station says a session cost, worked out again: agreement, or every difference by name.

Spec: OCPP 2.1 Part 2, I12 and CostDetailsType. A station's figures are its claim; the bill is ours. A figure
agrees when it is the same number of minor units, or within a hundredth of one of the exact cost (six decimals
cut off here, a float there); a cent is a difference.

Units are read as Wh and seconds (ChargingPeriodType). Some stations tell kWh and minutes there although
totalUsage has Wh and seconds; where totalUsage shows that, it is believed and remarked on. Of the two
readings of `totalUsage.chargingTime`, with and without idle time, either is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from tapwatt.core.bill import PER_TOTAL, Bill, Rounding
from tapwatt.core.money import decimals, round_to_minor
from tapwatt.core.tariff.model import Dimension, Element, Tariff
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.usage import Period, UnableToReadUsage, Usage, checked
from tapwatt.ocpp.mend import UnableToRead
from tapwatt.ocpp.timestamps import read_time
from tapwatt.ocpp.v21 import wire
from tapwatt.ocpp.v21.conditions import AT_START_S, depends_on_course
from tapwatt.ocpp.v21.costs import MS_PER_S, PARTS_OF_COST, parts, type_of_cost
from tapwatt.ocpp.v21.numbers import refused, reported, rounded
from tapwatt.ocpp.v21.wire import camel
from tapwatt.rpc.messages import Fault

NOISE: Final = Decimal("0.01")
"""Of a minor unit."""
SCALES: Final = {"energy": 1000, "chargingtime": 60, "idletime": 60}
"""Dimensions that some stations tell in a larger unit: by how much it is larger."""
_decoder = msgspec.json.Decoder(wire.CostDetails)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What costDetails do not say: when the transaction ran (epoch ms), where, and how it was paid."""

    started_ms: int
    ended_ms: int
    time_zone: str = "UTC"
    evse_kind: str | None = None
    payment_brand: str | None = None
    payment_recognition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of costDetails that is not as we have it."""

    field: str
    theirs: Decimal | str | None
    ours: Decimal | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A station's costDetails worked out again. Without a bill there was nothing to work with: `reason`."""

    bill: Bill | None
    differences: tuple[Difference, ...] = ()
    remarks: tuple[str, ...] = ()
    reason: str = ""
    """Why the figures could not be compared: the station failed, or did not say enough."""

    @property
    def agrees(self) -> bool:
        """Whether the station and we ask for the same."""
        return self.bill is not None and not self.differences and not self.reason


@dataclass(slots=True)
class Findings:
    """What is noticed on the way."""

    differences: list[Difference] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read(document: bytes | str) -> wire.CostDetails:
    """CostDetailsType from JSON text. Raises UnableToRead, which names the JSON path and the reason."""
    try:
        return _decoder.decode(document)
    except msgspec.ValidationError as wrong:
        raise UnableToRead(Fault.PROPERTY_CONSTRAINT_VIOLATION, f"{wrong}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise UnableToRead(Fault.FORMATION_VIOLATION, "$: not JSON") from None


def check(
    claim: wire.CostDetails, tariff: Tariff, of: Circumstances, rounding: Rounding = PER_TOTAL
) -> Checked:
    """Price what the station measured and compare. Raises `clock.UnknownTimeZone`."""
    found = Findings()
    try:
        bill = price(tariff, usage_of(claim, tariff, of, found), rounding)
    except (UnableToRead, UnableToReadUsage) as problem:
        reason = _failure(claim) or str(problem)
        return Checked(bill=None, remarks=tuple(found.remarks), reason=reason)
    if reason := _failure(claim):
        return Checked(bill=bill, remarks=tuple(found.remarks), reason=reason)
    try:
        found.differences += _identity(claim, tariff)
        found.differences += _cost(claim.total_cost, bill, tariff)
    except UnableToRead as problem:
        return Checked(bill=bill, remarks=tuple(found.remarks), reason=str(problem))
    return Checked(bill=bill, differences=tuple(found.differences), remarks=tuple(found.remarks))


def _failure(claim: wire.CostDetails) -> str:
    if not claim.failure_to_calculate:
        return ""
    return f"the station failed to calculate: {claim.failure_reason or 'no reason given'}"


# --- usage


def usage_of(claim: wire.CostDetails, tariff: Tariff, of: Circumstances, found: Findings) -> Usage:
    """What the station measured. Raises UnableToRead where it cannot be priced with this tariff."""
    periods = tuple(_read_periods(claim, of, found)) or _whole(claim, tariff, of)
    started_ms = periods[0].started_ms
    reserved = reported(claim.total_usage.reservation_time or Decimal(0), "$.totalUsage.reservationTime")
    if reserved > 0:
        # It took place before the transaction, and until it: I12.FR.07.
        before_ms = started_ms - _ms(reserved)
        reservation = Period(started_ms=before_ms, ended_ms=started_ms, reserved_ms=_ms(reserved))
        periods = (reservation, *periods)
    try:
        return checked(
            Usage(
                started_ms=started_ms,
                periods=periods,
                time_zone=of.time_zone,
                evse_kind=of.evse_kind,
                payment_brand=of.payment_brand,
                payment_recognition=of.payment_recognition,
            )
        )
    except UnableToReadUsage as problem:
        raise refused("$.chargingPeriods", str(problem)) from None


def _read_periods(claim: wire.CostDetails, of: Circumstances, found: Findings) -> Iterator[Period]:
    given = sorted(_volumes(claim))
    if not given:
        return
    scales = _compare_usage(claim, [volumes for _, _, volumes in given], found)
    ends = [*(started_ms for started_ms, _, _ in given[1:]), max(of.ended_ms, given[-1][0])]
    for (started_ms, _, volumes), ended_ms in zip(given, ends, strict=True):
        used = {name: volumes.get(name, Decimal(0)) * scale for name, scale in scales.items()}
        yield Period(
            started_ms=started_ms,
            ended_ms=ended_ms,
            energy_wh=used["energy"],
            charging_ms=_ms(used["chargingtime"]),
            idle_ms=_ms(used["idletime"]),
            min_power_w=volumes.get("minpower"),
            max_power_w=volumes.get("maxpower"),
            min_current_a=volumes.get("mincurrent"),
            max_current_a=volumes.get("maxcurrent"),
        )


def _volumes(claim: wire.CostDetails) -> Iterator[tuple[int, int, dict[str, Decimal]]]:
    """Start, place and volumes by dimension of each period."""
    for place, period in enumerate(claim.charging_periods or ()):
        path = f"$.chargingPeriods[{place}]"
        started_ms = read_time(period.start_period)
        if started_ms is None:
            raise refused(f"{path}.startPeriod", "not a time")
        volumes: dict[str, Decimal] = {}
        for number, dimension in enumerate(period.dimensions or ()):
            # The standard spells one of them `IdleTIme`; stations may have mended it.
            where = f"{path}.dimensions[{number}].volume"
            volumes[dimension.type.lower()] = reported(dimension.volume, where)
            if dimension.volume < 0:
                raise refused(where, "negative: energy given back to the grid is not priced here")
        yield started_ms, place, volumes


def _compare_usage(
    claim: wire.CostDetails, volumes: list[dict[str, Decimal]], found: Findings
) -> dict[str, int]:
    """Compare totalUsage with the sum of the periods; by how much their volumes must be multiplied."""
    usage, scales = claim.total_usage, dict.fromkeys(SCALES, 1)
    sums = {name: sum((each.get(name, Decimal(0)) for each in volumes), Decimal(0)) for name in SCALES}
    totals = {"energy": usage.energy, "chargingtime": usage.charging_time, "idletime": usage.idle_time}
    slack = Decimal(1 + len(volumes))  # whole Wh and seconds may have been cut off in each period
    for name, path in (("energy", "energy"), ("idletime", "idleTime"), ("chargingtime", "chargingTime")):
        theirs = reported(totals[name], f"$.totalUsage.{path}")
        idle = sums["idletime"] * scales["idletime"]
        others = (Decimal(0), idle) if name == "chargingtime" else (Decimal(0),)
        if any(abs(sums[name] + other - theirs) < slack for other in others):
            continue
        larger = sums[name] * SCALES[name]
        if any(abs(larger + other - theirs) < slack for other in others):
            scales[name] = SCALES[name]
            found.remarks.append(
                f"$.chargingPeriods: {path} is told in {'kWh' if name == 'energy' else 'minutes'}"
            )
        else:
            found.differences.append(Difference(field=f"$.totalUsage.{path}", theirs=theirs, ours=sums[name]))
    return scales


def _whole(claim: wire.CostDetails, tariff: Tariff, of: Circumstances) -> tuple[Period, ...]:
    """Without charging periods the totals do, where no price can change on the way."""
    usage = claim.total_usage
    used = usage.energy or usage.charging_time or usage.idle_time
    if used and any(_may_change(element) for element in tariff.elements):
        raise refused("$.chargingPeriods", "missing, and the tariff's prices change within a session")
    charging = reported(usage.charging_time, "$.totalUsage.chargingTime")
    idle = reported(usage.idle_time, "$.totalUsage.idleTime")
    if idle and (charging + idle) * MS_PER_S > of.ended_ms - of.started_ms + MS_PER_S:
        charging -= idle
    return (
        Period(
            started_ms=of.started_ms,
            ended_ms=of.ended_ms,
            energy_wh=reported(usage.energy, "$.totalUsage.energy"),
            charging_ms=_ms(charging),
            idle_ms=_ms(idle),
        ),
    )


def _may_change(element: Element) -> bool:
    """Whether what it prices must be known over time: neither fixed fees nor what came before must."""
    rules = element.restrictions
    is_fee = all(one.dimension is Dimension.FLAT for one in element.components)
    if rules.reservation is not None or (is_fee and rules.max_duration_s == AT_START_S):
        return False
    return depends_on_course(rules)


def _ms(seconds: Decimal) -> int:
    return int(rounded(seconds * MS_PER_S, 0))


# --- cost


def _identity(claim: wire.CostDetails, tariff: Tariff) -> Iterator[Difference]:
    currency = claim.total_cost.currency
    if currency != tariff.currency:
        yield Difference(field="$.totalCost.currency", theirs=currency, ours=tariff.currency)
    for place, period in enumerate(claim.charging_periods or ()):
        if period.tariff_id != tariff.tariff_id:
            path = f"$.chargingPeriods[{place}].tariffId"
            yield Difference(field=path, theirs=period.tariff_id, ours=tariff.tariff_id)


def _cost(theirs: wire.TotalCost, bill: Bill, tariff: Tariff) -> Iterator[Difference]:
    kind, path = type_of_cost(bill, tariff), "$.totalCost"
    if theirs.type_of_cost != kind:
        yield Difference(field=f"{path}.typeOfCost", theirs=theirs.type_of_cost, ours=kind)
    elif kind == "NormalCost":
        ours = parts(bill)
        for name in PARTS_OF_COST:
            exact = ours.get(name, (Decimal(0), Decimal(0)))
            minor = tuple(round_to_minor(each, currency=bill.currency) for each in exact)
            yield from _amounts(f"{path}.{camel(name)}", getattr(theirs, name), exact, minor, bill.currency)
    total = (bill.exact_net, bill.exact_gross)
    yield from _amounts(
        f"{path}.total", theirs.total, total, (bill.net_minor, bill.gross_minor), bill.currency
    )


def _amounts(
    path: str,
    theirs: wire.Amount | None,
    exact: tuple[Decimal, ...],
    minor: tuple[int, ...],
    currency: str,
) -> Iterator[Difference]:
    net, gross = (None, None) if theirs is None else (theirs.excl_tax, theirs.incl_tax)
    if net is None and gross is None:
        if any(minor):
            yield Difference(field=path, theirs=None, ours=exact[1])
        return
    for name, told, ours, ours_minor in zip(("exclTax", "inclTax"), (net, gross), exact, minor, strict=True):
        where = f"{path}.{name}"
        if told is not None and not _same(reported(told, where), ours, ours_minor, currency):
            yield Difference(field=where, theirs=told, ours=ours)


def _same(theirs: Decimal, exact: Decimal, minor: int, currency: str) -> bool:
    if round_to_minor(theirs, currency=currency) == minor:
        return True
    return abs(theirs - exact) < NOISE.scaleb(-decimals(currency))
