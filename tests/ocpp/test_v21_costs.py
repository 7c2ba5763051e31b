"""costDetails of OCPP 2.1: written from a bill, and a station's own worked out again."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ocpp.v21_samples import (
    CITY,
    TARIFFS,
    VAT,
    around,
    charged,
    component,
    element,
    reserved,
    tariff,
    usages,
)

from tapwatt.core.bill import PER_LINE, PER_TOTAL, Rounding, limited
from tapwatt.core.tariff import Limits, Reservation, Tariff, Usage, price
from tapwatt.ocpp.mend import UnableToRead, UnableToWrite
from tapwatt.ocpp.v21 import claims, costs

EVERYTHING = tariff(
    element(component("ENERGY", "0.40", VAT, CITY), start_minute=480, end_minute=0),
    element(component("ENERGY", "0.25", VAT, CITY)),
    element(component("TIME", "0.60", VAT)),
    element(component("PARKING_TIME", "0"), max_idle_s=900),
    element(component("PARKING_TIME", "7.20", VAT)),
    element(component("FLAT", "1", VAT)),
    element(component("TIME", "3", VAT), reservation=Reservation.RESERVATION),
    element(component("FLAT", "2", VAT), reservation=Reservation.RESERVATION),
)
KWH = element(component("ENERGY", "0.25", VAT))
STAY = reserved(charged(10_000, 7200, idle_s=1800), 600)


def written(
    of: Tariff, usage: Usage, rounding: Rounding = PER_TOTAL, *, ended: bool = True
) -> dict[str, Any]:
    """The costDetails of a session, decimals kept."""
    document = costs.write(price(of, usage, rounding), usage, of, ended=ended)
    found: dict[str, Any] = json.loads(document, parse_float=Decimal)
    return found


def checked(
    claim: dict[str, Any], of: Tariff, usage: Usage, rounding: Rounding = PER_TOTAL
) -> claims.Checked:
    """A claim worked out again."""
    return claims.check(claims.read(json.dumps(claim, default=float)), of, around(usage), rounding)


def test_costs_usage_and_periods_of_a_stay() -> None:
    # 23:00 to 01:00: 5 kWh by day at 0.40, 5 kWh by night at 0.25; 2 h; 15 of 30 min idle are free.
    details = written(EVERYTHING, STAY)
    assert details["totalCost"] == {
        "currency": "EUR",
        "typeOfCost": "NormalCost",
        "energy": {"exclTax": Decimal("3.25"), "inclTax": Decimal("3.964188")},  # × 1.19 × 1.025
        "chargingTime": {"exclTax": Decimal("1.2"), "inclTax": Decimal("1.428")},
        "idleTime": {"exclTax": Decimal("1.8"), "inclTax": Decimal("2.142")},
        "fixed": {"exclTax": 1, "inclTax": Decimal("1.19")},
        "reservationTime": {"exclTax": Decimal("0.5"), "inclTax": Decimal("0.595")},
        "reservationFixed": {"exclTax": 2, "inclTax": Decimal("2.38")},
        "total": {"exclTax": Decimal("9.75"), "inclTax": Decimal("11.699188")},
    }
    assert details["totalUsage"] == {
        "energy": 10_000,
        "chargingTime": 7200,
        "idleTime": 1800,
        "reservationTime": 600,
    }
    volumes = [
        (each["startPeriod"][11:19], each["tariffId"], *(one["volume"] for one in each["dimensions"][:3]))
        for each in details["chargingPeriods"]
    ]
    assert volumes == [
        ("23:00:00", "T", 5000, 3600, 0),
        ("00:00:00", "T", 5000, 3600, 0),
        ("01:00:00", "T", 0, 0, 900),
        ("01:15:00", "T", 0, 0, 900),
    ]
    kinds = [one["type"] for one in details["chargingPeriods"][0]["dimensions"]]
    assert kinds == ["Energy", "ChargingTime", "IdleTIme"]


def test_power_is_told_where_a_price_depends_on_it() -> None:
    fast = element(component("ENERGY", "0.60", VAT), min_power_kw=Decimal(50))
    usage = charged(30_000, 1800)
    details = written(tariff(fast, KWH), usage)
    power = {one["type"]: one["volume"] for one in details["chargingPeriods"][0]["dimensions"][3:]}
    assert power == {"MinPower": 60_000, "MaxPower": 60_000}
    details["chargingPeriods"][0]["dimensions"][3]["volume"] = 49_999
    fields = [each.field for each in checked(details, tariff(fast, KWH), usage).differences]
    assert "$.totalCost.energy.inclTax" in fields


@pytest.mark.parametrize(
    ("rounding", "total"),
    [(PER_TOTAL, "1.19"), (Rounding(cash_step_minor=5, name="5 c"), "1.2")],
)
def test_coins_are_rounded_as_on_the_bill(rounding: Rounding, total: str) -> None:
    cost = written(tariff(KWH), charged(4000, 3600), rounding)["totalCost"]
    assert str(cost["total"]["inclTax"]) == total


def test_there_are_no_periods_before_the_end() -> None:
    assert "chargingPeriods" not in written(EVERYTHING, STAY, ended=False)


@pytest.mark.parametrize(
    ("limits", "kind", "total", "shown"),
    [
        (Limits(min_net=Decimal(5), min_gross=Decimal(6)), "MinCost", (5, 6), {"fixed"}),
        (Limits(max_net=Decimal(2), max_gross=Decimal("2.2")), "MaxCost", (2, Decimal("2.2")), set()),
        (Limits(max_gross=Decimal("2.975")), "MaxCost", (Decimal("2.5"), Decimal("2.975")), set()),
        (
            Limits(min_net=Decimal(1), max_net=Decimal(9)),
            "NormalCost",
            (Decimal("2.5"), Decimal("2.975")),
            {"energy"},
        ),
    ],
)
def test_a_limit_that_decides_is_told(
    limits: Limits, kind: str, total: tuple[Any, Any], shown: set[str]
) -> None:
    usage, of = charged(10_000, 3600), tariff(KWH, limits=limits)
    cost = written(of, usage)["totalCost"]
    assert cost["typeOfCost"] == kind
    assert (cost["total"]["exclTax"], cost["total"]["inclTax"]) == total
    assert set(cost) - {"currency", "typeOfCost", "total"} == shown
    assert checked(written(of, usage), of, usage).agrees


def test_a_bill_cut_to_a_hold_has_no_place_in_cost_details() -> None:
    usage = charged(10_000, 3600)
    with pytest.raises(UnableToWrite, match="'limit'"):
        costs.write(limited(price(tariff(KWH), usage), 100), usage, tariff(KWH))


ROUNDINGS = st.sampled_from([PER_TOTAL, PER_LINE, Rounding(cash_step_minor=5, name="5 c")])
FINE = TARIFFS.filter(lambda of: all(one.step_size <= 1 for each in of.elements for one in each.components))


@settings(max_examples=100, deadline=None)
@given(FINE, usages(), ROUNDINGS)
def test_our_own_cost_details_agree(of: Tariff, usage: Usage, rounding: Rounding) -> None:
    found = checked(written(of, usage, rounding), of, usage, rounding)
    assert found.bill is not None
    assert found == claims.Checked(bill=found.bill)
    assert abs(found.bill.exact_gross - price(of, usage).exact_gross) < Decimal("0.0001")


@settings(max_examples=100, deadline=None)
@given(FINE, usages(), st.sampled_from(["exclTax", "inclTax"]), st.sampled_from(["0.01", "-0.01"]))
def test_a_cent_is_a_difference(of: Tariff, usage: Usage, side: str, cent: str) -> None:
    details = written(of, usage)
    details["totalCost"]["total"][side] += Decimal(cent)
    found = checked(details, of, usage)
    assert [each.field for each in found.differences] == [f"$.totalCost.total.{side}"]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The costDetails of the stay with one field changed; None takes it out."""
    details: Any = written(EVERYTHING, STAY)
    *way, last = path.split(".")
    place = details
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return details  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("path", "value", "field", "ours"),
    [
        ("totalCost.total.inclTax", 11.71, "$.totalCost.total.inclTax", Decimal("11.6991875")),
        ("totalCost.total", {}, "$.totalCost.total", Decimal("11.6991875")),
        ("totalCost.energy.inclTax", 3.97, "$.totalCost.energy.inclTax", Decimal("3.9641875")),
        ("totalCost.energy", None, "$.totalCost.energy", Decimal("3.9641875")),
        ("totalCost.idleTime.exclTax", 3.6, "$.totalCost.idleTime.exclTax", Decimal("1.8")),
        ("totalCost.fixed.inclTax", 1, "$.totalCost.fixed.inclTax", Decimal("1.19")),
        ("totalCost.typeOfCost", "MaxCost", "$.totalCost.typeOfCost", "NormalCost"),
        ("totalCost.currency", "USD", "$.totalCost.currency", "EUR"),
        ("totalUsage.energy", 10_010, "$.totalUsage.energy", Decimal(10_000)),
        ("totalUsage.idleTime", 3600, "$.totalUsage.idleTime", Decimal(1800)),
        ("totalUsage.chargingTime", 100, "$.totalUsage.chargingTime", Decimal(7200)),
        ("chargingPeriods.1.tariffId", "U", "$.chargingPeriods[1].tariffId", "T"),
    ],
)
def test_what_differs_is_named(path: str, value: Any, field: str, ours: Any) -> None:
    found = checked(changed(path, value), EVERYTHING, STAY)
    assert [(each.field, each.ours) for each in found.differences] == [(field, ours)]
    assert not found.agrees


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("totalCost.total.inclTax", 11.7),  # rounded to cents
        ("totalCost.total.inclTax", 11.699187),  # cut off after six places
        ("totalCost.total.inclTax", 11.699187500000001),  # a float's noise
        ("totalCost.total.exclTax", None),
        ("totalCost.energy.exclTax", None),
        ("totalUsage.chargingTime", 9000),  # the whole session
        ("totalUsage.energy", 10_000.4),
        ("chargingPeriods.3.dimensions.2.type", "IdleTime"),
        ("totalCost.customData", {"vendorId": "x"}),
        ("chargingPeriods.0.customData", {"vendorId": "x"}),
    ],
)
def test_what_stations_may_write_agrees(path: str, value: Any) -> None:
    assert checked(changed(path, value), EVERYTHING, STAY).agrees


