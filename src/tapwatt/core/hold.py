"""How much to authorise before the charge, and when a charge has to stop to stay within it."""

from dataclasses import dataclass

from tapwatt.core.energy import Meter, ahead_wh
from tapwatt.core.money import show
from tapwatt.core.tariff import Tariff, energy_for

LOOK_AHEAD_MS = 5_000
"""A stop command and the station's reaction take up to this long; the energy of that time must still be
covered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPolicy:
    """A fixed hold, and the least approved amount that is worth starting a charge for."""

    amount_minor: int
    least_minor: int


def hold_sentence(policy: HoldPolicy, *, currency: str) -> str:
    """What the driver reads before the tap."""
    return f"Hold {show(policy.amount_minor, currency=currency)}"


def must_stop(tariff: Tariff, meter: Meter, *, authorised_minor: int) -> bool:
    """Whether charging on would soon cost more than the confirmed hold."""
    limit_wh = energy_for(tariff, authorised_minor)
    if limit_wh is None:
        return False
    return meter.delivered_wh + ahead_wh(meter, over_ms=LOOK_AHEAD_MS) >= limit_wh
