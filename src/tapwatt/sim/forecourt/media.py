"""What a visitor may hold in his hand: the sandbox's test cards and three tags, with what will happen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tapwatt.rails.sandbox import SandboxCard, cards
from tapwatt.sim.plans import KNOWN_TAG

EMPTY_TAG: Final = "04000000000001"
UNKNOWN_TAG: Final = "04D0D0CAFE0000"
PAYS, REFUSED, FRAUD, TAG = "Cards that pay", "Cards that are refused", "Copied cards", "RFID tags"
GROUPS: Final = (PAYS, REFUSED, FRAUD, TAG)
_FRAUD_CODES: Final = ("82", "63")
_TITLES: Final = {
    "visa-good": "Good card",
    "mastercard-good": "Good card",
    "visa-low": "Empty card",
    "mastercard-partial": "Card with 20 EUR left",
    "mastercard-blocked": "Stolen card",
    "visa-do-not-honour": "Lost card",
    "visa-unknown": "Card of nobody",
    "visa-expired": "Expired card",
    "visa-forged": "Wrong cryptogram",
    "mastercard-replayed": "Replayed cryptogram",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One card or tag. `card` is its name in the sandbox, `uid` the tag's; one of them is empty."""

    key: str
    title: str
    marked: str
    foretold: str
    group: str
    card: str = ""
    uid: str = ""


@lru_cache(maxsize=1)
def media() -> tuple[Medium, ...]:
    """Everything on offer, those that pay first."""
    tags = (
        Medium(
            key="tag-known",
            title="Known tag",
            marked="Fleet van 1",
            foretold="Held to the station: the charge is paid from the account behind it, no bank is asked.",
            group=TAG,
            uid=KNOWN_TAG,
        ),
        Medium(
            key="tag-empty",
            title="Tag of an empty account",
            marked="Empty account",
            foretold="The account has nothing left: the station is told no.",
            group=TAG,
            uid=EMPTY_TAG,
        ),
        Medium(
            key="tag-unknown",
            title="Unknown tag",
            marked="Anybody’s",
            foretold="No account has this tag: the station is told no.",
            group=TAG,
            uid=UNKNOWN_TAG,
        ),
    )
    offered = [*map(_offered, cards()), *tags]
    return tuple(sorted(offered, key=lambda medium: GROUPS.index(medium.group)))


def medium(key: str) -> Medium | None:
    """The card or tag of this key."""
    return next((each for each in media() if each.key == key), None)


def medium_of(*, card: str, uid: str) -> Medium | None:
    """The card of this sandbox name, or the tag of this UID."""
    return next((each for each in media() if (each.card, each.uid) == (card, uid)), None)


def _offered(card: SandboxCard) -> Medium:
    group = FRAUD if card.expected in _FRAUD_CODES else PAYS if card.expected in ("00", "10") else REFUSED
    return Medium(
        key=card.name,
        title=_TITLES.get(card.name, card.name),
        marked=f"{card.brand.capitalize()} •••• {card.last_four}",
        foretold=card.shows,
        group=group,
        card=card.name,
    )
