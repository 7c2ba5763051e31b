"""Energy as integers in watt-hours, from the running totals (registers) that a station reports.

Stations reset registers at a reboot or per session, send readings late and mix Wh with kWh (reference: the
field's pains with energy). A difference of registers is signed, so a fall is seen; a fall or an implausible
rise leaves a doubt, and a doubt keeps an amount from being captured without somebody looking.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

MS_PER_HOUR = 3_600_000
# A meter value is sampled a little after or before the time written on it.
CLOCK_TOLERANCE_MS = 10_000
DOUBTS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The register readings of one charge, reduced to what the bill needs."""

    first_wh: int
    last_wh: int
    first_ms: int
    last_ms: int
    base_wh: int
    """Register from which the present stretch counts: the first reading, or the one after a reset."""
    carried_wh: int = 0
    """Energy of the stretches before the present one."""
    power_w: int = 0
    """Mean power between the last two readings, for looking ahead."""
    doubts: tuple[str, ...] = ()

    @property
    def delivered_wh(self) -> int:
        """Energy delivered so far."""
        return self.carried_wh + self.last_wh - self.base_wh


def begin(register_wh: int, *, at_ms: int, doubt: str = "") -> Meter:
    """The meter at the start of a charge; `doubt` says why its register cannot be trusted, if it cannot."""
    return Meter(
        first_wh=register_wh,
        last_wh=register_wh,
        first_ms=at_ms,
        last_ms=at_ms,
        base_wh=register_wh,
        doubts=(doubt,) if doubt else (),
    )


def read(meter: Meter, register_wh: int, *, at_ms: int, max_power_w: int) -> Meter:
    """Take in one more reading. `max_power_w` is the most the EVSE can deliver, in watts.

    A reading that is older and no higher changes nothing: stations repeat and reorder. One that is older and
    higher means a clock was set back: its energy counts, and the doubt is kept. A fallen register begins a
    new stretch.
    """
    if at_ms < meter.last_ms:
        if register_wh <= meter.last_wh:
            return meter
        return _doubt(
            replace(meter, last_wh=register_wh, power_w=0), "a reading is older than the one before"
        )
    if register_wh < meter.last_wh:
        fallen = replace(
            meter,
            carried_wh=meter.carried_wh + meter.last_wh - meter.base_wh,
            base_wh=register_wh,
            last_wh=register_wh,
            last_ms=at_ms,
            power_w=0,
        )
        return _doubt(fallen, f"register fell from {meter.last_wh} Wh to {register_wh} Wh")
    rise_wh, passed_ms = register_wh - meter.last_wh, at_ms - meter.last_ms
    possible_wh = max_power_w * (passed_ms + CLOCK_TOLERANCE_MS) // MS_PER_HOUR + 1
    power_w = rise_wh * MS_PER_HOUR // passed_ms if passed_ms else meter.power_w
    after = replace(meter, last_wh=register_wh, last_ms=at_ms, power_w=power_w)
    if rise_wh > possible_wh:
        return _doubt(
            after, f"register rose {rise_wh} Wh in {passed_ms // 1000} s, {possible_wh} Wh possible"
        )
    return after


def _doubt(meter: Meter, doubt: str) -> Meter:
    """Keep a doubt; after so many, more of them tell nobody anything new."""
    if len(meter.doubts) >= DOUBTS_MAX:
        return meter
    return replace(meter, doubts=(*meter.doubts, doubt))


def ahead_wh(meter: Meter, *, over_ms: int) -> int:
    """Energy that will probably flow in the next `over_ms`, at the present power."""
    return meter.power_w * over_ms // MS_PER_HOUR


def show_kwh(energy_wh: int) -> str:
    """Energy as people read it, in kilowatt-hours with three decimals."""
    return f"{Decimal(energy_wh).scaleb(-3):.3f}"
