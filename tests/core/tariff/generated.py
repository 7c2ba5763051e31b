"""Tariffs and sessions drawn at random: any that the model can hold, small enough for the slow way."""

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from tapwatt.core.tariff.model import (
    ALWAYS,
    NO_LIMITS,
    Component,
    Dimension,
    Element,
    Limits,
    Reservation,
    Restrictions,
    Tariff,
    Tax,
    TaxIncluded,
)
from tapwatt.core.tariff.usage import Period, Usage

MARCH_MS = 1_774_728_000_000  # 2026-03-28 20:00 UTC: five hours before Berlin's clocks go forward
OCTOBER_MS = 1_792_868_400_000  # 2026-10-24 19:00 UTC: six hours before they go back
STARTS = st.sampled_from([MARCH_MS, OCTOBER_MS, 0, MARCH_MS + 59_000])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland"])


def numbers(least: str, most: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    """Exact decimals, without needless zeros."""
    return st.decimals(Decimal(least), Decimal(most), places=places).map(lambda one: one.normalize() + 0)


RESERVABLE = [Dimension.FLAT, Dimension.TIME]
PRICES = numbers("0", "5", 4)
RATES = st.sampled_from([Decimal(0), Decimal(7), Decimal("8.25"), Decimal(19)])
MAYBE_MINUTE = st.none() | st.sampled_from([0, 1, 90, 120, 150, 180, 1200, 1320, 1439]) | st.integers(0, 1439)
MAYBE_KWH = st.none() | numbers("0", "12", 1)
MAYBE_S = st.none() | st.integers(0, 20_000)
MAYBE_AMPERE = st.none() | st.sampled_from([Decimal(0), Decimal(6), Decimal(16), Decimal(32)])
MAYBE_KW = st.none() | st.sampled_from([Decimal(0), Decimal("3.7"), Decimal(11), Decimal(50)])
MAYBE_DATE = st.none() | st.sampled_from([date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25)])
DAYS = st.just(()) | st.lists(st.integers(0, 6), unique=True, max_size=7).map(lambda days: tuple(days))


OCPI = frozenset({"clock", "day", "kwh", "current", "power", "stay"})
OCPP = OCPI | {"more"}
BY_TIME, BY_ENERGY = frozenset({"clock", "day", "stay"}), frozenset({"kwh"})


@st.composite
def restrictions(draw: st.DrawFn, able: frozenset[str]) -> Restrictions:
    """Mostly one or two restrictions of these kinds."""
    wanted = draw(st.sets(st.sampled_from(sorted(able)), max_size=3))
    given: dict[str, object] = {}
    if "clock" in wanted:
        given |= {"start_minute": draw(MAYBE_MINUTE), "end_minute": draw(MAYBE_MINUTE)}
    if "day" in wanted:
        given |= {"weekdays": draw(DAYS), "start_date": draw(MAYBE_DATE), "end_date": draw(MAYBE_DATE)}
    if "kwh" in wanted:
        given |= {"min_kwh": draw(MAYBE_KWH), "max_kwh": draw(MAYBE_KWH)}
    if "current" in wanted:
        given |= {"min_current_a": draw(MAYBE_AMPERE), "max_current_a": draw(MAYBE_AMPERE)}
    if "power" in wanted:
        given |= {"min_power_kw": draw(MAYBE_KW), "max_power_kw": draw(MAYBE_KW)}
    if "stay" in wanted:
        given |= {"min_duration_s": draw(MAYBE_S), "max_duration_s": draw(MAYBE_S)}
    if "more" in wanted:
        given |= {"min_charging_s": draw(MAYBE_S), "max_charging_s": draw(MAYBE_S)}
        given |= {"min_idle_s": draw(MAYBE_S), "max_idle_s": draw(MAYBE_S)}
        given |= {"evse_kind": draw(st.sampled_from([None, "AC", "DC"]))}
        given |= {"payment_brand": draw(st.sampled_from([None, "VISA"]))}
    rules = Restrictions(**given)  # type: ignore[arg-type]
    return ALWAYS if rules == ALWAYS else rules


def taxes(ocpi: bool) -> st.SearchStrategy[tuple[Tax, ...]]:
    """One tax or none for OCPI; up to three, stacked, for OCPP."""
    one = st.builds(Tax, name=st.just("VAT"), rate_percent=RATES)
    if ocpi:
        return st.just(()) | one.map(lambda tax: (tax,))
    level = st.builds(Tax, name=st.sampled_from(["VAT", "city"]), rate_percent=RATES, stack=st.integers(0, 2))
    return st.lists(level, max_size=3).map(tuple)


