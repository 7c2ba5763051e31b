"""The hold: what the driver reads, and when a charge has to stop to stay within it."""

from decimal import Decimal

from tests.core.samples import TARIFF

from tapwatt.core.energy import Meter, begin, read
from tapwatt.core.hold import LOOK_AHEAD_MS, HoldPolicy, hold_sentence, must_stop
from tapwatt.core.tariff import Tariff

HALF = Tariff(tariff_id="T", currency="EUR", kwh_price=Decimal("0.50"), tax_rate_percent=Decimal(0))


def metered(energy_wh: int, *, seconds: int) -> Meter:
    """A meter that took in an amount of energy at constant power."""
    return read(begin(0, at_ms=0), energy_wh, at_ms=seconds * 1000, max_power_w=350_000)


def test_the_hold_is_shown_before_the_tap() -> None:
    assert hold_sentence(HoldPolicy(amount_minor=2500, least_minor=500), currency="EUR") == "Hold 25.00 EUR"


def test_a_charge_goes_on_while_the_hold_covers_the_look_ahead_too() -> None:
    # 25.00 EUR buy 50,000 Wh; at 10 Wh a second the look-ahead of 5 s takes 50 Wh more.
    assert LOOK_AHEAD_MS == 5000
    assert not must_stop(HALF, metered(49_949, seconds=4995), authorised_minor=2500)
    assert must_stop(HALF, metered(49_950, seconds=4995), authorised_minor=2500)


def test_a_charge_at_its_limit_stops_even_when_no_power_flows() -> None:
    assert must_stop(HALF, metered(50_000, seconds=10**6), authorised_minor=2500)


def test_nothing_authorised_means_stop_at_once() -> None:
    assert must_stop(TARIFF, begin(0, at_ms=0), authorised_minor=0)


def test_free_energy_has_no_limit() -> None:
    free = Tariff(tariff_id="T", currency="EUR", kwh_price=Decimal(0), tax_rate_percent=Decimal(19))
    assert not must_stop(free, metered(500_000, seconds=6000), authorised_minor=0)
