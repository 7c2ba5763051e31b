"""The figures of a day, judged by rows written by hand."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tapwatt.platform.day_figures import Visit, bounds, day_of, figures

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2027, 1, 15)
MIDNIGHT_MS = 1_799_967_600_000  # 15 January 2027, 00:00 in Berlin
HOUR_MS, MINUTE_MS = 3_600_000, 60_000


def visit(hour: int = 9, **more: Any) -> Visit:
    return Visit(opened_ms=MIDNIGHT_MS + hour * HOUR_MS + 59 * MINUTE_MS, currency="EUR", **more)


def paid(hour: int, *, wait_s: int, energy_wh: int, hold: int = 6000, taken: int = 1500) -> Visit:
    tapped_ms = MIDNIGHT_MS + hour * HOUR_MS + MINUTE_MS
    return visit(
        hour,
        tapped_ms=tapped_ms,
        approved_ms=tapped_ms + 4_000,
        started_ms=tapped_ms + wait_s * 1000,
        closed_ms=tapped_ms + HOUR_MS,
        energy_wh=energy_wh,
        authorised_minor=hold,
        captured_minor=taken,
        payment_state="captured",
    )


def refused(reason: str, hour: int = 9, state: str = "declined") -> Visit:
    tapped_ms = MIDNIGHT_MS + hour * HOUR_MS
    return visit(hour, tapped_ms=tapped_ms, payment_state=state, payment_reason=reason)


def test_a_day_is_counted() -> None:
    counted = figures(
        [
            paid(8, wait_s=10, energy_wh=20_000, taken=980),
            paid(8, wait_s=15, energy_wh=10_001, hold=2501, taken=490),
            paid(22, wait_s=20, energy_wh=500, hold=6000, taken=25),
            refused("Insufficient funds"),
            refused("Insufficient funds", 10),
            refused("Stolen card"),
            refused("", state="reversed"),
            refused("", state="authorising"),
            visit(),
        ],
        day=DAY,
        zone=BERLIN,
    )
    assert (counted.sessions, counted.charges, counted.energy_wh) == (9, 3, 30_501)
    assert counted.revenue_minor == {"EUR": 1495}
    assert (counted.asked, counted.approved) == (8, 3)
    assert counted.outcomes == (
        ("approved", 3),
        ("Insufficient funds", 2),
        ("Stolen card", 1),
        ("no answer", 1),
        ("open", 1),
    )
    assert counted.approval_permille == 429, "3 of the 7 that were answered"
    assert counted.mean_hold_minor == {"EUR": 4834}
    assert (counted.mean_tap_to_power_ms, counted.longest_tap_to_power_ms) == (15_000, 20_000)
    assert [hour.sessions for hour in counted.hours] == [0] * 8 + [2, 5, 1] + [0] * 11 + [1, 0]
    assert (counted.hours[8].energy_wh, counted.hours[8].revenue_minor) == (30_001, {"EUR": 1470})


def test_an_empty_day_divides_by_nothing() -> None:
    counted = figures([], day=DAY, zone=BERLIN)
    assert (counted.sessions, counted.asked, counted.outcomes, counted.mean_hold_minor) == (0, 0, (), {})
    assert counted.approval_permille is None
    assert counted.mean_tap_to_power_ms is None
    assert len(counted.hours) == 24


def test_what_is_still_open_is_not_held_against_the_approval_rate() -> None:
    assert figures([refused("", state="authorising")], day=DAY, zone=BERLIN).approval_permille is None


def test_a_start_before_the_tap_tells_no_waiting_time() -> None:
    odd = visit(tapped_ms=MIDNIGHT_MS + 5000, started_ms=MIDNIGHT_MS)
    assert figures([odd], day=DAY, zone=BERLIN).mean_tap_to_power_ms is None


def test_amounts_of_two_currencies_are_never_added() -> None:
    crowns = Visit(opened_ms=MIDNIGHT_MS, currency="SEK", captured_minor=9900)
    counted = figures([crowns, paid(1, wait_s=5, energy_wh=1)], day=DAY, zone=BERLIN)
    assert counted.revenue_minor == {"EUR": 1500, "SEK": 9900}
    assert counted.mean_hold_minor == {"EUR": 6000}


def test_many_reasons_end_in_one_line() -> None:
    counted = figures([refused(f"reason {place:02}") for place in range(20)], day=DAY, zone=BERLIN)
    assert counted.outcomes[-1] == ("other reasons", 8)
    assert sum(count for _, count in counted.outcomes) == 20


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2027, 3, 28), "Europe/Berlin", 23),
        (date(2027, 10, 31), "Europe/Berlin", 25),
        (date(2027, 1, 15), "Asia/Shanghai", 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(day: date, zone: str, hours: int) -> None:
    from_ms, to_ms = bounds(day, ZoneInfo(zone))
    assert to_ms - from_ms == hours * HOUR_MS
    assert len(figures([], day=day, zone=ZoneInfo(zone)).hours) == hours
    assert day_of(from_ms, ZoneInfo(zone)) == day
    assert day_of(from_ms - 1, ZoneInfo(zone)) < day
    assert day_of(to_ms - 1, ZoneInfo(zone)) == day
