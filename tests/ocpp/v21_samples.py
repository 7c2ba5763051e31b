"""Tariffs, sessions and documents that the tests of OCPP 2.1 share, drawn or written by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tapwatt.core.tariff import (
    Component,
    Dimension,
    Element,
    Limits,
    Period,
    Reservation,
    Restrictions,
    Tariff,
    Tax,
    TaxIncluded,
    Usage,
)
from tapwatt.ocpp.v21.claims import Circumstances

HOUR_MS = 3_600_000
NIGHT_MS = 1_774_738_800_000
"""28 March 2026, 23:00 UTC: the night in which Berlin's clocks go forward."""
VAT = Tax(name="VAT", rate_percent=Decimal(19))
CITY = Tax(name="City", rate_percent=Decimal("2.5"), stack=1)


def component(kind: str, price: str, *taxes: Tax, step: int = 0) -> Component:
    """A component in words of a test."""
    return Component(dimension=Dimension(kind), price=Decimal(price), taxes=taxes, step_size=step)


def element(*components: Component, **rules: Any) -> Element:
    """An element in words of a test."""
    return Element(components=components, restrictions=Restrictions(**rules))


def tariff(*elements: Element, **more: Any) -> Tariff:
    """A tariff in words of a test."""
    return Tariff(**{"tariff_id": "T", "currency": "EUR", "elements": elements, **more})


def charged(energy_wh: int, seconds: int, *, idle_s: int = 0, started_ms: int = NIGHT_MS) -> Usage:
    """So much energy in so many seconds, then idle."""
    ended_ms = started_ms + seconds * 1000
    periods = [
        Period(
            started_ms=started_ms,
            ended_ms=ended_ms,
            energy_wh=Decimal(energy_wh),
            charging_ms=ended_ms - started_ms,
        )
    ]
    if idle_s:
        periods.append(Period(started_ms=ended_ms, ended_ms=ended_ms + idle_s * 1000, idle_ms=idle_s * 1000))
    return Usage(started_ms=started_ms, periods=tuple(periods))


def reserved(usage: Usage, seconds: int) -> Usage:
    """The same after a reservation."""
    before_ms = usage.started_ms - seconds * 1000
    first = Period(started_ms=before_ms, ended_ms=usage.started_ms, reserved_ms=seconds * 1000)
    return Usage(started_ms=usage.started_ms, periods=(first, *usage.periods), evse_kind=usage.evse_kind)


def around(usage: Usage) -> Circumstances:
    """What costDetails do not say of this session."""
    return Circumstances(
        started_ms=usage.started_ms,
        ended_ms=usage.ended_ms,
        time_zone=usage.time_zone,
        evse_kind=usage.evse_kind,
        payment_brand=usage.payment_brand,
        payment_recognition=usage.payment_recognition,
    )


# --- drawn

PRICES = st.decimals(0, 3, places=3)
HOURLY = PRICES.map(lambda minute: minute * 60) | st.decimals(0, 9, places=2)
TAXES = st.sampled_from([(VAT,), (VAT, CITY)])
MINUTES = st.sampled_from([0, 60, 180, 360, 1080, 1320, 1410])
SHARED = {
    "start_minute": MINUTES,
    "end_minute": MINUTES | st.just(1440),
    "start_date": st.sampled_from([date(2026, 3, 28), date(2026, 3, 29)]),
    "end_date": st.sampled_from([date(2026, 3, 29), date(2026, 3, 30)]),
    "weekdays": st.lists(st.integers(0, 6), min_size=1, max_size=3).map(tuple),
    "evse_kind": st.sampled_from(["AC", "DC"]),
}
COURSE = {
    "min_kwh": st.decimals(0, 30, places=3),
    "max_kwh": st.decimals(1, 60, places=3),
    "min_power_kw": st.sampled_from([Decimal(4), Decimal("11.5")]),
    "max_power_kw": st.sampled_from([Decimal(22), Decimal(50)]),
    "min_current_a": st.sampled_from([Decimal(6), Decimal(16)]),
    "max_current_a": st.sampled_from([Decimal(32), Decimal(48)]),
    "min_duration_s": st.integers(0, 7200),
    "max_duration_s": st.integers(0, 7200),
    "min_charging_s": st.integers(0, 7200),
    "max_charging_s": st.integers(0, 7200),
    "min_idle_s": st.integers(0, 3600),
    "max_idle_s": st.integers(0, 3600),
}
CARD = {
    "payment_brand": st.sampled_from(["Visa", "AMEX"]),
    "payment_recognition": st.sampled_from(["CC", "Debit"]),
}


