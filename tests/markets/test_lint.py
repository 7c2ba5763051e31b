"""Planted mistakes: each is seen, where it stands and for what it is; lawful tariffs are left alone."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.core.tariff.model import (
    Component,
    Dimension,
    Element,
    Limits,
    Reservation,
    Restrictions,
    Tariff,
    Tax,
    TaxIncluded,
)
from tapwatt.markets.findings import Finding, Where
from tapwatt.markets.jurisdictions import Severity
from tapwatt.markets.lint import lint

NOW_MS = 1_800_014_400_000  # 15 January 2027
DAY = date(2027, 1, 15)
DE_FAST = Where(
    day=DAY, now_ms=NOW_MS, country="DE", power_w=150_000, evse_kind="DC", time_zone="Europe/Berlin"
)
DE_SLOW = replace(DE_FAST, power_w=22_000, evse_kind="AC")
NOWHERE = Where(day=DAY, now_ms=NOW_MS)
VAT = (Tax(name="VAT", rate_percent=D(19)),)
KWH, TIME, PARKED, FLAT = Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME, Dimension.FLAT


def of(
    dimension: Dimension, price: str, step: int = 0, taxes: tuple[Tax, ...] = VAT, **rules: Any
) -> Element:
    component = Component(dimension=dimension, price=D(price), taxes=taxes, step_size=step)
    return Element(components=(component,), restrictions=Restrictions(**rules))


def tariff(*elements: Element, **more: Any) -> Tariff:
    return Tariff(tariff_id="T", currency=more.pop("currency", "EUR"), elements=elements, **more)


ENERGY = of(KWH, "0.49")
IDLE = of(PARKED, "6.00", min_idle_s=900)

LAWFUL: dict[str, tuple[Tariff, Where]] = {
    "a price per kWh": (tariff(ENERGY), DE_FAST),
    "with an idle fee after grace": (tariff(ENERGY, IDLE), DE_FAST),
    "the grace as a free element": (
        tariff(ENERGY, of(PARKED, "0", max_idle_s=900), of(PARKED, "6.00")),
        DE_FAST,
    ),
    "an occupancy fee after four hours": (tariff(ENERGY, of(TIME, "6", min_duration_s=14_400)), DE_FAST),
    "day and night over midnight": (
        tariff(of(KWH, "0.39", start_minute=1320, end_minute=360), of(KWH, "0.49", start_minute=360,
        end_minute=1320)),
        DE_FAST,
    ),
    "a night price before the usual one": (
        tariff(of(KWH, "0.39", start_minute=1320, end_minute=360), ENERGY),
        DE_FAST,
    ),
    "weekdays and weekend": (
        tariff(of(KWH, "0.59", weekdays=(0, 1, 2, 3, 4)), of(KWH, "0.49", weekdays=(5, 6))),
        DE_FAST,
    ),
    "tiers of energy": (
        tariff(of(KWH, "0.59", max_kwh=D(20)), of(KWH, "0.49", min_kwh=D(20), max_kwh=D("30.5")),
               of(KWH, "0.40", min_kwh=D("30.5"))),
        DE_FAST,
    ),
    "tiers of power": (tariff(of(KWH, "0.49", max_power_kw=D(50)), of(KWH, "0.59", min_power_kw=D(50))),
     DE_FAST),
    "a finer price than can be paid": (tariff(of(KWH, "0.4873")), DE_FAST),
    "limits and hold": (
        tariff(ENERGY, limits=Limits(min_net=D("1.00"), min_gross=D("1.19"), max_net=D(90)),
        preauthorise=D(40)),
        DE_FAST,
    ),
    "a reservation": (tariff(ENERGY, of(FLAT, "2", reservation=Reservation.RESERVATION)), DE_FAST),
    "a dated promotion": (
        tariff(of(KWH, "0.39", start_date=date(2027, 2, 1), end_date=date(2027, 3, 1)), ENERGY),
        DE_FAST,
    ),
    "free": (tariff(of(KWH, "0")), DE_FAST),
    "a price that begins tomorrow": (tariff(ENERGY, valid_from_ms=NOW_MS + 86_400_000), DE_FAST),
    "one price in pounds": (
        tariff(of(KWH, "0.79", taxes=(Tax(name="VAT", rate_percent=D(20)),)), currency="GBP",
               tax_included=TaxIncluded.YES),
        replace(DE_FAST, country="GB"),
    ),
    "one price in dollars": (
        tariff(of(KWH, "0.48", taxes=()), currency="USD", tax_included=TaxIncluded.NO),
        replace(DE_FAST, country="US"),
    ),
    "time where nothing says otherwise": (tariff(of(TIME, "3.00")), NOWHERE),
    "yen without decimals": (
        tariff(of(KWH, "45", taxes=(Tax(name="consumption tax", rate_percent=D(10)),)), currency="JPY",
               limits=Limits(max_net=D(5000))),
        replace(DE_FAST, country="JP"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWFUL)
def test_a_lawful_tariff_is_left_alone(name: str) -> None:
    given_tariff, where = LAWFUL[name]
    assert lint(given_tariff, [where]) == ()


def test_a_price_that_applies_at_one_of_the_places_is_no_mistake() -> None:
    both = tariff(of(KWH, "0.49", evse_kind="AC"), of(KWH, "0.59", evse_kind="DC"))
    assert lint(both, [DE_FAST, DE_SLOW]) == ()
    assert [(one.rule, one.severity) for one in lint(both, [DE_FAST])] == [("never-applies", "note")]


FREE_START = of(TIME, "0", min_duration_s=600, max_duration_s=600)
PLANTED: list[tuple[str, Tariff, Where, str, str, str]] = [
    ("eu-kwh-price", tariff(of(TIME, "12")), DE_FAST, "error", "elements", "no price per kWh"),
    ("de-kwh-price", tariff(of(TIME, "3")), DE_SLOW, "error", "elements", "no price per kWh"),
    ("eu-only-kwh-and-occupancy", tariff(ENERGY, of(FLAT, "1")), DE_FAST, "error",
     "elements[1].price_components[0]", "fee per session"),
    ("eu-only-kwh-and-occupancy", tariff(ENERGY, of(TIME, "3")), DE_FAST, "error",
     "elements[1].price_components[0]", "from the start on"),
    # late at the weekend, from the first minute on otherwise
    ("eu-only-kwh-and-occupancy", tariff(ENERGY, of(TIME, "0", weekdays=(5, 6), max_duration_s=3600),
     of(TIME, "3")), DE_FAST, "error", "elements[2].price_components[0]", "from the start on"),
    ("eu-component-order", tariff(of(FLAT, "1"), ENERGY), DE_SLOW, "note", "elements[1].price_components[0]",
     "ENERGY stands after FLAT"),
    ("de-time-fee", tariff(ENERGY, of(TIME, "3")), DE_SLOW, "warning", "elements[1].price_components[0]",
     "charging time"),
    ("de-session-fee", tariff(ENERGY, of(FLAT, "1")), DE_SLOW, "note", "elements[1].price_components[0]",
     "fee per session"),
    ("gb-pence-per-kwh", tariff(ENERGY, of(FLAT, "1"), currency="GBP"), replace(DE_SLOW, country="GB"),
     "error",
     "elements[1].price_components[0]", "pence per kWh"),
    ("gb-single-price", tariff(of(KWH, "0.59", max_kwh=D(20)), ENERGY, currency="GBP"),
     replace(DE_SLOW, country="GB"), "warning", "elements[0].price_components[0]", "can change"),
    ("us-price-fixed-in-session", tariff(of(KWH, "0.59", start_minute=960, end_minute=1260), ENERGY,
     currency="USD"),
     replace(DE_SLOW, country="US"), "warning", "elements[0].price_components[0]", "can change"),
    ("us-kwh-price", tariff(of(TIME, "12"), currency="USD"), replace(DE_SLOW, country="US"), "warning",
     "elements",
     "no price per kWh"),
    ("free-never-applies", tariff(ENERGY, FREE_START), NOWHERE, "warning", "elements[1].restrictions",
     "cannot be"),
    ("free-never-applies", tariff(ENERGY, of(PARKED, "6", min_idle_s=60), of(PARKED, "0", min_idle_s=60,
     max_idle_s=900)), NOWHERE, "warning", "elements[2].price_components[0]", "element 2 always comes first"),
    ("never-applies", tariff(ENERGY, of(KWH, "0.39", start_minute=0, end_minute=360)), NOWHERE, "warning",
     "elements[1].price_components[0]", "element 1 always comes first"),
    # two earlier elements cover a third together: days × hours over midnight
    ("never-applies", tariff(of(KWH, "0.5", start_minute=1320, end_minute=360), of(KWH, "0.6",
     start_minute=360,
     end_minute=1320), of(KWH, "0.4", weekdays=(6,), start_minute=600, end_minute=1410)), NOWHERE, "warning",
     "elements[2].price_components[0]", "element 1, 2 always comes first"),
    ("never-applies", tariff(of(KWH, "0.5", max_kwh=D(20)), of(KWH, "0.6", min_kwh=D(10)), of(KWH, "0.4",
     min_kwh=D(5), max_kwh=D(30))), NOWHERE, "warning", "elements[2].price_components[0]", "element 1, 2"),
    ("never-applies", tariff(Element(components=(*ENERGY.components, *ENERGY.components))), NOWHERE,
     "warning",
     "elements[0].price_components[1]", "element 1 always"),
    ("never-applies", tariff(ENERGY, of(PARKED, "6", min_idle_s=900, max_duration_s=900)), NOWHERE, "warning",
     "elements[1].restrictions", "cannot be"),
    ("never-applies", tariff(of(KWH, "0.4", weekdays=(0,), start_date=date(2027, 1, 19), end_date=date(2027,
     1, 21)),
     ENERGY), NOWHERE, "warning", "elements[0].restrictions", "cannot be"),
    ("never-applies", tariff(of(KWH, "0.4", end_date=date(2027, 1, 1)), ENERGY), NOWHERE, "warning",
     "elements[0].restrictions", "from now on"),
    ("never-applies", tariff(of(KWH, "0.4", evse_kind="AC"), ENERGY), DE_FAST, "note",
     "elements[0].restrictions",
     "never applies here"),
    ("never-applies", tariff(of(KWH, "0.6", min_power_kw=D(200)), ENERGY), DE_FAST, "note",
     "elements[0].restrictions", "never applies here"),
    ("gap", tariff(of(KWH, "0.59", start_minute=360, end_minute=1320), of(KWH, "0.39", start_minute=1320,
     end_minute=300)), NOWHERE, "warning", "elements", "05:00–06:00"),
    ("gap", tariff(of(KWH, "0.59", weekdays=(0, 1, 2, 3, 4, 5))), NOWHERE, "warning", "elements",
     "Sun all day"),
    ("gap", tariff(of(KWH, "0.59", max_kwh=D(20)), of(KWH, "0.5", min_kwh=D(21))), NOWHERE, "warning",
     "elements",
     "from 20 kWh, below 21 kWh"),
    ("gap", tariff(of(KWH, "0.59", end_date=date(2027, 6, 1))), NOWHERE, "warning", "elements",
     "from 2027-06-01"),
    ("gap", tariff(of(KWH, "0.59", max_current_a=D(32)), of(KWH, "0.5", min_current_a=D(32))), NOWHERE,
     "warning",
     "elements", "does not tell the current"),
    ("gap", tariff(of(KWH, "0.59", payment_brand="visa")), NOWHERE, "warning", "elements",
     "other card brands"),
    ("gap", tariff(of(TIME, "3", max_duration_s=3600)), NOWHERE, "warning", "elements", "from 3600 s"),
    ("min-above-max", tariff(ENERGY, limits=Limits(min_net=D(5), max_net=D(4))), NOWHERE, "error",
     "min_price", "5 > 4"),
    ("gross-below-net", tariff(ENERGY, limits=Limits(max_net=D(5), max_gross=D(4))), NOWHERE, "error",
     "max_price",
     "4 < 5"),
    ("currency-decimals", tariff(ENERGY, limits=Limits(min_net=D("0.505"))), NOWHERE, "error", "min_price",
     "2 decimals"),
    ("currency-decimals", tariff(of(KWH, "45"), currency="JPY", limits=Limits(max_gross=D("99.5"))),
     NOWHERE, "error",
     "max_price", "0 decimals"),
    ("currency", tariff(ENERGY, currency="GBP"), DE_FAST, "warning", "currency", "in DE it is EUR"),
    ("tax", tariff(of(KWH, "0.49", taxes=())), DE_FAST, "note", "elements[0].price_components[0]",
     "there is no tax"),
    ("tax", tariff(of(KWH, "0.49", taxes=(Tax(name="VAT", rate_percent=D(16)),))), DE_FAST, "note",
     "elements[0].price_components[0]", "the tax is 16 %"),
    ("big-step", tariff(of(KWH, "0.49", step=5000)), NOWHERE, "warning",
     "elements[0].price_components[0].step_size",
     "5000 Wh"),
    ("big-step", tariff(ENERGY, of(PARKED, "6", step=3600, min_idle_s=900)), NOWHERE, "warning",
     "elements[1].price_components[0].step_size", "3600 s"),
    ("price-outlier", tariff(of(KWH, "0.039")), NOWHERE, "warning", "elements[0].price_components[0].price",
     "0.04641"),
    ("price-outlier", tariff(of(KWH, "4.9")), NOWHERE, "warning", "elements[0].price_components[0].price",
     "5.831"),
    ("price-outlier", tariff(of(KWH, "0.49"), currency="CZK"), NOWHERE, "warning",
     "elements[0].price_components[0].price", "CZK"),
    ("price-outlier", tariff(ENERGY, of(PARKED, "0.10", min_idle_s=900)), NOWHERE, "warning",
     "elements[1].price_components[0].price", "per minute?"),
    ("negative-price", tariff(of(KWH, "-0.1")), NOWHERE, "warning", "elements[0].price_components[0].price",
     "negative"),
    ("ends-before-it-begins", tariff(ENERGY, valid_from_ms=NOW_MS + 2, valid_to_ms=NOW_MS + 2), NOWHERE,
     "error",
     "end_date_time", "before it begins"),
    ("over", tariff(ENERGY, valid_to_ms=NOW_MS), NOWHERE, "error", "end_date_time", "already ended"),
    ("begins-in-the-past", tariff(ENERGY, valid_from_ms=NOW_MS - 1), NOWHERE, "warning", "start_date_time",
     "past"),
    ("no-grace", tariff(ENERGY, of(PARKED, "6")), NOWHERE, "warning", "elements[1].price_components[0]",
     "full"),
    ("small-hold", tariff(ENERGY, preauthorise=D(2)), NOWHERE, "warning", "preauthorize_amount", "2.92 EUR"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "planted", "where", "severity", "place", "words"), PLANTED)
def test_a_planted_mistake_is_seen(
    rule: str, planted: Tariff, where: Where, severity: str, place: str, words: str
) -> None:
    found = [one for one in lint(planted, [where]) if one.rule == rule]
    assert [(one.severity, one.place) for one in found] == [(severity, place)], lint(planted, [where])
    assert words in found[0].text
    assert not rule.startswith(("eu-", "de-", "gb-", "us-")) or (found[0].source and found[0].certainty)


def test_every_rule_is_planted() -> None:
    from tapwatt.markets.jurisdictions import rules

    assert {rule.rule_id for rule in rules()} <= {rule for rule, *_ in PLANTED}


def test_where_the_power_is_unknown_a_rule_for_some_powers_warns() -> None:
    found = lint(tariff(ENERGY, of(FLAT, "1")), [replace(DE_FAST, power_w=None)])
    assert {(one.rule, one.severity) for one in found} == {
        ("eu-only-kwh-and-occupancy", Severity.WARNING),
        ("de-session-fee", Severity.NOTE),
    }


def test_several_places_say_the_same_once_and_the_worst_first() -> None:
    planted = tariff(of(FLAT, "1", taxes=()), of(KWH, "0.49", step=5000))
    found = lint(planted, [DE_FAST, DE_SLOW, DE_FAST])
    assert len(found) == len(set(found))
    order = [one.severity for one in found]
    assert order == sorted(order, key=list(Severity).index)
    assert {"eu-only-kwh-and-occupancy", "eu-component-order", "big-step", "tax"} <= {
        one.rule for one in found
    }


def test_a_maze_of_restrictions_is_given_up_in_words() -> None:
    maze = [
        of(KWH, "0.5", min_kwh=D(n), max_kwh=D(n + 2), min_duration_s=n * 60, max_duration_s=n * 60 + 90,
           weekdays=(n % 7,), start_minute=n, end_minute=n + 700, min_power_kw=D(n % 11),
           max_power_kw=D(n % 11 + 3))
        for n in range(400)
    ]  # fmt: skip
    assert [one.rule for one in lint(tariff(*maze), [NOWHERE])] == ["too-many-pieces"]


def whole(least: int, most: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(least, most)


RULES = st.builds(
    Restrictions,
    start_minute=whole(0, 1439),
    end_minute=whole(0, 1439),
    weekdays=st.lists(st.integers(0, 6), max_size=3, unique=True).map(tuple),
    min_kwh=whole(0, 30).map(lambda value: None if value is None else D(value)),
    max_kwh=whole(0, 30).map(lambda value: None if value is None else D(value)),
    min_idle_s=whole(0, 900),
    max_duration_s=whole(0, 900),
    evse_kind=st.sampled_from([None, "AC", "DC"]),
)


def names(found: Iterable[Finding]) -> set[str]:
    return {one.rule for one in found}


@given(st.lists(RULES, min_size=1, max_size=5), st.sampled_from([NOWHERE, DE_FAST]))
def test_nothing_makes_the_linter_fall_and_an_open_end_closes_every_gap(
    rules: list[Restrictions], where: Where
) -> None:
    elements = [
        Element(components=(Component(dimension=KWH, price=D(1), taxes=VAT),), restrictions=rule)
        for rule in rules
    ]
    lint(tariff(*elements), [where])
    assert "gap" not in names(lint(tariff(*elements, ENERGY), [where]))
    # A second copy of everything never applies.
    twice = lint(tariff(*elements, *elements), [where])
    assert sum(one.rule == "never-applies" for one in twice) >= len(rules)
