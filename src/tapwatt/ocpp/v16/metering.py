"""Meter values of the wire ↔ readings in integer Wh and W, exactly, never through a float.

Which sample is the register: measurand Energy.Active.Import.Register (the default), not signed, at the outlet
(the default) rather than elsewhere, over all phases: the sample without a phase, else L1 + L2 + L3, else a
lone L1. Fractions of a Wh are rounded down. Spec: OCPP 1.6 sections 3.16 and 7 (SampledValue, its defaults).
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

import msgspec

from tapwatt.ocpp.mend import read_decimal
from tapwatt.ocpp.messages import Reading, Sample
from tapwatt.ocpp.timestamps import read_time, write_time
from tapwatt.ocpp.v16 import wire

REGISTER: Final = "Energy.Active.Import.Register"
POWER: Final = "Power.Active.Import"
STATE_OF_CHARGE: Final = "SoC"
SAMPLES_MAX: Final = 1_000
_SCALES: Final[dict[str, dict[str, int]]] = {
    REGISTER: {"": 1, "wh": 1, "kwh": 1000},
    POWER: {"": 1, "w": 1, "kw": 1000},
    STATE_OF_CHARGE: {"": 1, "percent": 1, "%": 1},
}
_ALL_PHASES: Final = ("L1", "L2", "L3")


def read_readings(values: tuple[wire.MeterValue, ...]) -> tuple[Reading, ...]:
    """One reading for each moment that has samples; the order of the station is kept."""
    return tuple(
        read_reading(value.timestamp, tuple(_sample(each) for each in value.sampled_value[:SAMPLES_MAX]))
        for value in values
        if value.sampled_value
    )


def read_reading(timestamp: str | None, samples: tuple[Sample, ...]) -> Reading:
    """What can be read of the samples of one moment."""
    return Reading(
        at_ms=read_time(timestamp),
        register_wh=_total(samples, REGISTER),
        power_w=_total(samples, POWER),
        state_of_charge=_total(samples, STATE_OF_CHARGE),
        samples=samples,
    )


def write_readings(readings: tuple[Reading, ...]) -> tuple[wire.MeterValue, ...]:
    """A reading's samples as they are; without any, those that its numbers make."""
    return tuple(
        wire.MeterValue(
            timestamp=None if each.at_ms is None else write_time(each.at_ms),
            sampled_value=tuple(_wire_sample(sample) for sample in each.samples or _samples_of(each)),
        )
        for each in readings
    )


def _total(samples: tuple[Sample, ...], measurand: str) -> int | None:
    found = [each for each in samples if each.measurand == measurand and not each.signed]
    outlet = [each for each in found if each.location in ("", "Outlet")]
    by_phase = {each.phase: _scaled(each) for each in outlet or found}
    if "" in by_phase:
        return _floor(by_phase[""])
    phases = [by_phase[phase] for phase in _ALL_PHASES if phase in by_phase]
    complete = len(phases) == 3 or list(by_phase) == ["L1"]
    numbers = [each for each in phases if each is not None]
    return _floor(sum(numbers, Decimal(0))) if complete and len(numbers) == len(phases) else None


def _scaled(sample: Sample) -> Decimal | None:
    number = read_decimal(sample.value)
    scale = _SCALES[sample.measurand].get(sample.unit.lower())
    return None if number is None or scale is None else number * scale


def _floor(number: Decimal | None) -> int | None:
    return None if number is None else int(number.to_integral_value(ROUND_FLOOR))


def _samples_of(reading: Reading) -> tuple[Sample, ...]:
    numbers = (
        (REGISTER, "Wh", reading.register_wh),
        (POWER, "W", reading.power_w),
        (STATE_OF_CHARGE, "Percent", reading.state_of_charge),
    )
    return tuple(
        Sample(value=str(number), measurand=measurand, unit=unit)
        for measurand, unit, number in numbers
        if number is not None
    )


def _sample(sampled: wire.SampledValue) -> Sample:
    return Sample(
        value=sampled.value,
        measurand=sampled.measurand or REGISTER,
        unit=sampled.unit or "",
        phase=sampled.phase or "",
        location=sampled.location or "",
        context=sampled.context or "",
        signed=sampled.format == "SignedData",
    )


def _wire_sample(sample: Sample) -> wire.SampledValue:
    """Words the standard does not know fail when the payload is written, not here."""
    attributes: dict[str, Any] = {
        "value": sample.value,
        "measurand": sample.measurand,
        "unit": sample.unit or None,
        "phase": sample.phase or None,
        "location": sample.location or None,
        "context": sample.context or None,
        "format": "SignedData" if sample.signed else None,
    }
    return msgspec.structs.replace(wire.SampledValue(value=sample.value), **attributes)