def test_the_order_of_the_periods_does_not_matter() -> None:
    details = written(EVERYTHING, STAY)
    details["chargingPeriods"].reverse()
    assert checked(details, EVERYTHING, STAY).agrees


def test_another_usage_is_another_price() -> None:
    details = written(EVERYTHING, STAY)
    details["chargingPeriods"][0]["dimensions"][0]["volume"] = 9000
    fields = [each.field for each in checked(details, EVERYTHING, STAY).differences]
    assert fields[0] == "$.totalUsage.energy"
    assert {"$.totalCost.energy.inclTax", "$.totalCost.total.inclTax"} <= set(fields)


def test_kilowatt_hours_and_minutes_in_periods_are_seen_by_the_totals() -> None:
    details = written(EVERYTHING, STAY)
    for period in details["chargingPeriods"]:
        for one, scale in zip(period["dimensions"][:3], (1000, 60, 60), strict=True):
            one["volume"] = Decimal(one["volume"]) / scale
    found = checked(details, EVERYTHING, STAY)
    assert found.agrees
    assert found.remarks == (
        "$.chargingPeriods: energy is told in kWh",
        "$.chargingPeriods: idleTime is told in minutes",
        "$.chargingPeriods: chargingTime is told in minutes",
    )


def test_a_station_that_failed_is_not_compared_but_priced() -> None:
    details = {**written(EVERYTHING, STAY), "failureToCalculate": True, "failureReason": "no clock"}
    details["totalCost"] = {"currency": "EUR", "typeOfCost": "NormalCost", "total": {}}
    found = checked(details, EVERYTHING, STAY)
    assert (found.reason, found.differences) == ("the station failed to calculate: no clock", ())
    assert found.bill == price(EVERYTHING, STAY)
    assert not found.agrees
    del details["chargingPeriods"], details["failureReason"]
    assert checked(details, EVERYTHING, STAY) == claims.Checked(
        bill=None, reason="the station failed to calculate: no reason given"
    )


