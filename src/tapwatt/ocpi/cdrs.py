"""Sessions in the terms of OCPI's CDRs, to usage; and a bill with its usage, to a CDR's periods and totals.

OCPI 2.2.1 and 2.3.0, mod_cdrs. What real parties send is taken where it can be understood: periods out of
order are sorted; one that starts before the session counts as it stands (a reservation does, and clocks
differ), while durations count from the session's start; charging and parking time may be shorter or longer
than the period. A period lasts until the next one starts, the last until the session ends.
"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from itertools import pairwise
from typing import Any

from tapwatt.core.bill import Bill, Line
from tapwatt.core.money import to_major
from tapwatt.core.tariff.clock import UnknownTimeZone, zone_of
from tapwatt.core.tariff.usage import (
    LONGEST_MS,
    MS_PER_HOUR,
    PERIODS_MAX,
    Period,
    UnableToReadUsage,
    Usage,
    checked,
)
from tapwatt.ocpi.codes import ZONES
from tapwatt.ocpi.document import Node, UnableToRead, UnableToWrite, as_moment
from tapwatt.ocpi.tariffs import VERSIONS

DIMENSIONS_MAX = 20
NONE = Decimal(0)
PER_KILO = Decimal(1000)
SECONDS_PER_HOUR = Decimal(3600)
PRECISION = Decimal("0.0001")
"""OCPI's numbers have four decimals."""


class Dimension(Enum):
    """What a period can tell. Those of a session that is still open do not matter to a price."""

    CURRENT = "CURRENT"
    ENERGY = "ENERGY"
    ENERGY_EXPORT = "ENERGY_EXPORT"
    ENERGY_IMPORT = "ENERGY_IMPORT"
    MAX_CURRENT = "MAX_CURRENT"
    MIN_CURRENT = "MIN_CURRENT"
    MAX_POWER = "MAX_POWER"
    MIN_POWER = "MIN_POWER"
    PARKING_TIME = "PARKING_TIME"
    POWER = "POWER"
    RESERVATION_TIME = "RESERVATION_TIME"
    STATE_OF_CHARGE = "STATE_OF_CHARGE"
    TIME = "TIME"


class UnableToReadSession(UnableToRead):
    """The session is not as OCPI says, or cannot have happened."""


class UnableToWriteCdr(UnableToWrite):
    """OCPI cannot say what this bill says."""


def read_usage(document: object) -> Usage:
    """What was used, out of a parsed JSON document. Raises UnableToReadSession with JSON path and reason."""
    top = Node(document, error=UnableToReadSession)
    zone = _zone(top)
    started_ms = top.field("start_date_time").moment_ms()
    ended_ms = top.field("end_date_time").moment_ms()
    if ended_ms < started_ms:
        top.field("end_date_time").wrong("is before start_date_time")
    told = [
        (_started(node, ended_ms), node) for node in top.field("charging_periods").items(most=PERIODS_MAX)
    ]
    told.sort(key=lambda one: one[0])
    starts = [at_ms for at_ms, _ in told]
    periods = tuple(
        _period(node, begin_ms, end_ms)
        for (_, node), (begin_ms, end_ms) in zip(told, pairwise([*starts, ended_ms]), strict=True)
    )
    if periods[0].started_ms < started_ms - LONGEST_MS:
        raise UnableToReadSession("$.charging_periods", "begin more than a year before the session")
    try:
        return checked(Usage(started_ms=started_ms, periods=periods, time_zone=zone))
    except UnableToReadUsage as wrong:
        raise UnableToReadSession("$.charging_periods", str(wrong)) from None


def _zone(top: Node) -> str:
    """The location's time zone, or that of its country where it has only one."""
    told, country = top.maybe("time_zone"), top.maybe("country")
    name = country.text(most=3) if country else ""
    if told is None and name.upper() in ZONES:
        return ZONES[name.upper()]
    node = told or top.field("time_zone")
    try:
        return zone_of(node.text(most=255)).key
    except UnknownTimeZone as unknown:
        node.wrong(str(unknown))


def _started(node: Node, ended_ms: int) -> int:
    start = node.field("start_date_time")
    at_ms = start.moment_ms()
    return at_ms if at_ms <= ended_ms else start.wrong("is after the session's end_date_time")


def _period(node: Node, started_ms: int, ended_ms: int) -> Period:
    volumes: dict[Dimension, Node] = {}
    for one in node.field("dimensions").items(most=DIMENSIONS_MAX):
        kind = one.field("type").choice(Dimension)
        if kind in volumes:
            one.field("type").wrong("stands twice in one period")
        volumes[kind] = one.field("volume")

    def number(kind: Dimension) -> Decimal | None:
        return volumes[kind].number(least=NONE) if kind in volumes else None

    def kilo(kind: Dimension) -> Decimal | None:
        value = number(kind)
        return None if value is None else value * PER_KILO

    def time_ms(kind: Dimension) -> int:
        """Hours, to the nearest second."""
        return int(((number(kind) or NONE) * SECONDS_PER_HOUR).to_integral_value(ROUND_HALF_UP)) * 1000

    return Period(
        started_ms=started_ms,
        ended_ms=ended_ms,
        energy_wh=kilo(Dimension.ENERGY) or NONE,
        charging_ms=time_ms(Dimension.TIME),
        idle_ms=time_ms(Dimension.PARKING_TIME),
        reserved_ms=time_ms(Dimension.RESERVATION_TIME),
        min_power_w=kilo(Dimension.MIN_POWER),
        max_power_w=kilo(Dimension.MAX_POWER),
        min_current_a=number(Dimension.MIN_CURRENT),
        max_current_a=number(Dimension.MAX_CURRENT),
    )


