"""Countries as dated data: rounding, currency, rules, each with its source."""

from datetime import date
from decimal import Decimal

import pytest

from tapwatt.core.bill import PER_TOTAL
from tapwatt.core.tariff import energy_only, kwh_tariff, price
from tapwatt.markets import jurisdictions
from tapwatt.markets.jurisdictions import country_on, rounding_for, rules, surprising
from tapwatt.markets.lawful import CHECKS

NEW_YEAR = date(2026, 1, 1)


def test_bulgaria_has_the_euro_from_2026() -> None:
    before, after = country_on("BG", date(2025, 12, 31)), country_on("BG", NEW_YEAR)
    assert before is not None
    assert after is not None
    assert (before.currency, after.currency) == ("BGN", "EUR")


@pytest.mark.parametrize(
    ("code", "currency", "gross_minor"),
    # 7.355 kWh at 45.10: 331.7105
    [
        ("DE", "EUR", 33171),
        ("", "EUR", 33171),
        ("ZZ", "EUR", 33171),
        ("HU", "HUF", 33200),
        ("JP", "JPY", 332),
    ],
)
def test_a_bill_is_rounded_as_its_country_does(code: str, currency: str, gross_minor: int) -> None:
    tariff = kwh_tariff("T", currency=currency, kwh_price=Decimal("45.10"), tax_rate_percent=Decimal(0))
    bill = price(tariff, energy_only(7355), rounding_for(code, NEW_YEAR))
    assert bill.gross_minor == gross_minor


def test_only_coins_are_rounded_to_coins() -> None:
    assert rounding_for("NL", NEW_YEAR) == PER_TOTAL
    assert rounding_for("NL", NEW_YEAR, cash=True).cash_step_minor == 5
    assert rounding_for("HU", NEW_YEAR, cash=True).cash_step_minor == 100


def test_the_data_is_whole() -> None:
    data = jurisdictions._data()
    for row in data["country"]:
        known = country_on(row["code"], row.get("from", NEW_YEAR))
        assert known is not None
        assert len(known.currency) == 3
        assert known.currency in surprising().one_eur, known.currency
        assert rounding_for(row["code"], NEW_YEAR).cash_step_minor >= 1
    ids = [rule.rule_id for rule in rules()]
    assert len(ids) == len(set(ids))
    for rule in rules():
        assert rule.kind in CHECKS
        assert rule.certainty in ("certain", "unsure")
        assert rule.source
        assert rule.countries <= {row["code"] for row in data["country"]} | set(data["groups"]["EU"])
    assert {rule.kind for rule in rules()} == set(CHECKS)


def test_a_rule_holds_there_and_then_and_at_that_power() -> None:
    rule = next(rule for rule in rules() if rule.rule_id == "eu-kwh-price")
    day = date(2024, 4, 13)
    assert rule.holds("FR", day, 50_000)
    assert not rule.holds("FR", day, 49_999)
    assert not rule.holds("FR", date(2024, 4, 12), 50_000)
    assert not rule.holds("GB", day, 50_000)
