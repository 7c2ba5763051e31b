"""The cost so far never falls, never passes the final bill, and a limit is seen in time."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.core.tariff.drawn import START_MS, samples, tariffs

from tapwatt.core.bill import PER_LINE, PER_TOTAL, Rounding
from tapwatt.core.tariff import Component, Dimension, Element, Limits, Restrictions, Tariff, Usage, kwh_tariff
from tapwatt.core.tariff.pricing import price
from tapwatt.core.tariff.running import Reach, cost_so_far, exhausts, going_on, reach
from tapwatt.core.tariff.usage import Sample, from_samples

HALF = kwh_tariff("T", currency="EUR", kwh_price=Decimal("0.50"), tax_rate_percent=Decimal(0))
NEW = Usage(started_ms=START_MS, time_zone="Europe/London")
BLOCKS = Tariff(
    tariff_id="T",
    currency="EUR",
    elements=(
        Element(components=(Component(dimension=Dimension.TIME, price=Decimal("2.40"), step_size=900),)),
    ),
)


def used(readings: list[Sample]) -> Usage:
    """Usage in London."""
    return from_samples(readings, time_zone="Europe/London")


@given(tariff=tariffs, readings=samples(), rounding=st.sampled_from([PER_TOTAL, PER_LINE]))
def test_the_cost_so_far_never_falls_and_never_passes_the_final_bill(
    tariff: Tariff, readings: list[Sample], rounding: Rounding
) -> None:
    costs = [
        cost_so_far(tariff, used(readings[: count + 1]), rounding).gross_minor
        for count in range(1, len(readings))
    ]
    assert costs == sorted(costs)
    final = price(tariff, used(readings), rounding)
    if rounding is PER_TOTAL:
        assert costs[-1] <= final.gross_minor
    exact = cost_so_far(tariff, used(readings), rounding).exact_gross
    assert exact <= final.exact_gross


@pytest.mark.parametrize(
    ("energy_wh", "seconds", "limit_minor", "expected"),
    [
        (0, 0, 2500, Reach(after_ms=1_800_000, energy_wh=50_000)),
        (10_000, 600, 2500, Reach(after_ms=1_440_000, energy_wh=50_000)),
        (60_000, 600, 2500, Reach(after_ms=0, energy_wh=60_000)),
    ],
)
def test_when_a_limit_is_reached_by_energy_alone(
    energy_wh: int, seconds: int, limit_minor: int, expected: Reach
) -> None:
    usage = going_on(NEW, for_ms=seconds * 1000, power_w=energy_wh * 3600 // (seconds or 1))
    assert reach(HALF, usage, limit_minor=limit_minor, power_w=100_000) == expected


def test_what_is_free_reaches_no_limit_and_exhausts_none() -> None:
    free = replace(
        HALF, elements=(Element(components=(Component(dimension=Dimension.FLAT, price=Decimal(0)),)),)
    )
    assert reach(free, NEW, limit_minor=1, power_w=100_000) is None
    assert not exhausts(free, going_on(NEW, for_ms=3_600_000, power_w=100_000), limit_minor=0, power_w=1)


def test_a_highest_price_below_the_limit_is_never_passed() -> None:
    capped = replace(HALF, limits=Limits(max_gross=Decimal(20)))
    assert reach(capped, NEW, limit_minor=2500, power_w=100_000) is None
    net = replace(HALF, limits=Limits(max_net=Decimal(20)))
    assert reach(net, NEW, limit_minor=2500, power_w=100_000) is None


def test_a_price_that_rises_on_the_way_is_seen_ahead() -> None:
    later = replace(
        HALF,
        elements=(
            Element(
                components=(Component(dimension=Dimension.ENERGY, price=Decimal(1)),),
                restrictions=Restrictions(min_duration_s=900),
            ),
            *HALF.elements,
        ),
    )
    # 25 kWh at 0.50 in the first quarter of an hour, then 12.5 kWh at 1.00.
    assert reach(later, NEW, limit_minor=2500, power_w=100_000) == Reach(after_ms=1_350_000, energy_wh=37_500)


def test_a_step_that_would_pass_the_limit_exhausts_it_before_it_begins() -> None:
    # A block of a quarter of an hour costs 0.60: two of them are allowed, the third is not.
    in_second = going_on(NEW, for_ms=30 * 60_000, power_w=0)
    assert not exhausts(BLOCKS, in_second, limit_minor=140, power_w=0)
    in_third = going_on(NEW, for_ms=30 * 60_000 + 1000, power_w=0)
    assert exhausts(BLOCKS, in_third, limit_minor=140, power_w=0)
    until = reach(BLOCKS, NEW, limit_minor=140, power_w=0)
    assert until is not None
    assert until.after_ms <= 30 * 60_000


@given(
    tariff=tariffs,
    readings=samples(most=4),
    limit_minor=st.integers(1, 3000),
    power_w=st.sampled_from([0, 3700, 22_000, 150_000]),
)
def test_up_to_the_moment_foretold_the_limit_is_not_passed(
    tariff: Tariff, readings: list[Sample], limit_minor: int, power_w: int
) -> None:
    usage = used(readings)
    until = reach(tariff, usage, limit_minor=limit_minor, power_w=power_w)
    assume(until is not None)
    assert until is not None
    now = cost_so_far(tariff, usage).exact_gross
    then = cost_so_far(tariff, going_on(usage, for_ms=until.after_ms, power_w=power_w))
    places = {"EUR": 2, "JPY": 0, "KWD": 3}[tariff.currency]
    limit = Fraction(limit_minor, 10**places)
    # What a millisecond costs, and a flat fee that falls due at once, are all that may stand above it.
    flat = sum(
        Fraction(one.price) * 2
        for element in tariff.elements
        for one in element.components
        if one.dimension is Dimension.FLAT
    )
    assert then.exact_gross <= max(Fraction(now), limit) + flat + Fraction(1, 1000)
