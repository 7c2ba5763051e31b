"""OCPI tariffs both ways: every field kept, versions told apart, what is wrong named by path and reason."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.tariff.generated import OCPI, tariffs, usages
from tests.ocpi.samples import newer, older

from tapwatt.core.tariff import Tariff, Usage, price
from tapwatt.core.tariff.model import (
    Component,
    Dimension,
    Element,
    Limits,
    Reservation,
    Restrictions,
    Tax,
    TaxIncluded,
)
from tapwatt.ocpi.document import as_text, parse
from tapwatt.ocpi.tariffs import (
    Kind,
    UnableToReadTariff,
    UnableToWriteTariff,
    read,
    read_document,
    write,
    write_document,
)

SIMPLE = read(older())


def test_every_field_of_the_newer_version_is_read() -> None:
    found = read_document(newer())
    assert (found.version, found.country_code, found.party_id) == ("2.3.0", "DE", "TWT")
    assert found.kind is Kind.AD_HOC_PAYMENT
    assert [text.language for text in found.texts] == ["en", "de"]
    tariff = found.tariff
    assert (tariff.tariff_id, tariff.currency, tariff.preauthorise) == ("night-and-day", "EUR", Decimal(45))
    assert tariff.limits == Limits(
        min_net=Decimal("0.5"), min_gross=Decimal("0.595"), max_net=Decimal(100), max_gross=None
    )
    assert tariff.tax_included is TaxIncluded.NO
    assert (tariff.valid_from_ms, tariff.valid_to_ms) == (1_767_225_600_000, 1_798_758_000_500)
    night, reserved, rest = tariff.elements
    assert night.restrictions == Restrictions(
        start_minute=22 * 60,
        end_minute=6 * 60,
        start_date=date(2026, 1, 1),
        end_date=date(2027, 1, 1),
        weekdays=(0, 6),
        min_kwh=Decimal("0.5"),
        max_kwh=Decimal(90),
        min_current_a=Decimal(6),
        max_current_a=Decimal(500),
        min_power_kw=Decimal("1.4"),
        max_power_kw=Decimal(350),
        min_duration_s=0,
        max_duration_s=86_400,
    )
    assert night.components[0] == Component(
        dimension=Dimension.ENERGY,
        price=Decimal("0.29"),
        taxes=(Tax(name="VAT", rate_percent=Decimal(19)),),
        step_size=1,
    )
    assert reserved.restrictions == Restrictions(reservation=Reservation.RESERVATION)
    assert rest.restrictions == Restrictions()


def test_every_field_survives_being_written() -> None:
    for document, version in ((newer(), "2.3.0"), (older(), "2.2.1")):
        assert parse(as_text(write_document(read_document(document), version))) == document


def test_the_versions_are_told_apart_by_their_fields() -> None:
    assert read_document(older()).version == "2.2.1"
    assert read_document(newer()).version == "2.3.0"
    assert read(older()).limits == Limits(
        min_net=Decimal("0.5"), min_gross=Decimal("0.605"), max_net=Decimal("50.25")
    )


def test_what_only_says_whose_it_is_may_be_missing_and_nothing_is_made_up() -> None:
    document = older()
    for name in ("country_code", "party_id", "last_updated"):
        del document[name]
    assert read(document) == SIMPLE
    assert set(write(SIMPLE, "2.2.1")) == set(document)


def test_unknown_fields_and_nulls_are_no_matter() -> None:
    document = older()
    document["colour"] = {"any": ["thing"]}
    document["elements"][0]["x_vendor"] = 1
    document["elements"][0]["restrictions"] = None
    document["type"] = None
    assert read(document) == SIMPLE


def test_numbers_are_read_exactly() -> None:
    text = as_text(older()).replace("0.1234", "0.30000000000000004")
    assert read(parse(text)).elements[1].components[0].price == Decimal("0.30000000000000004")


@settings(max_examples=60)
@given(tariff=tariffs(able=OCPI))
def test_what_was_written_is_read_again(tariff: Tariff) -> None:
    assert read(parse(as_text(write(tariff)))) == tariff
    if tariff.tax_included is TaxIncluded.NO:
        assert read(parse(as_text(write(tariff, "2.2.1")))) == tariff


def at(path: str) -> list[str | int]:
    """The steps of a JSON path."""
    steps: list[str | int] = []
    for part in path.removeprefix("$").replace("[", ".[").split("."):
        if part:
            steps.append(int(part[1:-1]) if part.startswith("[") else part)
    return steps


def put(document: Any, path: str, value: object) -> Any:
    """The document with another value there; None takes it out."""
    document = deepcopy(document)
    *way, last = at(path)
    inner = document
    for step in way:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return document


PRICE, RULES = "$.elements[0].price_components[1]", "$.elements[0].restrictions"
WRONG: list[tuple[str, object, str]] = [
    ("$.id", None, "is missing"),
    ("$.id", "", "has 0 characters"),
    ("$.id", "x" * 37, "has 37 characters"),
    ("$.id", 12, "must be a text"),
    ("$.id", "a\nb", "cannot be printed"),
    ("$.currency", None, "is missing"),
    ("$.currency", "EURO", "has 4 characters"),
    ("$.currency", "eur", "must be a currency of ISO 4217"),
    ("$.currency", "QQQ", "must be a currency of ISO 4217"),
    ("$.country_code", "DEU", "must be like DE"),
    ("$.party_id", "TW", "must be like TWT"),
    ("$.type", "CHEAP", "must be one of AD_HOC_PAYMENT"),
    ("$.tariff_alt_text", {}, "must be a list"),
    ("$.tariff_alt_text[0].language", "eng", "must be like de"),
    ("$.tariff_alt_text[1].text", "x" * 513, "has 513 characters"),
    ("$.tariff_alt_text[1].text", 1, "must be a text"),
    ("$.tariff_alt_url", "x" * 256, "has 256 characters"),
    ("$.tax_included", "MAYBE", "must be one of YES, NO, N/A"),
    ("$.min_price", 1, "must be an object"),
    ("$.min_price.before_taxes", None, "is missing"),
    ("$.min_price.after_taxes", Decimal("-0.01"), "must be 0 or more"),
    ("$.max_price", {"excl_vat": 1}, "has the fields of OCPI 2.2.1"),
    ("$.preauthorize_amount", -1, "must be 0 or more"),
    ("$.elements", None, "is missing"),
    ("$.elements", [], "has 0 members"),
    ("$.elements", {}, "must be a list"),
    ("$.elements[1]", 1, "must be an object"),
    ("$.elements[1].price_components", None, "is missing"),
    ("$.elements[1].price_components", [], "has 0 members"),
    ("$.elements[1].price_components[0].type", "ENERGY", "a reservation can only have FLAT and TIME"),
    (f"{PRICE}.type", "POWER", "must be one of ENERGY, FLAT, PARKING_TIME, TIME"),
    (f"{PRICE}.type", None, "is missing"),
    (f"{PRICE}.price", None, "is missing"),
    (f"{PRICE}.price", "3.60", "must be a number"),
    (f"{PRICE}.price", True, "must be a number"),
    (f"{PRICE}.price", 0.1, "numbers must be read exactly"),
    (f"{PRICE}.price", Decimal("NaN"), "must be a number"),
    (f"{PRICE}.price", 10**12, "more than 12 digits before the point"),
    (f"{PRICE}.price", Decimal("1e999999"), "more than 12 digits before the point"),
    (f"{PRICE}.price", Decimal("1e-25"), "more than 24 decimals"),
    (f"{PRICE}.price", Decimal("1." + "1" * 60), "must be a number of a few digits"),
    (f"{PRICE}.vat", Decimal("-1"), "must be from 0 to 999.9999"),
    (f"{PRICE}.vat", 1000, "must be from 0 to 999.9999"),
    (f"{PRICE}.step_size", None, "is missing"),
    (f"{PRICE}.step_size", Decimal("0.5"), "must be a whole number"),
    (f"{PRICE}.step_size", -1, "must be from 0 to"),
    (f"{RULES}.start_time", "24:00", "must be like 13:30"),
    (f"{RULES}.start_time", "7:30", "must be like 13:30"),
    (f"{RULES}.end_time", "12:60", "must be like 13:30"),
    (f"{RULES}.end_time", "\u0661\u0662:00", "must be like 13:30"),
    (f"{RULES}.end_time", 1200, "must be a text"),
    (f"{RULES}.start_date", "2026-02-30", "is not in the calendar"),
    (f"{RULES}.end_date", "26-02-03", "must be like 2026-12-24"),
    (f"{RULES}.end_date", "2026-2-3", "must be like 2026-12-24"),
    (f"{RULES}.min_kwh", -1, "must be 0 or more"),
    (f"{RULES}.max_current", "32", "must be a number"),
    (f"{RULES}.max_duration", Decimal("1.5"), "must be a whole number"),
    (f"{RULES}.day_of_week", "MONDAY", "must be a list"),
    (f"{RULES}.day_of_week[1]", "Sunday", "must be one of MONDAY"),
    (f"{RULES}.reservation", "YES", "must be one of RESERVATION, RESERVATION_EXPIRES"),
    (f"{RULES}.booking", "BOOKING", "bookings are not supported"),
    ("$.start_date_time", "2026-01-01", "must be a moment like"),
    ("$.start_date_time", "2026-13-01T00:00:00Z", "is no moment"),
    ("$.end_date_time", "2026-01-01T00:00:60Z", "is no moment"),
    ("$.end_date_time", "0000-01-01T00:00:00Z", "is no moment"),
    ("$.last_updated", 0, "must be a text"),
    ("$.energy_mix", [], "must be an object"),
]


@pytest.mark.parametrize(("path", "value", "reason"), WRONG, ids=lambda one: str(one)[:40])
def test_what_is_wrong_is_named_by_path_and_reason(path: str, value: object, reason: str) -> None:
    with pytest.raises(UnableToReadTariff) as caught:
        read(put(newer(), path, value))
    assert caught.value.path == path
    assert reason in caught.value.reason
    assert str(caught.value) == f"{path}: {caught.value.reason}"


@pytest.mark.parametrize(
    ("value", "reason"), [([], "must be an object"), (None, "must be an object"), ("x", "must be an object")]
)
def test_what_is_no_object_is_no_tariff(value: object, reason: str) -> None:
    with pytest.raises(UnableToReadTariff, match=rf"^\$: {reason}$"):
        read(value)


def test_a_limit_of_the_newer_version_needs_what_says_that_it_is_one() -> None:
    with pytest.raises(UnableToReadTariff, match=r"^\$\.tax_included: is missing$"):
        read(put(newer(), "$.tax_included", None))


def leaves(value: object, path: str = "$") -> Iterator[str]:
    """Where a document has a single value."""
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    )
    if members is None:
        yield path
        return
    for name, inner in members:
        yield from leaves(inner, f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}")


LEAVES = [path for path in leaves(newer()) if not path.startswith("$.energy_mix.")]
JUNK = st.sampled_from([[], {}, [[]], True, "\x00", "x" * 600, -(10**13), Decimal("1e40")])


@given(path=st.sampled_from(LEAVES), junk=JUNK)
def test_junk_anywhere_is_found_there(path: str, junk: object) -> None:
    with pytest.raises(UnableToReadTariff) as caught:
        read(put(newer(), path, junk))
    assert path.startswith(caught.value.path) or caught.value.path.startswith(path)


@given(path=st.sampled_from(LEAVES), other=st.sampled_from(LEAVES))
def test_a_value_from_elsewhere_is_read_or_refused(path: str, other: str) -> None:
    value: Any = newer()
    for step in at(other):
        value = value[step]
    try:
        said = read(put(newer(), path, value)).tariff_id
    except UnableToReadTariff as wrong:
        said = str(wrong)
    assert said == "night-and-day" or path == "$.id" or said.startswith(path)


def component(**other: object) -> Component:
    """A price per kWh."""
    made = Component(dimension=Dimension.ENERGY, price=Decimal("0.5"), step_size=1)
    return replace(made, **other)  # type: ignore[arg-type]


def tariff(one: Component | None = None, rules: Restrictions | None = None, **other: object) -> Tariff:
    """A tariff of one element."""
    element = Element(components=(one or component(),), restrictions=rules or Restrictions())
    return Tariff(tariff_id="T", currency="EUR", elements=(element,), **other)  # type: ignore[arg-type]


VAT = Tax(name="VAT", rate_percent=Decimal(19))
CANNOT: list[tuple[Tariff, str, str]] = [
    (tariff(component(taxes=(VAT, VAT))), "2.3.0", "element 1: OCPI has one tax on a component"),
    (tariff(rules=Restrictions(evse_kind="DC")), "2.3.0", "element 1: OCPI has no restriction evse_kind"),
    (tariff(rules=Restrictions(min_idle_s=900)), "2.3.0", "OCPI has no restriction min_idle_s"),
    (tariff(rules=Restrictions(max_charging_s=9)), "2.2.1", "OCPI has no restriction max_charging_s"),
    (tariff(rules=Restrictions(payment_brand="V")), "2.2.1", "OCPI has no restriction payment_brand"),
    (tariff(tax_included=TaxIncluded.YES), "2.2.1", "OCPI 2.2.1 has only prices before tax"),
    (
        tariff(component(taxes=(VAT,)), tax_included=TaxIncluded.NOT_APPLICABLE),
        "2.2.1",
        "OCPI 2.2.1 has only prices before tax",
    ),
    (tariff(limits=Limits(max_gross=Decimal(9))), "2.3.0", "the highest price: OCPI needs the amount before"),
    (tariff(limits=Limits(min_gross=Decimal(9))), "2.2.1", "the least price: OCPI needs the amount before"),
    (replace(tariff(), tariff_id="x" * 37), "2.3.0", "longer than 36 characters"),
    (tariff(), "2.1.1", "there is no OCPI 2.1.1 here"),
]


@pytest.mark.parametrize(("of", "version", "reason"), CANNOT, ids=lambda one: str(one)[:40])
def test_what_a_version_cannot_say_is_refused(of: Tariff, version: str, reason: str) -> None:
    with pytest.raises(UnableToWriteTariff, match=reason):
        write(of, version)


def test_without_taxes_not_applicable_is_no_tax_in_the_older_version() -> None:
    written = write(tariff(tax_included=TaxIncluded.NOT_APPLICABLE), "2.2.1")
    assert read(written) == tariff()


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Any tariff that OCPI's schema allows, with numbers at the ends of what is taken."""
    number = st.decimals(-99_999, 99_999, places=4) | st.sampled_from(
        [Decimal(0), Decimal("1e-24"), Decimal("9e11")]
    )
    positive = number.map(abs)
    rules = {
        "start_time": st.sampled_from(["00:00", "23:59", "12:00"]),
        "end_time": st.sampled_from(["00:00", "23:59", "12:00"]),
        "start_date": st.sampled_from(["1000-01-01", "2026-07-01"]),
        "end_date": st.sampled_from(["2999-12-31", "2026-07-01"]),
        "min_kwh": positive,
        "max_kwh": positive,
        "min_power": positive,
        "max_current": positive,
        "min_duration": st.integers(0, 10_000_000),
        "max_duration": st.integers(0, 10_000_000),
        "day_of_week": st.lists(st.sampled_from(["MONDAY", "TUESDAY"]), max_size=7),
    }
    one = st.fixed_dictionaries(
        {"type": st.sampled_from(["ENERGY", "FLAT", "TIME", "PARKING_TIME"]), "price": number}
        | {"step_size": st.integers(0, 1_000_000_000)},
        optional={"vat": st.decimals(0, 999, places=4)},
    )
    element = st.fixed_dictionaries(
        {"price_components": st.lists(one, min_size=1, max_size=4)},
        optional={"restrictions": st.fixed_dictionaries({}, optional=rules)},
    )
    limit = st.fixed_dictionaries({"before_taxes": positive}, optional={"after_taxes": positive})
    document: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {"id": st.just("T"), "currency": st.sampled_from(["EUR", "JPY"])}
            | {"elements": st.lists(element, min_size=1, max_size=4)}
            | {"tax_included": st.sampled_from(["YES", "NO", "N/A"])},
            optional={"min_price": limit, "max_price": limit},
        )
    )
    return document


@settings(max_examples=60)
@given(document=documents(), usage=usages())
def test_every_tariff_of_the_schema_prices_every_session(document: dict[str, Any], usage: Usage) -> None:
    bill = price(read(document), usage)
    assert bill.gross_minor == bill.net_minor + bill.tax_minor
