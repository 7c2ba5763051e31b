"""What a charge would cost, in words and cents."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from tapwatt.core.site import Site
from tapwatt.core.tariff import Component, Dimension, Element, Restrictions, kwh_tariff
from tapwatt.core.tariff.quotes import quote, quote_sentence
from tapwatt.core.tariff.shown import price_sentence

BERLIN = Site(time_zone="Europe/Berlin", evse_kind="DC")
SIX = int(datetime.fromisoformat("2026-07-01T18:00:00+02:00").timestamp() * 1000)
MINUTE = 60_000
DAY_TARIFF = kwh_tariff("T", currency="EUR", kwh_price=Decimal("0.59"), tax_rate_percent=Decimal(0))
EVENING = replace(
    DAY_TARIFF,
    elements=(
        Element(
            components=(Component(dimension=Dimension.ENERGY, price=Decimal("0.39")),),
            restrictions=Restrictions(start_minute=18 * 60 + 15, end_minute=6 * 60),
        ),
        *DAY_TARIFF.elements,
        Element(
            components=(Component(dimension=Dimension.PARKING_TIME, price=Decimal(6)),),
            restrictions=Restrictions(min_idle_s=600),
        ),
    ),
)


def test_a_quote_is_one_sentence() -> None:
    asked = {"at_ms": SIX, "energy_wh": 20_000, "charging_ms": 25 * MINUTE, "site": BERLIN}
    assert quote_sentence(DAY_TARIFF, **asked) == "20 kWh in 25 minutes at 18:00 costs 11.80 EUR"  # type: ignore[arg-type]
    parked = quote_sentence(EVENING, idle_ms=30 * MINUTE, **asked)  # type: ignore[arg-type]
    # 12 kWh at 0.59 until 18:15, 8 kWh at 0.39, and 20 of 30 minutes at 0.10.
    assert parked == "20 kWh in 25 minutes at 18:00 and 30 minutes parked costs 12.20 EUR"


def test_a_quote_is_a_bill_with_every_line() -> None:
    bill = quote(EVENING, at_ms=SIX, energy_wh=20_000, charging_ms=25 * MINUTE, site=BERLIN)
    assert [(str(line.quantity), str(line.unit_price)) for line in bill.lines] == [
        ("12", "0.59"),
        ("8", "0.39"),
    ]


def test_the_price_that_is_shown_is_the_one_of_the_moment() -> None:
    at_six = price_sentence(EVENING, at_ms=SIX, time_zone="Europe/Berlin")
    assert at_six == "0.59 EUR/kWh + 0.10 EUR/min parked (from 600 s of idling)"
    later = price_sentence(EVENING, at_ms=SIX + 20 * MINUTE, time_zone="Europe/Berlin")
    assert later.startswith("0.39 EUR/kWh (18:15–06:00)")


def test_what_costs_nothing_is_free() -> None:
    free = replace(
        DAY_TARIFF, elements=(Element(components=(Component(dimension=Dimension.FLAT, price=Decimal(0)),)),)
    )
    assert price_sentence(free) == "free"