def rules(among: dict[str, st.SearchStrategy[Any]], most: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these restrictions."""
    some = st.lists(st.sampled_from(sorted(among)), unique=True, max_size=most)
    return some.flatmap(lambda names: st.fixed_dictionaries({name: among[name] for name in names}))


@st.composite
def shared_elements(draw: st.DrawFn) -> Element:
    """An OCPI element: several components under the same restrictions."""
    taxes = draw(TAXES)
    kinds = draw(st.lists(st.sampled_from(list(Dimension)), unique=True, min_size=1, max_size=3))
    restricted = {} if Dimension.FLAT in kinds else draw(rules(SHARED | COURSE))
    timed = {Dimension.TIME, Dimension.PARKING_TIME}
    components = tuple(
        Component(
            dimension=kind,
            price=draw(HOURLY if kind in timed else PRICES),
            taxes=taxes,
            step_size=draw(st.sampled_from([0, 0, 0, 1, 300])) if kind is not Dimension.FLAT else 0,
        )
        for kind in kinds
    )
    return Element(components=components, restrictions=Restrictions(**restricted))


@st.composite
def fees(draw: st.DrawFn) -> Element:
    """A fixed fee as OCPP 2.1 has it: looked at when the transaction starts."""
    asked = draw(rules(SHARED | CARD, 2))
    clocked = set(asked) - {"evse_kind", *CARD}
    at_start = {"max_duration_s": 1} if clocked else {}
    return element(component("FLAT", str(draw(PRICES)), VAT), **asked, **at_start)


@st.composite
def reservations(draw: st.DrawFn) -> Element:
    """A price of reserved time or a fee for reserving."""
    kind = draw(st.sampled_from(["TIME", "FLAT"]))
    asked = draw(rules(SHARED, 1)) if kind == "TIME" else draw(rules({"evse_kind": SHARED["evse_kind"]}))
    price = str(draw(HOURLY if kind == "TIME" else PRICES))
    return element(component(kind, price, VAT), reservation=Reservation.RESERVATION, **asked)


AMOUNTS = st.none() | st.decimals(0, 40, places=2)
LIMITS = st.just(Limits()) | st.builds(
    Limits, min_net=AMOUNTS, min_gross=AMOUNTS, max_net=AMOUNTS, max_gross=AMOUNTS
)
TARIFFS = st.builds(
    lambda elements, limits, inside: tariff(*elements, limits=limits, tax_included=inside),
    st.lists(shared_elements() | fees() | reservations(), min_size=1, max_size=5),
    LIMITS,
    st.sampled_from([TaxIncluded.NO, TaxIncluded.NO, TaxIncluded.NO, TaxIncluded.NOT_APPLICABLE]),
)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """A session in whole watt-hours and seconds around the night of a clock change."""
    at_ms = started_ms = NIGHT_MS + draw(st.integers(0, 30 * 3600)) * 1000
    periods = []
    for _ in range(draw(st.integers(1, 4))):
        length_ms = draw(st.integers(0, 7200)) * 1000
        charging = draw(st.booleans())
        power = draw(st.none() | st.integers(2000, 60_000).map(Decimal)) if charging else None
        current = draw(st.none() | st.integers(3, 60).map(Decimal)) if charging else None
        periods.append(
            Period(
                started_ms=at_ms,
                ended_ms=at_ms + length_ms,
                energy_wh=Decimal(draw(st.integers(0, 40_000))) if charging else Decimal(0),
                charging_ms=length_ms if charging else 0,
                idle_ms=0 if charging else length_ms,
                min_power_w=power,
                max_power_w=power,
                min_current_a=current,
                max_current_a=current,
            )
        )
        at_ms += length_ms
    if draw(st.booleans()):
        length_ms = draw(st.integers(1, 3600)) * 1000
        periods.insert(
            0, Period(started_ms=started_ms - length_ms, ended_ms=started_ms, reserved_ms=length_ms)
        )
    return Usage(
        started_ms=started_ms,
        periods=tuple(periods),
        time_zone=draw(st.sampled_from(["UTC", "Europe/Berlin"])),
        evse_kind=draw(st.sampled_from([None, "AC", "DC"])),
        payment_brand=draw(st.sampled_from([None, "Visa", "AMEX"])),
        payment_recognition=draw(st.sampled_from([None, "CC"])),
    )
