"""Sessions in CDR terms to usage, and bills to CDRs: what is taken, what is refused and where."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.tariff.generated import tariffs, usages
from tests.ocpi.samples import older, session
from tests.ocpi.test_tariffs import JUNK, leaves, put

from tapwatt.core.bill import Bill, credit_note
from tapwatt.core.tariff import Period, Tariff, Usage, price
from tapwatt.ocpi import tariffs as codec
from tapwatt.ocpi.cdrs import UnableToReadSession, UnableToWriteCdr, read_usage, write
from tapwatt.ocpi.document import as_text, parse

TEN_MS = 1_782_900_000_000  # 2026-07-01 10:00 UTC
HOUR_MS = 3_600_000


def test_every_dimension_that_matters_is_read() -> None:
    assert read_usage(session()) == Usage(
        started_ms=TEN_MS,
        time_zone="Europe/Berlin",
        periods=(
            Period(
                started_ms=TEN_MS,
                ended_ms=TEN_MS + HOUR_MS,
                energy_wh=Decimal(20_500),
                charging_ms=HOUR_MS,
                min_power_w=Decimal(10_000),
                max_power_w=Decimal(22_500),
                min_current_a=Decimal(16),
                max_current_a=Decimal(32),
            ),
            Period(started_ms=TEN_MS + HOUR_MS, ended_ms=TEN_MS + 2 * HOUR_MS, idle_ms=HOUR_MS),
        ),
    )


def test_periods_out_of_order_are_sorted() -> None:
    document = session()
    document["charging_periods"].reverse()
    assert read_usage(document) == read_usage(session())


def test_a_period_may_begin_before_the_session() -> None:
    document = put(session(), "$.charging_periods[0].start_date_time", "2026-07-01T09:30:00Z")
    found = read_usage(document)
    assert (found.started_ms, found.periods[0].started_ms) == (TEN_MS, TEN_MS - HOUR_MS // 2)


@pytest.mark.parametrize(
    ("hours", "time_ms"),
    [
        ("0.3333", 1_200_000),
        ("0.000138", 0),
        ("0.000139", 1_000),
        ("0.6666666666666666", 2_400_000),
        ("2", 7_200_000),
    ],
)
def test_hours_are_read_to_the_nearest_second(hours: str, time_ms: int) -> None:
    document = put(session(), "$.charging_periods[1].dimensions[0].volume", Decimal(hours))
    assert read_usage(document).periods[1].idle_ms == time_ms


def test_the_country_names_the_zone_where_it_has_one() -> None:
    assert read_usage(put(session(), "$.time_zone", None)).time_zone == "Europe/Berlin"
    other = put(put(session(), "$.time_zone", None), "$.country", "jp")
    assert read_usage(other).time_zone == "Asia/Tokyo"


DIMENSION = "$.charging_periods[0].dimensions[0]"
WRONG: list[tuple[str, object, str]] = [
    ("$.start_date_time", None, "is missing"),
    ("$.end_date_time", None, "is missing"),
    ("$.end_date_time", "2026-07-01T09:00:00Z", "is before start_date_time"),
    ("$.time_zone", "Europe/Atlantis", "no time zone 'Europe/Atlantis'"),
    ("$.time_zone", "../../etc/passwd", "no time zone"),
    ("$.time_zone", 1, "must be a text"),
    ("$.country", "GERMANY", "has 7 characters"),
    ("$.charging_periods", None, "is missing"),
    ("$.charging_periods", [], "has 0 members"),
    ("$.charging_periods[1].start_date_time", None, "is missing"),
    ("$.charging_periods[1].start_date_time", "2026-07-01T12:00:01Z", "is after the session's end_date_time"),
    ("$.charging_periods[1].dimensions", [], "has 0 members"),
    (f"{DIMENSION}.type", None, "is missing"),
    (f"{DIMENSION}.type", "HEAT", "must be one of CURRENT, ENERGY"),
    ("$.charging_periods[0].dimensions[1].type", "ENERGY", "stands twice in one period"),
    (f"{DIMENSION}.volume", None, "is missing"),
    (f"{DIMENSION}.volume", "20", "must be a number"),
    (f"{DIMENSION}.volume", 20.5, "numbers must be read exactly"),
    (f"{DIMENSION}.volume", -1, "must be 0 or more"),
]


@pytest.mark.parametrize(("path", "value", "reason"), WRONG, ids=lambda one: str(one)[:40])
def test_what_is_wrong_is_named_by_path_and_reason(path: str, value: object, reason: str) -> None:
    with pytest.raises(UnableToReadSession) as caught:
        read_usage(put(session(), path, value))
    assert caught.value.path == path
    assert reason in caught.value.reason


@given(path=st.sampled_from(list(leaves(session()))), junk=JUNK | st.text(max_size=40))
def test_junk_anywhere_is_refused_or_of_no_matter(path: str, junk: object) -> None:
    document = put(session(), path, junk)
    try:
        said = "$" if read_usage(document).periods else ""
    except UnableToReadSession as wrong:
        said = wrong.path
    assert said.startswith("$")


def test_without_a_zone_nobody_knows_the_clock() -> None:
    document = put(put(session(), "$.time_zone", None), "$.country", "USA")
    with pytest.raises(UnableToReadSession, match=r"^\$\.time_zone: is missing$"):
        read_usage(document)


def test_sessions_and_reservations_of_years_are_refused() -> None:
    with pytest.raises(UnableToReadSession, match=r"ends more than a year after"):
        read_usage(put(session(), "$.end_date_time", "2028-07-01T10:00:00Z"))
    with pytest.raises(UnableToReadSession, match=r"begin more than a year before"):
        read_usage(put(session(), "$.charging_periods[0].start_date_time", "2020-07-01T10:00:00Z"))


@settings(max_examples=30)
@given(tariff=tariffs(), usage=usages())
def test_a_cdr_is_read_as_the_session_that_was_written(tariff: Tariff, usage: Usage) -> None:
    written = parse(as_text(write(price(tariff, usage), usage)))
    again = read_usage({"time_zone": usage.time_zone, **written})
    ends = [period.started_ms for period in usage.periods[1:]] + [usage.ended_ms]
    assert [period.energy_wh for period in again.periods] == [period.energy_wh for period in usage.periods]
    assert [period.charging_ms for period in again.periods] == [one.charging_ms for one in usage.periods]
    assert [period.ended_ms for period in again.periods] == ends


def bill_of(tariff: dict[str, Any]) -> tuple[Bill, Usage]:
    """The bill of the sample session."""
    usage = read_usage(session())
    return price(codec.read(tariff), usage), usage


def test_a_cdr_of_the_older_version() -> None:
    bill, usage = bill_of(older())
    written = write(bill, usage, "2.2.1", tariff_id="12")
    # 20.5 kWh × 0.1234 = 2.5297 without tax; 1 h × 2 = 2.00 with 21 %
    assert written["total_cost"] == {"excl_vat": Decimal("4.53"), "incl_vat": Decimal("4.95")}
    assert written["total_energy_cost"] == {"excl_vat": Decimal("2.5297"), "incl_vat": Decimal("2.5297")}
    assert written["total_time_cost"] == {"excl_vat": Decimal("2"), "incl_vat": Decimal("2.42")}
    assert (written["total_energy"], written["total_time"]) == (Decimal("20.5"), Decimal(2))
    assert written["total_parking_time"] == 1
    assert "total_parking_cost" not in written
    assert [period["tariff_id"] for period in written["charging_periods"]] == ["12", "12"]


def test_a_cdr_of_the_newer_version_names_its_taxes() -> None:
    bill, usage = bill_of(older())
    written = write(bill, usage)
    assert written["total_cost"] == {
        "before_taxes": Decimal("4.53"),
        "taxes": [{"name": "VAT", "percentage": Decimal(21), "amount": Decimal("0.42")}],
    }
    assert written["total_energy_cost"] == {"before_taxes": Decimal("2.5297"), "taxes": []}


def test_a_credit_is_negative_in_its_total_only() -> None:
    bill, usage = bill_of(older())
    credit = write(credit_note(bill, number="R-7", why="charged twice"), usage, "2.2.1")
    assert credit["total_cost"] == {"excl_vat": Decimal("-4.53"), "incl_vat": Decimal("-4.95")}
    assert credit["total_time_cost"] == {"excl_vat": Decimal("2"), "incl_vat": Decimal("2.42")}
    assert (credit["credit"], credit["credit_reference_id"]) == (True, "R-7")


def test_what_ocpi_cannot_say_is_refused() -> None:
    bill, usage = bill_of(older())
    with pytest.raises(UnableToWriteCdr, match=r"no OCPI 2\.1\.1"):
        write(bill, usage, "2.1.1")
    with pytest.raises(UnableToWriteCdr, match="at least one charging period"):
        write(bill, Usage(started_ms=0))