def write(
    bill: Bill, usage: Usage, version: str = "2.3.0", *, tariff_id: str | None = None
) -> dict[str, Any]:
    """The parts of a CDR that bill and usage know, numbers as exact decimals. `total_cost` is rounded by the
    bill's policy; the cost of each dimension has four decimals, so that what was rounded can be followed.
    Raises UnableToWriteCdr."""
    if version not in VERSIONS:
        raise UnableToWriteCdr(f"there is no OCPI {version} here, only {' and '.join(VERSIONS)}")
    if not usage.periods:
        raise UnableToWriteCdr("a CDR needs at least one charging period")
    costs = {
        "total_fixed_cost": "flat",
        "total_energy_cost": "energy",
        "total_time_cost": "time",
        "total_parking_cost": "parking",
        "total_reservation_cost": "reservation",
    }
    written = {
        "start_date_time": as_moment(usage.started_ms),
        "end_date_time": as_moment(usage.ended_ms),
        "currency": bill.currency,
        "charging_periods": [_written(period, tariff_id) for period in usage.periods],
        "total_cost": _total(bill, version),
        "total_energy": _four(usage.energy_wh / PER_KILO),
        "total_time": _hours(sum(period.charging_ms + period.idle_ms for period in usage.periods)),
        "total_parking_time": _hours(sum(period.idle_ms for period in usage.periods)),
    }
    for name, dimension in costs.items():
        lines = tuple(line for line in bill.lines if line.dimension == dimension)
        if lines:
            written[name] = _cost(lines, version, sign=-1 if bill.credit_of else 1)
    return written | ({"credit": True, "credit_reference_id": bill.credit_of} if bill.credit_of else {})


def _written(period: Period, tariff_id: str | None) -> dict[str, Any]:
    volumes = {
        Dimension.ENERGY: period.energy_wh / PER_KILO or None,
        Dimension.TIME: _hours(period.charging_ms) or None,
        Dimension.PARKING_TIME: _hours(period.idle_ms) or None,
        Dimension.RESERVATION_TIME: _hours(period.reserved_ms) or None,
        Dimension.MIN_POWER: _kilo(period.min_power_w),
        Dimension.MAX_POWER: _kilo(period.max_power_w),
        Dimension.MIN_CURRENT: period.min_current_a,
        Dimension.MAX_CURRENT: period.max_current_a,
    }
    told = [
        {"type": kind.value, "volume": _tidy(volume)}
        for kind, volume in volumes.items()
        if volume is not None
    ]
    nothing = [{"type": Dimension.ENERGY.value, "volume": NONE}]
    written = {"start_date_time": as_moment(period.started_ms), "dimensions": told or nothing}
    return written | ({"tariff_id": tariff_id} if tariff_id else {})


def _kilo(value: Decimal | None) -> Decimal | None:
    return None if value is None else value / PER_KILO


def _hours(time_ms: int) -> Decimal:
    """Hours with so many decimals that the second can be read again."""
    return _tidy((Decimal(time_ms) / MS_PER_HOUR).quantize(Decimal("0.000001"), ROUND_HALF_UP))


def _four(value: Decimal) -> Decimal:
    return _tidy(value.quantize(PRECISION, ROUND_HALF_UP))


def _tidy(value: Decimal) -> Decimal:
    """Without needless zeros and exponent."""
    return Decimal(f"{value.normalize():f}")


def _total(bill: Bill, version: str) -> dict[str, Any]:
    def major(minor: int) -> Decimal:
        return to_major(minor, currency=bill.currency)

    if version == "2.2.1":
        return {"excl_vat": major(bill.net_minor), "incl_vat": major(bill.gross_minor)}
    taxes = [
        {"name": tax.name, "percentage": tax.rate_percent, "amount": major(tax.amount_minor)}
        for tax in bill.taxes
    ]
    return {"before_taxes": major(bill.net_minor), "taxes": taxes}


def _cost(lines: tuple[Line, ...], version: str, sign: int) -> dict[str, Any]:
    """What one dimension costs; in a credit CDR only `total_cost` is negative."""
    net = sign * sum((line.net for line in lines), NONE)
    if version == "2.2.1":
        gross = sign * sum((line.gross for line in lines), NONE)
        return {"excl_vat": _four(net), "incl_vat": _four(gross)}
    return {"before_taxes": _four(net), "taxes": list(_taxes(lines, sign))}


def _taxes(lines: tuple[Line, ...], sign: int) -> Iterator[dict[str, Any]]:
    shares = [share for line in lines for share in line.taxes]
    for name, rate in dict.fromkeys((share.name, share.rate_percent) for share in shares):
        amount = sum((one.amount for one in shares if (one.name, one.rate_percent) == (name, rate)), NONE)
        yield {"name": name, "percentage": rate, "amount": _four(sign * amount)}
