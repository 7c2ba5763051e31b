"""Which drivers come: a pure function of seed and number, so that the same seed brings the same drivers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

KNOWN_TAG: Final = "04A1B2C3D4E5F6"


class VisitKind(StrEnum):
    """What a driver does."""

    CAR_FULL = "car_full"  # charges until the car has enough
    STOP_BUTTON = "stop_button"  # ends it at the station
    TAP_TO_STOP = "tap_to_stop"  # ends it with the card that paid
    CAR_STOPS_EARLY = "car_stops_early"  # the car breaks off
    APPROVED_FOR_LESS = "approved_for_less"
    TAG = "tag"  # RFID at the station
    DECLINED = "declined"  # not enough funds
    UNKNOWN_CARD = "unknown_card"
    UNPLUGGED = "unplugged"  # drives off before power flows


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One driver's stay as planned. `stop_after_ms` counts from first power, for those who do not wait."""

    number: int
    kind: VisitKind
    card: str
    id_token: str
    evse_id: int
    target_wh: int
    stop_after_ms: int
    handshake_ms: int = 600


_CARDS: Final[dict[VisitKind, tuple[str, ...]]] = {
    VisitKind.CAR_FULL: ("visa-good", "mastercard-good"),
    VisitKind.STOP_BUTTON: ("mastercard-good", "visa-good"),
    VisitKind.TAP_TO_STOP: ("visa-good", "mastercard-good"),
    VisitKind.CAR_STOPS_EARLY: ("mastercard-good", "visa-good"),
    VisitKind.APPROVED_FOR_LESS: ("mastercard-partial",),
    VisitKind.DECLINED: ("visa-low",),
    VisitKind.UNKNOWN_CARD: ("visa-unknown",),
    VisitKind.UNPLUGGED: ("visa-good", "mastercard-good"),
}
_FIRST: Final = (VisitKind.CAR_FULL, VisitKind.STOP_BUTTON, VisitKind.TAP_TO_STOP)
_MIX: Final = (
    *(VisitKind.CAR_FULL,) * 4,
    *(VisitKind.STOP_BUTTON,) * 2,
    VisitKind.TAP_TO_STOP,
    VisitKind.CAR_STOPS_EARLY,
    VisitKind.APPROVED_FOR_LESS,
    *(VisitKind.TAG,) * 2,
    VisitKind.DECLINED,
    VisitKind.UNKNOWN_CARD,
    VisitKind.UNPLUGGED,
)
_BROKEN_OFF: Final = (VisitKind.STOP_BUTTON, VisitKind.TAP_TO_STOP, VisitKind.CAR_STOPS_EARLY)
_PLENTY_WH: Final = 5_000
_HESITATION_MS: Final = 4_000
"""A driver who leaves before power leaves while station and car still talk."""


def plan(*, seed: int, number: int, evses: tuple[int, ...]) -> Plan:
    """The visit of this number (from 1); the first three are paid charges, then everybody comes."""
    chance = Random(f"{seed}/{number}")
    kind = _FIRST[number - 1] if number <= len(_FIRST) else chance.choice(_MIX)
    cards = _CARDS.get(kind, ())
    card = (cards[0] if number <= len(_FIRST) else chance.choice(cards)) if cards else ""
    return Plan(
        number=number,
        kind=kind,
        card=card,
        id_token=KNOWN_TAG if kind is VisitKind.TAG else "",
        evse_id=evses[(number - 1) % len(evses)],
        target_wh=_PLENTY_WH if kind in _BROKEN_OFF else chance.randrange(480, 840, 10),
        stop_after_ms=chance.randrange(4_500, 7_500, 100),
        handshake_ms=_HESITATION_MS if kind is VisitKind.UNPLUGGED else 600,
    )