def test_without_periods_the_totals_do_where_prices_do_not_change() -> None:
    usage = charged(10_000, 3600, idle_s=600)
    hourly = element(component("PARKING_TIME", "6", VAT), component("TIME", "3", VAT))
    simple = tariff(KWH, hourly, element(component("FLAT", "1", VAT)))
    details = written(simple, usage, ended=False)
    assert checked(details, simple, usage).agrees
    details["totalUsage"]["chargingTime"] = 4200  # the whole session, as the schema's note says
    assert checked(details, simple, usage).agrees
    found = checked(written(EVERYTHING, STAY, ended=False), EVERYTHING, STAY)
    assert found == claims.Checked(
        bill=None, reason="$.chargingPeriods: missing, and the tariff's prices change within a session"
    )


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("chargingPeriods.0.startPeriod", "noon", r"\$.chargingPeriods\[0\].startPeriod: not a time"),
        (
            "chargingPeriods.0.dimensions.0.volume",
            -1,
            r"\$.chargingPeriods\[0\].dimensions\[0\].volume: negative",
        ),
        ("chargingPeriods.0.dimensions.0.volume", 1e13, r"dimensions\[0\].volume: not a number"),
        ("totalUsage.energy", 1e13, r"\$.totalUsage.energy: not a number"),
        ("totalCost.total.inclTax", 1e13, r"\$.totalCost.total.inclTax: not a number"),
        ("chargingPeriods.0.startPeriod", "2020-01-01T00:00:00Z", "more than a year|begins before"),
    ],
)
def test_figures_that_cannot_be_are_the_reason(path: str, value: Any, reason: str) -> None:
    found = checked(changed(path, value), EVERYTHING, STAY)
    assert not found.agrees
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(found.reason)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (b"{", r"\$: not JSON"),
        (b"{}", "totalCost"),
        (b'{"totalCost":{"currency":"EUR","typeOfCost":"Normal","total":{}},"totalUsage":{}}', "typeOfCost"),
        (
            b'{"totalCost":{"currency":"EUR","typeOfCost":"MinCost","total":1},"totalUsage":{}}',
            r"totalCost\.total",
        ),
    ],
)
def test_what_is_no_cost_details_is_refused(document: bytes, path: str) -> None:
    with pytest.raises(UnableToRead, match=path):
        claims.read(document)
