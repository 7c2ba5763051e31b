"""From sampled values to integer Wh and W; and times on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwatt.ocpp.messages import Reading, Sample
from tapwatt.ocpp.timestamps import UnableToWriteTime, read_time, write_time
from tapwatt.ocpp.v16.metering import (
    POWER,
    REGISTER,
    STATE_OF_CHARGE,
    read_reading,
    read_readings,
    write_readings,
)
from tapwatt.ocpp.v16.wire import MeterValue, SampledValue


def register(value: str, unit: str = "Wh", **rest: str) -> Sample:
    return Sample(value=value, unit=unit, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ((register("1500"),), 1500),
        ((register("1500", ""),), 1500),
        ((register("1.5", "kWh"),), 1500),
        ((register("0.0015", "kWh"),), 1),
        ((register("8.123456789012", "kWh"),), 8123),
        ((register("70368744177.664001", "kWh"),), 70368744177664),
        ((register("-0.5", "kWh"),), -500),
        ((register("-1.2"),), -2),
        ((register("1e3"),), 1000),
        ((register(" 12 "),), 12),
        ((register("NaN"),), None),
        ((register("Infinity"),), None),
        ((register("1e999999"),), None),
        ((register("0x10"),), None),
        ((register(""),), None),
        ((register("1500", "Hz"),), None),
        ((), None),
        ((Sample(value="230", measurand="Voltage", unit="V"),), None),
        ((Sample(value="OCMF|{}", signed=True),), None),
        ((register("7"), Sample(value="99", unit="Wh", signed=True)), 7),
        # phases: the total, else all three, else a lone L1
        ((register("1", phase="L1"), register("9")), 9),
        ((register("1", phase="L1"), register("2", phase="L2"), register("3", phase="L3")), 6),
        ((register("1.5", phase="L1"), register("1.5", phase="L2"), register("0", phase="L3")), 3),
        ((register("1", phase="L1"),), 1),
        ((register("1", phase="L1"), register("2", phase="L2")), None),
        ((register("1", phase="L1"), register("2", phase="L2"), register("x", phase="L3")), None),
        # location: the outlet is what is sold
        ((register("5", location="Inlet"), register("4", location="Outlet")), 4),
        ((register("5", location="Inlet"),), 5),
    ],
)
def test_the_register_is_exact(samples: tuple[Sample, ...], expected: int | None) -> None:
    assert read_reading(None, samples).register_wh == expected


def test_power_and_state_of_charge_are_kept_where_readable() -> None:
    samples = (
        Sample(value="7.4", measurand=POWER, unit="kW"),
        Sample(value="55.9", measurand=STATE_OF_CHARGE, unit="Percent"),
        Sample(value="16", measurand="Current.Import", unit="A", phase="L1"),
    )
    reading = read_reading("2026-01-01T00:00:00Z", samples)
    assert (reading.power_w, reading.state_of_charge, reading.register_wh) == (7400, 55, None)
    assert reading.samples == samples


def test_absent_attributes_have_the_standards_defaults() -> None:
    (reading,) = read_readings((MeterValue(sampled_value=(SampledValue(value="5"),)),))
    assert reading == Reading(at_ms=None, register_wh=5, samples=(Sample(value="5", measurand=REGISTER),))


@given(
    st.builds(
        Reading,
        at_ms=st.integers(0, 4 * 10**12),
        register_wh=st.integers(-(10**12), 10**12),
        power_w=st.none() | st.integers(-(10**6), 10**6),
        state_of_charge=st.none() | st.integers(0, 100),
    )
)
def test_numbers_survive_the_round_trip(reading: Reading) -> None:
    (back,) = read_readings(write_readings((reading,)))
    assert (back.at_ms, back.register_wh, back.power_w, back.state_of_charge) == (
        reading.at_ms,
        reading.register_wh,
        reading.power_w,
        reading.state_of_charge,
    )


@given(st.text(max_size=30), st.text(max_size=5))
def test_no_value_raises(value: str, unit: str) -> None:
    read_reading(value, (register(value, unit),))


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500),
        ("1970-01-01T00:00:00.123456789Z", 123),
        ("1970-01-01T00:00:00", 0),
        ("1970-01-01 00:00:01", 1000),
        ("1970-01-01T00:01Z", 60_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T02:00:00+0200", 0),
        ("1969-12-31T19:00:00.250-05:00", 250),
        ("1970-01-01T00:00:60Z", 59_000),
        (" 1970-01-01t00:00:00z ", 0),
        ("1970-02-30T00:00:00Z", None),
        ("1970-01-01", None),
        ("0000-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
        ("now", None),
    ],
)
def test_times_of_real_stations_are_read(text: str | None, at_ms: int | None) -> None:
    assert read_time(text) == at_ms


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_times_survive_the_round_trip(at_ms: int) -> None:
    assert read_time(write_time(at_ms)) == at_ms


def test_an_impossible_time_is_our_mistake() -> None:
    assert write_time(0) == "1970-01-01T00:00:00.000Z"
    with pytest.raises(UnableToWriteTime):
        write_time(10**18)
