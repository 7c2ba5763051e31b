"""OCPP 2.1 tariffs to and from the one model: exactly, or refused by name."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from tests.ocpp.v21_samples import (
    CITY,
    TARIFFS,
    VAT,
    charged,
    component,
    element,
    reserved,
    tariff,
    usages,
)

from tapwatt.core.tariff import Limits, Reservation, Restrictions, Tariff, Tax, TaxIncluded, Usage, price
from tapwatt.ocpp.mend import UnableToRead, UnableToWrite
from tapwatt.ocpp.v21 import tariffs, wire

ALL = {
    "tariffId": "night-7",
    "currency": "EUR",
    "description": [{"format": "UTF8", "language": "en", "content": "0.49 per kWh"}],
    "validFrom": "2026-03-01T00:00:00Z",
    "energy": {
        "prices": [
            {
                "priceKwh": 0.49,
                "conditions": {
                    "startTimeOfDay": "08:00",
                    "endTimeOfDay": "00:00",
                    "dayOfWeek": ["Monday", "Sunday"],
                    "validFromDate": "2026-01-01",
                    "validToDate": "2027-01-01",
                    "evseKind": "DC",
                    "minEnergy": 500,
                    "maxEnergy": 50000.5,
                    "minCurrent": 6,
                    "maxCurrent": 32,
                    "minPower": 3700,
                    "maxPower": 50000,
                    "minTime": 60,
                    "maxTime": 7200,
                    "minChargingTime": 1,
                    "maxChargingTime": 2,
                    "minIdleTime": 3,
                    "maxIdleTime": 4,
                },
            },
            {"priceKwh": 0.1000000001},
        ],
        "taxRates": [{"type": "VAT", "tax": 19}, {"type": "City", "tax": 2.5, "stack": 1}],
    },
    "chargingTime": {"prices": [{"priceMinute": 0.035}]},
    "idleTime": {"prices": [{"priceMinute": 0.12, "conditions": {"minIdleTime": 900}}]},
    "fixedFee": {
        "prices": [
            {"priceFixed": 2, "conditions": {"paymentBrand": "AMEX", "paymentRecognition": "CC"}},
            {"priceFixed": 1, "conditions": {"startTimeOfDay": "18:00", "endTimeOfDay": "20:00"}},
            {"priceFixed": 0.5},
        ]
    },
    "reservationTime": {"prices": [{"priceMinute": 0.05}]},
    "reservationFixed": {"prices": [{"priceFixed": 2}]},
    "minCost": {"exclTax": 0.5, "inclTax": 0.55},
    "maxCost": {"inclTax": 99},
}


def read(document: dict[str, Any]) -> Tariff:
    """A document with decimals as its text has them."""
    return tariffs.read(json.dumps(document))


def test_every_field_is_read_exactly() -> None:
    found = read(ALL)
    conditions = Restrictions(
        start_minute=480,
        end_minute=0,
        start_date=date(2026, 1, 1),
        end_date=date(2027, 1, 1),
        weekdays=(0, 6),
        min_kwh=Decimal("0.5"),
        max_kwh=Decimal("50.0005"),
        min_current_a=Decimal(6),
        max_current_a=Decimal(32),
        min_power_kw=Decimal("3.7"),
        max_power_kw=Decimal(50),
        min_duration_s=60,
        max_duration_s=7200,
        min_charging_s=1,
        max_charging_s=2,
        min_idle_s=3,
        max_idle_s=4,
        evse_kind="DC",
    )
    booked = Reservation.RESERVATION
    assert found == tariff(
        replace(element(component("ENERGY", "0.49", VAT, CITY)), restrictions=conditions),
        element(component("ENERGY", "0.1000000001", VAT, CITY)),
        element(component("TIME", "2.100")),
        element(component("PARKING_TIME", "7.20"), min_idle_s=900),
        element(component("FLAT", "2"), payment_brand="AMEX", payment_recognition="CC"),
        element(component("FLAT", "1"), start_minute=1080, end_minute=1200, max_duration_s=1),
        element(component("FLAT", "0.5")),
        element(component("TIME", "3.00"), reservation=booked),
        element(component("FLAT", "2"), reservation=booked),
        tariff_id="night-7",
        limits=Limits(min_net=Decimal("0.5"), min_gross=Decimal("0.55"), max_gross=Decimal(99)),
        valid_from_ms=1_772_323_200_000,
    )


def test_what_was_read_is_written_as_it_was() -> None:
    document = {**ALL, "energy": {"prices": ALL["energy"]["prices"][:1]}}  # type: ignore[index]
    text = wire.Message(format="UTF8", language="en", content="0.49 per kWh")
    written = json.loads(tariffs.write(read(document), description=(text,)))
    assert written == {**document, "validFrom": "2026-03-01T00:00:00.000Z"}


def test_a_drivers_tariff_has_no_beginning() -> None:
    assert b"validFrom" not in tariffs.write(
        read({**ALL, "energy": {"prices": [{"priceKwh": 1}]}}), driver=True
    )


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"currency": "euro"}, "$.currency", "regex"),
        ({"tariffId": "x" * 61}, "$.tariffId", "60"),
        ({"tarifId": "x"}, "", "unknown field"),
        ({"validFrom": "soon"}, "$.validFrom", "not a time"),
        ({"energy": {"prices": []}}, "$.energy.prices", "length >= 1"),
        ({"energy": {"prices": [{"priceKwh": "NaN"}]}}, "$.energy.prices[0].priceKwh", "not a number"),
        ({"energy": {"prices": [{"priceKwh": None}]}}, "$.energy.prices[0].priceKwh", "null"),
        ({"energy": {"prices": [{"priceKwh": 1e13}]}}, "$.energy.prices[0].priceKwh", "10^12"),
        ({"energy": {"prices": [{"priceKwh": 1e-15}]}}, "$.energy.prices[0].priceKwh", "places"),
        ({"energy": {"prices": [{"priceMinute": 1}]}}, "$.energy.prices[0]", "unknown field"),
        (
            {"energy": {"prices": [{"priceKwh": 1, "conditions": {"paymentBrand": "Visa"}}]}},
            "$.energy.prices[0].conditions",
            "unknown field",
        ),
        (
            {"energy": {"prices": [{"priceKwh": 1}], "taxRates": [{"type": "VAT", "tax": -1}]}},
            "$.energy.taxRates[0].tax",
            "percentage",
        ),
        (
            {"fixedFee": {"prices": [{"priceFixed": 1, "conditions": {"minTime": 1}}]}},
            "$.fixedFee",
            "unknown",
        ),
        (
            {"reservationFixed": {"prices": [{"priceFixed": 1, "conditions": {"startTimeOfDay": "08:00"}}]}},
            "$.reservationFixed.prices[0].conditions",
            "reservation or the transaction",
        ),
        (
            {"reservationTime": {"prices": [{"priceMinute": 1, "conditions": {"minEnergy": 1}}]}},
            "$.reservationTime.prices[0].conditions.minEnergy",
            "reservation",
        ),
        ({"minCost": {}}, "$.minCost", "neither"),
        ({"maxCost": {"inclTax": -1}}, "$.maxCost.inclTax", "negative"),
        ({"minCost": {"exclTax": 1, "taxRates": [{"type": "VAT", "tax": 1}]}}, "$.minCost.taxRates", "both"),
    ],
)
def test_a_document_is_refused_by_path_and_reason(change: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(UnableToRead) as refused:
        read({**ALL, **change})
    assert path in str(refused.value)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("conditions", "path", "reason"),
    [
        ({"startTimeOfDay": "24:00"}, "startTimeOfDay", "regex"),
        ({"endTimeOfDay": "8:00"}, "endTimeOfDay", "regex"),
        ({"startTimeOfDay": "08:00", "endTimeOfDay": "08:00"}, "endTimeOfDay", "the same"),
        ({"dayOfWeek": ["Freitag"]}, "dayOfWeek", "Freitag"),
        ({"validFromDate": "2026-02-30"}, "validFromDate", "no such day"),
        ({"evseKind": "HPC"}, "evseKind", "HPC"),
        ({"minPower": -10}, "minPower", "negative"),
        ({"minTime": -1}, "minTime", ">= 0"),
        ({"minTime": 1.5}, "minTime", "int"),
        ({"minSoC": 1}, "", "unknown field"),
    ],
)
def test_a_condition_is_refused_by_path_and_reason(
    conditions: dict[str, Any], path: str, reason: str
) -> None:
    with pytest.raises(UnableToRead) as refused:
        read(
            {
                **ALL,
                "idleTime": {"prices": [{"priceMinute": 1}, {"priceMinute": 1, "conditions": conditions}]},
            }
        )
    assert f"$.idleTime.prices[1].conditions{'.' + path if path else ''}" in str(refused.value)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"\xff", b"{" * 5000, b'{"tariffId":"T","currency":"EUR"', b"1"]
)
def test_what_is_no_tariff_is_refused(document: bytes) -> None:
    with pytest.raises(UnableToRead):
        tariffs.read(document)


def test_a_document_without_end_is_refused() -> None:
    with pytest.raises(UnableToRead, match="1000000 bytes"):
        tariffs.read(b" " * 1_000_001)


@pytest.mark.parametrize("more", [{}, {"minCost": {"exclTax": 1}}])
def test_a_tariff_has_a_price(more: dict[str, Any]) -> None:
    with pytest.raises(UnableToRead, match=r"\$: no price"):
        read({"tariffId": "T", "currency": "EUR", **more})


# --- what OCPP 2.1 cannot say

ENERGY = component("ENERGY", "0.49", VAT)
BOOKED = {"reservation": Reservation.RESERVATION}
REFUSED = [
    (tariff(element(component("TIME", "2.00"))), "elements[0].components[0].price per minute", "0.03333"),
    (
        tariff(element(component("TIME", "0.00003"))),
        "elements[0].components[0].price per minute",
        "6 decimal",
    ),
    (tariff(element(component("ENERGY", "0.1234567"))), "elements[0].components[0].price", "6 decimal"),
    (tariff(element(component("ENERGY", "1", step=2))), "elements[0].components[0].step_size", "no steps"),
    (
        tariff(element(ENERGY), tax_included=TaxIncluded.YES),
        "elements[0].components[0].price",
        "contains tax",
    ),
    (tariff(element(ENERGY), valid_to_ms=1), "valid_to_ms", "successor"),
    (tariff(element(ENERGY), tariff_id="x" * 61), "$.tariffId", "60"),
    (tariff(element(ENERGY), currency="€"), "$.currency", "regex"),
    (tariff(element(ENERGY), valid_from_ms=10**16), "valid_from_ms", "no such time"),
    (
        tariff(element(component("TIME", "6"), reservation=Reservation.EXPIRES)),
        "elements[0].restrictions.reservation",
        "expired",
    ),
    (tariff(element(ENERGY, **BOOKED)), "elements[0].components[0]", "a reservation has no ENERGY"),
    (tariff(element(component("TIME", "6"), min_kwh=Decimal(1), **BOOKED)), "min_kwh", "no such condition"),
    (
        tariff(element(component("FLAT", "1"), start_minute=480)),
        "elements[0].restrictions",
        "only when the transaction starts",
    ),
    (tariff(element(component("FLAT", "1"), max_duration_s=1)), "elements[0].restrictions", "only when"),
    (
        tariff(element(component("FLAT", "1"), min_kwh=Decimal(1))),
        "elements[0].restrictions.min_kwh",
        "no such",
    ),
    (tariff(element(component("FLAT", "1"), min_duration_s=60)), "min_duration_s", "no such condition"),
    (tariff(element(component("FLAT", "1"), payment_brand="x" * 21)), "payment_brand", "20 characters"),
    (tariff(element(component("FLAT", "1"), start_minute=480, **BOOKED)), "elements[0]", "whose start"),
    (tariff(element(ENERGY, payment_brand="Visa")), "elements[0].restrictions", "only a fixed fee"),
    (tariff(element(ENERGY, evse_kind="HPC")), "elements[0].restrictions.evse_kind", "AC and DC"),
    (tariff(element(ENERGY, start_minute=1440)), "elements[0].restrictions", "not a time of day"),
    (tariff(element(ENERGY, min_power_kw=Decimal(-1))), "elements[0].restrictions.min_power_kw", "negative"),
    (tariff(element(ENERGY, min_kwh=Decimal("1e-10"))), "elements[0].restrictions.min_kwh", "6 decimal"),
    (
        tariff(element(ENERGY), element(component("ENERGY", "1"))),
        "elements[1].components[0].taxes",
        "unlike those of elements[0].components[0]",
    ),
    (tariff(element(component("ENERGY", "1", *[VAT] * 6))), "elements[0].components[0].taxes", "more than 5"),
    (
        tariff(element(component("ENERGY", "1", Tax(name="x" * 21, rate_percent=Decimal(1))))),
        "$.energy.taxRates",
        "20",
    ),
    (
        tariff(element(ENERGY, component("FLAT", "1")), limits=Limits(min_net=Decimal(1))),
        "limits",
        "taxes are unlike",
    ),
    (tariff(limits=Limits(max_net=Decimal(1))), "elements", "no price"),
    (tariff(element(ENERGY), limits=Limits(max_net=Decimal("0.0000001"))), "limits.max_net", "6 decimal"),
    (tariff(*[element(ENERGY)] * 201), "$.energy.prices", "200"),
    (tariff(element(component("ENERGY", "1e12"))), "elements[0].components[0].price", "10^12"),
]


@pytest.mark.parametrize(("of", "path", "reason"), REFUSED)
def test_a_tariff_is_refused_by_place_and_reason(of: Tariff, path: str, reason: str) -> None:
    with pytest.raises(UnableToWrite) as refused:
        tariffs.write(of)
    assert path in str(refused.value)
    assert reason in str(refused.value)


def same_price(one: Tariff, other: Tariff, usage: Usage) -> None:
    first, second = price(one, usage), price(other, usage)
    assert (first.exact_net, first.exact_gross) == (second.exact_net, second.exact_gross)
    assert (first.net_minor, first.gross_minor) == (second.net_minor, second.gross_minor)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(TARIFFS, usages())
def test_a_tariff_that_is_not_refused_costs_the_same(of: Tariff, usage: Usage) -> None:
    try:
        document = tariffs.write(of)
    except UnableToWrite:
        assume(False)
    again = tariffs.read(document)
    if any(one.step_size for each in of.elements for one in each.components):
        # whole watt-hours and seconds may have been cut by a price that ends within one
        difference = price(of, usage).exact_gross - price(again, usage).exact_gross
        assert 0 <= difference < Decimal("0.2")
    else:
        same_price(of, again, usage)
    assert tariffs.write(again) == document


@pytest.mark.parametrize(
    "of",
    [
        tariff(element(component("ENERGY", "0.25", VAT, step=1), component("TIME", "3.00", VAT, step=1))),
        tariff(element(ENERGY), tax_included=TaxIncluded.NOT_APPLICABLE),
        tariff(element(component("ENERGY", "0.25")), tax_included=TaxIncluded.YES),
        # free idle time may have any tax
        tariff(
            element(component("PARKING_TIME", "0"), max_idle_s=900),
            element(component("PARKING_TIME", "6", VAT)),
        ),
        tariff(element(ENERGY), limits=Limits(min_net=Decimal(20))),
        tariff(element(ENERGY), limits=Limits(max_gross=Decimal(2))),
        tariff(element(ENERGY, start_minute=600, end_minute=600)),
        tariff(element(ENERGY, end_minute=1440)),
        tariff(element(ENERGY), preauthorise=Decimal(50)),
    ],
)
def test_these_cost_the_same_too(of: Tariff) -> None:
    same_price(of, tariffs.read(tariffs.write(of)), reserved(charged(12_345, 3600, idle_s=2000), 600))


def test_a_night_on_certain_days_becomes_an_evening_and_a_morning() -> None:
    night = tariff(element(ENERGY, start_minute=1320, end_minute=360, weekdays=(4,)))
    prices = json.loads(tariffs.write(night))["energy"]["prices"]
    assert [
        (
            each["conditions"]["startTimeOfDay"],
            each["conditions"]["endTimeOfDay"],
            each["conditions"]["dayOfWeek"],
        )
        for each in prices
    ] == [("22:00", "00:00", ["Friday"]), ("00:00", "06:00", ["Friday"])]


def test_a_night_on_every_day_stays_one_price() -> None:
    night = tariff(element(ENERGY, start_minute=1320, end_minute=360))
    (one,) = json.loads(tariffs.write(night))["energy"]["prices"]
    assert one["conditions"] == {"startTimeOfDay": "22:00", "endTimeOfDay": "06:00"}


def test_a_fixed_fee_of_the_evening_is_not_due_when_the_evening_comes_later() -> None:
    fee = {"priceFixed": 1, "conditions": {"startTimeOfDay": "00:00", "endTimeOfDay": "01:00"}}
    evening = read({"tariffId": "T", "currency": "EUR", "fixedFee": {"prices": [fee]}})
    at_23, at_0 = charged(1000, 7200), charged(1000, 7200, started_ms=1_774_742_400_000)
    assert (price(evening, at_23).gross_minor, price(evening, at_0).gross_minor) == (0, 100)


@pytest.mark.parametrize(
    ("most", "conditions", "reason"),
    [
        (None, True, None),
        (3, True, None),
        (2, True, "$.energy.prices: 3 prices, the station takes 2"),
        (None, False, "$.energy.prices[0].conditions: the station takes none"),
    ],
)
def test_what_a_station_takes(most: int | None, conditions: bool, reason: str | None) -> None:
    of = tariff(
        element(ENERGY, start_minute=1320, end_minute=360, weekdays=(4,)),
        element(ENERGY),
        element(component("FLAT", "1")),
    )
    assert tariffs.unsupported(of, most, conditions) == reason
    assert tariffs.unsupported(tariff(element(ENERGY)), most, conditions) is None