@st.composite
def elements(
    draw: st.DrawFn, *, able: frozenset[str], steps: bool, prices: st.SearchStrategy[Decimal]
) -> Element:
    """An element with restrictions of these kinds; one in three prices reservations. Where energy alone may
    decide, it decides only the price of energy."""
    reserved = draw(st.sampled_from([None, None, None, None, *Reservation]))
    kinds = draw(
        st.lists(st.sampled_from(RESERVABLE if reserved else list(Dimension)), min_size=1, max_size=3)
    )
    only_energy = set(kinds) == {Dimension.ENERGY}
    rules = draw(restrictions(able)) if able != BY_ENERGY or only_energy else ALWAYS
    if reserved:
        rules = Restrictions(
            start_minute=rules.start_minute,
            end_minute=rules.end_minute,
            weekdays=rules.weekdays,
            reservation=reserved,
        )
    step = st.sampled_from([0, 1, 60, 500, 900]) if steps else st.just(0)
    made = (
        Component(
            dimension=kind,
            price=draw(prices),
            taxes=draw(taxes("more" not in able)),
            step_size=draw(step),
        )
        for kind in kinds
    )
    return Element(components=tuple(made), restrictions=rules)


@st.composite
def limits(draw: st.DrawFn, *, ocpi: bool = False, whole: bool = False) -> Limits:
    """A least and a highest price, before tax, after it or both; `whole`: a least price on both sides."""
    amount = numbers("0", "4")
    found: dict[str, Decimal | None] = {}
    for side in ("min",) if whole else ("min", "max"):
        if draw(st.booleans()):
            net = draw(amount)
            gross = draw(amount.map(net.__add__))
            found[f"{side}_net"] = net if ocpi or whole else draw(st.sampled_from([net, None]))
            found[f"{side}_gross"] = gross if whole else draw(st.sampled_from([gross, None]))
    return Limits(**found) if any(value is not None for value in found.values()) else NO_LIMITS


@st.composite
def tariffs(
    draw: st.DrawFn,
    *,
    able: frozenset[str] = OCPP,
    within: st.SearchStrategy[Limits] | None = None,
    steps: bool = True,
    prices: st.SearchStrategy[Decimal] = PRICES,
    included: st.SearchStrategy[TaxIncluded] | None = None,
) -> Tariff:
    """A tariff with restrictions of these kinds; those of OCPI make one that OCPI can say."""
    one = elements(able=able, steps=steps, prices=prices)
    return Tariff(
        tariff_id="T",
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        elements=tuple(draw(st.lists(one, min_size=1, max_size=5))),
        tax_included=draw(st.sampled_from(TaxIncluded) if included is None else included),
        limits=draw(limits(ocpi="more" not in able) if within is None else within),
    )


@st.composite
def usages(draw: st.DrawFn, *, reserved: bool = True) -> Usage:
    """A reservation perhaps, then periods of charging and of standing, with gaps."""
    started_ms = draw(STARTS)
    periods = []
    if reserved and draw(st.booleans()):
        length_ms = draw(st.integers(0, 60)) * 60_000
        begin_ms = started_ms - length_ms
        periods.append(Period(started_ms=begin_ms, ended_ms=started_ms, reserved_ms=length_ms))
    at_ms = started_ms
    for _ in range(draw(st.integers(0 if periods else 1, 4))):
        at_ms += draw(st.sampled_from([0, 0, 0, 60_000]))
        ended_ms = at_ms + 2 * draw(st.integers(0, 3_600)) * 1000
        periods.append(draw(one_period(at_ms, ended_ms)))
        at_ms = ended_ms
    return Usage(
        started_ms=started_ms,
        periods=tuple(periods),
        time_zone=draw(ZONES),
        evse_kind=draw(st.sampled_from([None, "AC", "DC"])),
        payment_brand=draw(st.sampled_from([None, "VISA"])),
    )


@st.composite
def one_period(draw: st.DrawFn, started_ms: int, ended_ms: int) -> Period:
    """Charging, standing, a part of both, or nothing at all."""
    kind = draw(st.sampled_from(["charging", "idle", "both", "nothing"]))
    wall_ms = ended_ms - started_ms
    idle_ms = {"idle": wall_ms, "both": wall_ms // 4000 * 2000}.get(kind, 0)
    low = draw(st.none() | st.sampled_from([Decimal(3000), Decimal(11_000)]))
    ampere = draw(st.none() | st.sampled_from([Decimal(10), Decimal(16), Decimal(40)]))
    return Period(
        started_ms=started_ms,
        ended_ms=ended_ms,
        energy_wh=draw(numbers("0", "9000", 1)) if kind in ("charging", "both") else Decimal(0),
        charging_ms=wall_ms - idle_ms if kind in ("charging", "both") else 0,
        idle_ms=idle_ms,
        min_power_w=low,
        max_power_w=draw(st.none() | st.just(low + 1000)) if low is not None else None,
        min_current_a=ampere,
        max_current_a=draw(st.none() | st.just(ampere)),
    )
