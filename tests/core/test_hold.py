"""The hold: what the driver reads, and when a charge has to stop to stay within it."""

from decimal import Decimal

import pytest
from tests.core.samples import TARIFF

from tapwatt.core.hold import (
    LOOK_AHEAD_MS,
    DerivedHold,
    HoldPolicy,
    hold_for,
    hold_sentence,
    must_stop,
    time_left_ms,
)
from tapwatt.core.tariff import Tariff, Usage, energy_only, kwh_tariff


def per_kwh(price: str, tax: str = "0") -> Tariff:
    """A price per kWh and a tax."""
    return kwh_tariff("T", currency="EUR", kwh_price=Decimal(price), tax_rate_percent=Decimal(tax))


HALF = per_kwh("0.50")


def charged(energy_wh: int, *, seconds: int) -> Usage:
    """An amount of energy that flowed at constant power."""
    return energy_only(energy_wh, ended_ms=seconds * 1000)


def stops(tariff: Tariff, energy_wh: int, *, seconds: int, authorised_minor: int) -> bool:
    """Whether that charge has to stop now, at the power it had."""
    power_w = energy_wh * 3600 // seconds if seconds else 0
    return must_stop(
        tariff, charged(energy_wh, seconds=seconds), power_w=power_w, authorised_minor=authorised_minor
    )


def test_the_hold_is_shown_before_the_tap() -> None:
    assert hold_sentence(HoldPolicy(amount_minor=2500, least_minor=500), currency="EUR") == "Hold 25.00 EUR"


def test_a_charge_goes_on_while_the_hold_covers_the_look_ahead_too() -> None:
    # 25.00 EUR buy 50,000 Wh; at 10 Wh a second the look-ahead of 5 s takes 50 Wh more.
    assert LOOK_AHEAD_MS == 5000
    assert not stops(HALF, 49_949, seconds=4995, authorised_minor=2500)
    assert stops(HALF, 49_950, seconds=4995, authorised_minor=2500)


def test_a_charge_at_its_limit_stops_even_when_no_power_flows() -> None:
    assert must_stop(HALF, charged(50_000, seconds=10**6), power_w=0, authorised_minor=2500)


def test_nothing_authorised_means_stop_at_once() -> None:
    assert must_stop(TARIFF, Usage(started_ms=0), power_w=0, authorised_minor=0)


def test_free_energy_has_no_limit() -> None:
    free = per_kwh("0", "19")
    assert not stops(free, 500_000, seconds=6000, authorised_minor=0)


RULE = DerivedHold(expected_wh=40_000, floor_minor=1000, cap_minor=8000, plastic_minor=5000, least_minor=100)


@pytest.mark.parametrize(
    ("price", "amount_minor", "sentence"),
    [
        ("0.50", 2000, "Hold 20.00 EUR (40 kWh)"),
        ("0.10", 1000, "Hold 10.00 EUR (100 kWh)"),
        ("1.90", 5000, "Hold 50.00 EUR (26 kWh)"),
        ("0.00", 1000, "Hold 10.00 EUR"),
    ],
)
def test_a_derived_hold_follows_the_price_within_its_bounds(
    price: str, amount_minor: int, sentence: str
) -> None:
    policy = hold_for(RULE, per_kwh(price))
    assert policy.amount_minor == amount_minor
    assert hold_sentence(policy, currency="EUR") == sentence


def test_a_derived_hold_pays_for_all_of_the_energy_that_it_names() -> None:
    # 40 kWh at 0.5831 are 23.324: 23.32 would pay for a little less.
    policy = hold_for(RULE, per_kwh("0.49", "19"))
    assert (policy.amount_minor, policy.covers_wh) == (2333, 40_010)
    assert hold_sentence(policy, currency="EUR") == "Hold 23.33 EUR (40 kWh)"


def test_a_derived_hold_never_asks_for_less_than_it_starts_for() -> None:
    strict = DerivedHold(
        expected_wh=1000, floor_minor=10, cap_minor=8000, plastic_minor=5000, least_minor=100
    )
    assert hold_for(strict, HALF) == HoldPolicy(amount_minor=50, least_minor=50, covers_wh=1000)


def test_a_fixed_hold_is_what_it_is() -> None:
    fixed = HoldPolicy(amount_minor=2500, least_minor=500)
    assert hold_for(fixed, HALF) is fixed


def test_the_rest_of_the_hold_lasts_as_long_as_full_power_takes() -> None:
    # 25.00 EUR buy 50 kWh; 40 are left, and 100 kW deliver them in 24 minutes.
    left = time_left_ms(HALF, charged(10_000, seconds=600), authorised_minor=2500, max_power_w=100_000)
    assert left == 24 * 60_000
    assert time_left_ms(HALF, charged(60_000, seconds=1), authorised_minor=2500, max_power_w=1) == 0
    assert time_left_ms(HALF, charged(0, seconds=1), authorised_minor=2500, max_power_w=0) is None
