"""A tariff in sentences."""

from datetime import date
from decimal import Decimal as D

import pytest
from tests.markets.test_lint import ENERGY, FLAT, IDLE, KWH, PARKED, TIME, of, tariff

from tapwatt.core.tariff.described import described
from tapwatt.core.tariff.model import Element, Limits, Reservation, Tariff, TaxIncluded

SENTENCES: list[tuple[Element, str]] = [
    (ENERGY, "Energy costs 0.5831 EUR per kWh."),
    (of(KWH, "0"), "Energy is free."),
    (of(TIME, "3"), "Charging time costs 0.0595 EUR per minute."),
    (of(TIME, "1"), "Charging time costs 0.019833 EUR per minute."),
    (IDLE, "Standing without charging costs 0.119 EUR per minute after 15 minutes of standing."),
    (of(PARKED, "0", max_idle_s=900),
     "Standing without charging is free for the first 15 minutes of standing."),
    (of(FLAT, "0.35", taxes=()), "Each session costs 0.35 EUR once."),
    (
        of(KWH, "0.4", start_minute=1320, end_minute=360, weekdays=(6, 4)),
        "Energy costs 0.476 EUR per kWh from 22:00 to 06:00 and on Fri and Sun.",
    ),
    (of(KWH, "1", max_kwh=D(10)), "Energy costs 1.19 EUR per kWh for the first 10 kWh."),
    (of(KWH, "1", min_kwh=D(10)), "Energy costs 1.19 EUR per kWh beyond 10 kWh."),
    (of(KWH, "1", min_kwh=D(5), max_kwh=D(10)), "Energy costs 1.19 EUR per kWh for kWh 5 to 10."),
    (
        of(KWH, "100", start_date=date(2027, 1, 1), end_date=date(2028, 1, 1), evse_kind="DC"),
        "Energy costs 119 EUR per kWh from 2027-01-01 on and until the day before 2028-01-01 and at DC.",
    ),
    (
        of(TIME, "6", step=300, min_duration_s=3600, max_duration_s=5430),
        "Charging time costs 0.119 EUR per minute from 1 hour to 5430 seconds of the session, "
        "filled up to whole steps of 5 minutes.",
    ),
    (of(KWH, "1", step=500), "Energy costs 1.19 EUR per kWh, filled up to whole steps of 500 Wh."),
    (
        of(FLAT, "2", reservation=Reservation.EXPIRES),
        "For an expired reservation: each session costs 2.38 EUR once.",
    ),
    (of(KWH, "1", payment_brand="visa", min_power_kw=D(50)),
     "Energy costs 1.19 EUR per kWh at 50 kW and more "
     "and with visa cards."),
]  # fmt: skip


@pytest.mark.parametrize(("element", "sentence"), SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_a_price_is_a_sentence(element: Element, sentence: str) -> None:
    assert described(tariff(element))[0] == sentence


def test_the_whole_tariff_is_told() -> None:
    whole: Tariff = tariff(
        of(KWH, "0.39", start_minute=1320, end_minute=360),
        ENERGY,
        limits=Limits(min_net=D(1), max_net=D(80), max_gross=D("95.2")),
        preauthorise=D(40),
        valid_from_ms=1_800_000_000_000,
    )
    assert described(whole)[1:] == (
        "Energy costs 0.5831 EUR per kWh at all other times.",
        "Nothing is charged for the session itself, standing without charging and charging time.",
        "A session costs at least 1 EUR before tax.",
        "A session costs at most 80 EUR before tax and 95.20 EUR with tax.",
        "Prices contain 19 % VAT.",
        "40 EUR are held on the card before the charge.",
        "Sessions may begin with it from 2027-01-15 08:00 UTC on.",
    )
    assert "No tax applies." in described(tariff(ENERGY, tax_included=TaxIncluded.NOT_APPLICABLE))
    assert "No tax is stated." in described(tariff(of(KWH, "1", taxes=())))
    assert described(tariff(ENERGY, tax_included=TaxIncluded.YES))[0] == "Energy costs 0.49 EUR per kWh."
    ends = described(tariff(ENERGY, valid_from_ms=0, valid_to_ms=60_000))[-1]
    assert ends == "Sessions may begin with it from 1970-01-01 00:00 UTC until 1970-01-01 00:01 UTC."
