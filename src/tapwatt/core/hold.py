"""How much to authorise before the charge, and when a charge has to stop to stay within it."""

from dataclasses import dataclass

from tapwatt.core.energy import MS_PER_HOUR, Meter, ahead_wh
from tapwatt.core.money import show
from tapwatt.core.tariff import Tariff, Usage, energy_for, price

LOOK_AHEAD_MS = 5_000
"""A stop command and the station's reaction take up to this long; the energy of that time must still be
covered."""
WH_PER_KWH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPolicy:
    """The hold of one session, and the least approved amount that is worth starting a charge for."""

    amount_minor: int
    least_minor: int
    covers_wh: int = 0
    """Energy that the amount pays for, where it was derived from the tariff; 0 where it was fixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedHold:
    """A hold that follows the price: what an expected charge costs, within bounds."""

    expected_wh: int
    floor_minor: int
    cap_minor: int
    plastic_minor: int
    """Above this a plastic card without PIN is refused at many readers. What will be held to the terminal is
    not known before the tap, so it bounds every hold."""
    least_minor: int


def hold_for(rule: HoldPolicy | DerivedHold, tariff: Tariff) -> HoldPolicy:
    """The hold of a session at this tariff, fixed when it is offered."""
    if isinstance(rule, HoldPolicy):
        return rule
    expected = price(tariff, Usage(energy_wh=rule.expected_wh, started_ms=0, ended_ms=0)).gross_minor
    amount_minor = min(max(expected, rule.floor_minor), rule.cap_minor, rule.plastic_minor)
    return HoldPolicy(
        amount_minor=amount_minor,
        least_minor=min(rule.least_minor, amount_minor),
        covers_wh=energy_for(tariff, amount_minor) or 0,
    )


def hold_sentence(policy: HoldPolicy, *, currency: str) -> str:
    """What the driver reads before the tap: the hold, and the whole kWh that it pays for where known."""
    held = f"Hold {show(policy.amount_minor, currency=currency)}"
    whole_kwh = policy.covers_wh // WH_PER_KWH
    return f"{held} ({whole_kwh} kWh)" if whole_kwh else held


def must_stop(tariff: Tariff, meter: Meter, *, authorised_minor: int) -> bool:
    """Whether charging on would soon cost more than the confirmed hold."""
    limit_wh = energy_for(tariff, authorised_minor)
    if limit_wh is None:
        return False
    return meter.delivered_wh + ahead_wh(meter, over_ms=LOOK_AHEAD_MS) >= limit_wh


def time_left_ms(tariff: Tariff, meter: Meter, *, authorised_minor: int, max_power_w: int) -> int | None:
    """How long the rest of the hold lasts at the most that the EVSE can deliver; None: for ever."""
    limit_wh = energy_for(tariff, authorised_minor)
    if limit_wh is None or max_power_w <= 0:
        return None
    return max(0, limit_wh - meter.delivered_wh) * MS_PER_HOUR // max_power_w
