"""Moments at a site, as the page's facts."""

from typing import Any

from tapwatt.sim.forecourt.facts import Bay, Device, Facts, Json, Stated, Stay, Told
from tapwatt.sim.forecourt.media import medium

HOLD = 2_500
SCREEN = Device(screen=("0.58 EUR/kWh", "Tap card"), reading=True, doing="read_card", edge=True, gateway=True)
FREE = (Bay(evse_id=1, status="available", plugged=False), Bay(evse_id=2, status="available", plugged=False))


def charging(delivered_wh: int = 500, target_wh: int = 2_000) -> tuple[Bay, ...]:
    """A car at connector 1 that charges."""
    car = Bay(
        evse_id=1,
        status="charging",
        plugged=True,
        charging=True,
        power_w=150_000,
        delivered_wh=delivered_wh,
        target_wh=target_wh,
    )
    return car, FREE[1]


def session(state: str, **more: Any) -> Json:
    """A session as the platform's API shows it."""
    return {
        "session_id": "S1",
        "station_id": "CS1",
        "evse_id": 1,
        "opened_ms": 1_000,
        "state": state,
        "reason": "",
        "detail": "",
        "leader": "terminal",
        "payment_state": "authorised",
        "reference": "R1",
        "currency": "EUR",
        "cost": "1.17 EUR",
        "energy_wh": 2_000,
        "authorised_minor": 0,
        "captured_minor": 0,
        "released_minor": 0,
        "lost_minor": 0,
        "hold_choices_minor": [HOLD],
        **more,
    }


def stay(card: str = "visa-good", *broken: str, **more: Any) -> Stay:
    """The visitor's visit at connector 1."""
    return Stay(evse_id=1, since_ms=1_000, medium=medium(card), broken=broken, **more)


def stated(authorised: int, captured: int = 0, released: int = 0) -> Stated:
    """A party's books."""
    return Stated(authorised_minor=authorised, captured_minor=captured, released_minor=released)


def facts(told: Told | None = None, **more: Any) -> Facts:
    """What is seen; a free site that somebody has taken over, unless said otherwise."""
    seen: dict[str, Any] = {
        "station_up": True,
        "bays": FREE,
        "device": SCREEN,
        "driving": True,
        "stay": None,
        "told": told or Told(),
        **more,
    }
    return Facts(**seen)
