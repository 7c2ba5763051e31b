"""Readings kept as a few periods cost exactly what all of them cost."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from tests.core.tariff.drawn import START_MS, samples, tariffs

from tapwatt.core.bill import Bill
from tapwatt.core.tariff import Component, Dimension, Element, Restrictions, Tariff, Usage, kwh_tariff
from tapwatt.core.tariff.metering import KEPT_MAX, grown, is_full
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.usage import Sample, from_samples

SIMPLE = kwh_tariff("T", currency="EUR", kwh_price=Decimal("0.49"), tax_rate_percent=Decimal(19))
BY_POWER = replace(
    SIMPLE,
    elements=(
        Element(
            components=(Component(dimension=Dimension.ENERGY, price=Decimal(2)),),
            restrictions=Restrictions(min_power_kw=Decimal(10), max_power_kw=Decimal(12)),
        ),
        Element(components=(Component(dimension=Dimension.ENERGY, price=Decimal(1)),)),
    ),
)


def kept(tariff: Tariff, readings: list[Sample]) -> Usage:
    """The same readings as a session keeps them."""
    usage = Usage(started_ms=readings[0].at_ms, time_zone="Europe/London")
    for period in from_samples(readings).periods:
        usage = grown(tariff, usage, period)
    return usage


def quantities(bill: Bill) -> list[tuple[str, Decimal]]:
    """What was billed, by line; lines stand in the order in which they were first used."""
    return sorted((line.why, line.quantity) for line in bill.lines)


def charge(*readings: tuple[int, int]) -> list[Sample]:
    """Readings as seconds and watt-hours."""
    return [Sample(at_ms=START_MS + seconds * 1000, register_wh=wh) for seconds, wh in readings]


@given(tariff=tariffs, readings=samples(most=12))
def test_what_is_kept_costs_what_all_readings_cost(tariff: Tariff, readings: list[Sample]) -> None:
    all_of_it = from_samples(readings, time_zone="Europe/London")
    few = kept(tariff, readings)
    whole, short = price(tariff, all_of_it), price(tariff, few)
    assert (short.exact_net, short.exact_gross) == (whole.exact_net, whole.exact_gross)
    assert quantities(short) == quantities(whole)
    assert few.energy_wh == all_of_it.energy_wh
    assert len(few.periods) <= len(all_of_it.periods)


def test_a_long_charge_at_one_price_is_one_period() -> None:
    day = charge(*((60 * minute, 100 * minute) for minute in range(1440)))
    assert len(kept(SIMPLE, day).periods) == 1


def test_powers_on_both_sides_of_a_band_are_not_averaged_into_it() -> None:
    # 5 kW, then 17 kW: 11 kW on average, which would be in the dear band.
    readings = charge((0, 0), (3600, 5000), (7200, 22_000))
    assert price(BY_POWER, kept(BY_POWER, readings)).gross_minor == 2200


def test_a_charge_whose_price_changes_too_often_is_told() -> None:
    readings = charge((0, 0))
    for place in range(KEPT_MAX + 20):
        last = readings[-1]
        energy_wh = 11_000 if place % 2 else 30_000
        readings.append(
            Sample(at_ms=last.at_ms + 3_600_000 // 4, register_wh=last.register_wh + energy_wh // 4)
        )
    usage = kept(BY_POWER, readings[:300])
    assert not is_full(usage)
    usage = kept(BY_POWER, readings)
    assert is_full(usage)
    assert usage.energy_wh == readings[-1].register_wh
