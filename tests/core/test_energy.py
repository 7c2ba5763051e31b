"""Energy from registers: signed differences, resets, stale and implausible readings (ocpp.md 3.1, pain 8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.core.energy import CLOCK_TOLERANCE_MS, Meter, ahead_wh, begin, read, show_kwh

POWER_W = 360_000  # 100 Wh a second
MINUTE_MS = 60_000


def readings(*pairs: tuple[int, int], start_wh: int = 1000) -> Meter:
    """A meter after readings of (register, seconds since the start)."""
    meter = begin(start_wh, at_ms=0)
    for register_wh, second in pairs:
        meter = read(meter, register_wh, at_ms=second * 1000, max_power_w=POWER_W)
    return meter


def test_energy_is_the_difference_of_registers() -> None:
    meter = readings((3000, 60), (9345, 180))
    assert (meter.delivered_wh, meter.doubts) == (8345, ())
    assert (meter.first_wh, meter.last_wh, meter.first_ms, meter.last_ms) == (1000, 9345, 0, 180_000)


def test_a_charge_without_readings_delivered_nothing() -> None:
    assert readings().delivered_wh == 0


def test_the_same_reading_again_changes_nothing() -> None:
    once, twice = readings((3000, 60)), readings((3000, 60), (3000, 60))
    assert twice.delivered_wh == once.delivered_wh
    assert twice.doubts == ()


def test_an_older_reading_that_is_no_higher_changes_nothing() -> None:
    assert readings((3000, 60), (1500, 30)) == readings((3000, 60), (3000, 30)) == readings((3000, 60))


def test_an_older_reading_that_is_higher_counts_with_a_doubt() -> None:
    meter = readings((3000, 60), (3500, 30))
    assert (meter.delivered_wh, meter.last_ms, meter.power_w) == (2500, 60_000, 0)
    assert meter.doubts == ("a reading is older than the one before",)


def test_a_fallen_register_begins_a_new_stretch_and_leaves_a_doubt() -> None:
    meter = readings((3000, 60), (200, 120), (900, 180))
    assert meter.delivered_wh == 2000 + 700
    assert meter.doubts == ("register fell from 3000 Wh to 200 Wh",)
    assert meter.power_w == 700 * 60


def test_two_resets_carry_both_stretches() -> None:
    meter = readings((3000, 60), (0, 120), (500, 180), (100, 240), (150, 300))
    assert meter.delivered_wh == 2000 + 500 + 50
    assert len(meter.doubts) == 2


def test_a_register_may_begin_below_zero() -> None:
    assert readings((400, 60), start_wh=-100).delivered_wh == 500


def test_more_than_the_station_can_deliver_leaves_a_doubt() -> None:
    possible_wh = 100 * (60 + CLOCK_TOLERANCE_MS // 1000)
    assert readings((1000 + possible_wh, 60)).doubts == ()
    doubtful = readings((1000 + possible_wh + 2, 60))
    assert doubtful.doubts == (f"register rose {possible_wh + 2} Wh in 60 s, {possible_wh + 1} Wh possible",)
    assert doubtful.delivered_wh == possible_wh + 2


def test_kilowatt_hours_taken_for_watt_hours_are_seen() -> None:
    assert readings((1003, 60), (9_345_000, 120)).doubts != ()


@pytest.mark.parametrize(("over_ms", "expected_wh"), [(0, 0), (MINUTE_MS, 2000), (3 * MINUTE_MS, 6000)])
def test_looking_ahead_uses_the_power_of_the_last_two_readings(over_ms: int, expected_wh: int) -> None:
    assert ahead_wh(readings((1500, 60), (3500, 120)), over_ms=over_ms) == expected_wh


def test_a_second_reading_in_the_same_instant_keeps_the_power() -> None:
    assert readings((3000, 60), (3010, 60)).power_w == 2000 * 60


@pytest.mark.parametrize(("wh", "text"), [(8345, "8.345"), (0, "0.000"), (1, "0.001"), (10**6, "1000.000")])
def test_energy_is_shown_in_kilowatt_hours(wh: int, text: str) -> None:
    assert show_kwh(wh) == text


def test_doubts_have_a_limit() -> None:
    flapping = [(1000 + (second % 2), second) for second in range(1, 500)]
    assert len(readings(*flapping).doubts) <= 32


@given(st.lists(st.tuples(st.integers(-(10**6), 10**7), st.integers(0, 86_400)), max_size=12))
def test_delivered_energy_never_falls_and_is_never_negative(pairs: list[tuple[int, int]]) -> None:
    meter = begin(1000, at_ms=0)
    for register_wh, second in pairs:
        after = read(meter, register_wh, at_ms=second * 1000, max_power_w=POWER_W)
        assert after.delivered_wh >= meter.delivered_wh >= 0
        assert after.last_ms >= meter.last_ms
        assert after.doubts[: len(meter.doubts)] == meter.doubts
        meter = after


@given(rises=st.lists(st.integers(0, 6000), max_size=12))
def test_without_doubt_the_energy_is_exactly_last_minus_first(rises: list[int]) -> None:
    meter = begin(1000, at_ms=0)
    for minute, rise in enumerate(rises, start=1):
        meter = read(meter, meter.last_wh + rise, at_ms=minute * MINUTE_MS, max_power_w=POWER_W)
    assert meter.doubts == ()
    assert meter.delivered_wh == meter.last_wh - meter.first_wh == sum(rises)
