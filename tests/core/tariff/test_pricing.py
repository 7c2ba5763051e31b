"""What OCPI cannot say and OCPP 2.1 can, and the corners of pricing: stacked taxes, kinds of time, cards."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from tests.core.tariff import slow

from tapwatt.core.bill import PER_LINE
from tapwatt.core.tariff import (
    Component,
    Dimension,
    Element,
    Limits,
    Period,
    Restrictions,
    Tariff,
    Tax,
    TaxIncluded,
    Usage,
    energy_only,
    price,
)
from tapwatt.core.tariff.clock import UnknownTimeZone
from tapwatt.core.tariff.pricing import tax_factor
from tapwatt.core.tariff.usage import Sample, UnableToReadUsage, from_samples

HOUR_MS = 3_600_000
ALL_DAY = energy_only(10_000, ended_ms=HOUR_MS)


def component(dimension: Dimension, amount: str, *taxes: Tax, step: int = 0) -> Component:
    """A price."""
    return Component(dimension=dimension, price=Decimal(amount), taxes=taxes, step_size=step)


def energy(amount: str, *taxes: Tax) -> Component:
    """A price per kWh."""
    return component(Dimension.ENERGY, amount, *taxes)


def tariff(*elements: Element, **other: object) -> Tariff:
    """A tariff of these elements."""
    return Tariff(tariff_id="T", currency="EUR", elements=elements, **other)  # type: ignore[arg-type]


def element(*components: Component, **rules: object) -> Element:
    """An element under restrictions."""
    return Element(components=components, restrictions=Restrictions(**rules))  # type: ignore[arg-type]


STACKED = (
    Tax(name="federal", rate_percent=Decimal(5)),
    Tax(name="provincial", rate_percent=Decimal(10), stack=1),
)


def test_a_stacked_tax_is_taken_on_the_lower_one_too() -> None:
    bill = price(tariff(element(energy("1.00", *STACKED))), ALL_DAY)
    (line,) = bill.lines
    # 10.00; 5 % of it is 0.50; 10 % of 10.50 is 1.05
    assert (line.net, line.tax, line.gross) == (Decimal(10), Decimal("1.55"), Decimal("11.55"))
    assert [(share.name, share.base, share.amount) for share in line.taxes] == [
        ("federal", Decimal(10), Decimal("0.5")),
        ("provincial", Decimal("10.5"), Decimal("1.05")),
    ]
    assert [(tax.name, tax.base_minor, tax.amount_minor) for tax in bill.taxes] == [
        ("federal", 1000, 50),
        ("provincial", 1050, 105),
    ]


def test_stacked_taxes_inside_a_price_are_taken_out_of_it() -> None:
    bill = price(tariff(element(energy("1.155", *STACKED)), tax_included=TaxIncluded.YES), ALL_DAY)
    assert (bill.exact_net, bill.exact_gross) == (Decimal(10), Decimal("11.55"))
    assert [tax.amount_minor for tax in bill.taxes] == [50, 105]


def test_two_taxes_side_by_side_are_taken_on_the_same_price() -> None:
    side = (Tax(name="a", rate_percent=Decimal(5)), Tax(name="b", rate_percent=Decimal(10)))
    assert tax_factor(tariff(element(energy("1", *side))), energy("1", *side)) == Fraction(115, 100)


def test_parking_costs_after_a_quarter_of_an_hour_of_it() -> None:
    """Own vector D3 in OCPP's words: idle time, not the session's, is counted."""
    vat = Tax(name="VAT", rate_percent=Decimal(19))
    idle = element(component(Dimension.PARKING_TIME, "7.20", vat), min_idle_s=900)
    of = tariff(element(energy("0.59", vat)), idle, tax_included=TaxIncluded.YES)
    usage = Usage(
        started_ms=0,
        periods=(
            Period(started_ms=0, ended_ms=HOUR_MS, energy_wh=Decimal(42_500), charging_ms=HOUR_MS),
            Period(started_ms=HOUR_MS, ended_ms=HOUR_MS + 65 * 60_000, idle_ms=65 * 60_000),
        ),
    )
    bill = price(of, usage)
    assert bill.exact_gross == Decimal("31.075")
    assert (bill.gross_minor, bill.net_minor) == (3108, 2612)


def test_charging_time_alone_counts_for_a_restriction_on_it() -> None:
    of = tariff(
        element(component(Dimension.TIME, "1"), max_charging_s=1800), element(component(Dimension.TIME, "6"))
    )
    pause = Period(started_ms=HOUR_MS // 4, ended_ms=HOUR_MS, idle_ms=HOUR_MS * 3 // 4)
    usage = Usage(
        started_ms=0,
        periods=(
            Period(started_ms=0, ended_ms=HOUR_MS // 4, charging_ms=HOUR_MS // 4),
            pause,
            Period(started_ms=HOUR_MS, ended_ms=2 * HOUR_MS, charging_ms=HOUR_MS),
        ),
    )
    # a quarter and a quarter at 1, three quarters at 6
    assert price(of, usage).exact_net == Decimal("5")
    assert slow.price(of, usage).net == 5


@pytest.mark.parametrize(
    ("kind", "brand", "cost"), [("DC", None, "8"), ("AC", "VISA", "3"), ("AC", None, "5"), (None, None, "5")]
)
def test_the_kind_of_charging_and_of_card_decide(kind: str | None, brand: str | None, cost: str) -> None:
    of = tariff(
        element(energy("0.8"), evse_kind="DC"),
        element(energy("0.3"), payment_brand="VISA"),
        element(energy("0.5")),
    )
    usage = Usage(started_ms=0, periods=ALL_DAY.periods, evse_kind=kind, payment_brand=brand)
    assert price(of, usage).exact_net == Decimal(cost)


def test_nothing_at_all_costs_nothing() -> None:
    of = tariff(element(energy("1")), limits=Limits(min_net=Decimal(5)))
    assert price(of, Usage(started_ms=0)).gross_minor == 0


def test_a_session_of_one_moment_owes_its_fee_and_its_minimum() -> None:
    of = tariff(element(component(Dimension.FLAT, "1")), limits=Limits(min_net=Decimal(5)))
    moment = Usage(started_ms=0, periods=(Period(started_ms=0, ended_ms=0),))
    assert [line.dimension for line in price(of, moment).lines] == ["flat", "minimum"]


def test_limits_that_contradict_each_other_hold_for_both_sides() -> None:
    low = tariff(element(energy("1")), limits=Limits(max_net=Decimal(9), max_gross=Decimal(4)))
    assert (price(low, ALL_DAY).exact_net, price(low, ALL_DAY).exact_gross) == (Decimal(4), Decimal(4))
    high = tariff(element(energy("0")), limits=Limits(min_net=Decimal(9), min_gross=Decimal(4)))
    assert (price(high, ALL_DAY).exact_net, price(high, ALL_DAY).exact_gross) == (Decimal(9), Decimal(9))


def test_a_limit_with_tax_on_a_tariff_without_names_the_tax() -> None:
    bill = price(
        tariff(element(energy("0")), limits=Limits(min_net=Decimal(1), min_gross=Decimal("1.1"))), ALL_DAY
    )
    assert (bill.net_minor, bill.tax_minor) == (100, 10)
    assert [(tax.name, tax.rate_percent, tax.amount_minor) for tax in bill.taxes] == [
        ("tax", Decimal(10), 10)
    ]


def test_why_says_element_restriction_and_rounding() -> None:
    rules = {
        "start_minute": 22 * 60,
        "end_minute": 6 * 60,
        "weekdays": (5, 6),
        "start_date": date(1970, 1, 1),
        "max_kwh": Decimal(20),
        "min_power_kw": Decimal(5),
    }
    night = element(component(Dimension.ENERGY, "1", step=1000), **rules)
    saturday_ms = 2 * 24 * HOUR_MS + 23 * HOUR_MS
    bill = price(tariff(night), energy_only(9_500, started_ms=saturday_ms, ended_ms=saturday_ms + HOUR_MS))
    assert bill.lines[0].why == (
        "tariff T, element 1: 22:00–06:00, Sat Sun, from 1970-01-01, below 20 kWh, from 5 kW; "
        "500 Wh added to fill the step of 1000 Wh"
    )


def test_meter_samples_are_split_by_time_where_the_price_changes() -> None:
    of = tariff(element(energy("1"), end_minute=30), element(energy("2")))
    samples = [Sample(at_ms=0, register_wh=500), Sample(at_ms=HOUR_MS, register_wh=10_500)]
    assert price(of, from_samples(samples)).exact_net == Decimal(15)


def test_a_clock_that_cuts_every_minute_of_a_year_is_refused() -> None:
    every = tuple(element(energy("1"), start_minute=one, end_minute=one + 1) for one in range(200))
    year = energy_only(1, ended_ms=365 * 24 * HOUR_MS)
    with pytest.raises(UnableToReadUsage, match="clock times would cut it at more than 20000 places"):
        price(tariff(*every), year)


def test_an_unknown_time_zone_is_named() -> None:
    with pytest.raises(UnknownTimeZone, match="no time zone 'Europe/Atlantis'"):
        price(tariff(element(energy("1"))), energy_only(1, time_zone="Europe/Atlantis"))


def test_thirds_of_an_hour_are_told_to_28_digits_and_rounded_from_the_exact_sum() -> None:
    of = tariff(element(component(Dimension.TIME, "0.015")))
    usage = Usage(
        started_ms=0, periods=tuple(
            Period(started_ms=at * HOUR_MS // 3, ended_ms=(at + 1) * HOUR_MS // 3, charging_ms=HOUR_MS // 3)
            for at in range(3)
        ),
    )  # fmt: skip
    bill = price(of, usage)
    assert bill.exact_net == Decimal("0.015")
    assert bill.gross_minor == 2


def test_lines_rounded_one_by_one_never_pass_the_highest_price() -> None:
    # Three lines of 0.335 are 1.005, rounded one by one 1.02.
    third = energy("0.335")
    tariff = Tariff(
        tariff_id="T",
        currency="EUR",
        elements=(
            Element(components=(third,), restrictions=Restrictions(max_kwh=Decimal(1))),
            Element(components=(third,), restrictions=Restrictions(max_kwh=Decimal(2))),
            Element(components=(third,)),
        ),
        limits=Limits(max_gross=Decimal("1.01")),
    )
    bill = price(tariff, energy_only(3000, ended_ms=3_600_000), PER_LINE)
    assert (bill.gross_minor, bill.net_minor, bill.lines[-1].dimension) == (101, 101, "limit")
    assert price(replace(tariff, limits=Limits()), energy_only(3000, ended_ms=1), PER_LINE).gross_minor == 102
