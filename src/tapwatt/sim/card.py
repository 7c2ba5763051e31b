"""Cards and tags in the driver's hand, and the reader they are held to.

A card's transaction counter is kept durably, as a chip keeps it: a restart of the site must not make a good
card look like a copy. A stuck counter and a wrong key stay what they are (rails.sandbox).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from tapwatt.rails.emv.tap import TapTerms, tap_chip_data
from tapwatt.rails.keys import PanCipher, mask
from tapwatt.rails.messages import CardData
from tapwatt.rails.sandbox import SandboxCard, card, chip_card
from tapwatt.sim.bell import Bell
from tapwatt.sim.tables import count
from tapwatt.store import Transaction

TOKEN_LENGTH: Final = 40
_MOST_TAPS = 65_535
_BRANDS: Final = {"visa": "VISA", "mastercard": "MASTERCARD"}


class UnknownCard(ValueError):
    """The sandbox has no card of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """What is held to a reader: a bank card by its sandbox name, or an RFID tag by its UID."""

    card: str = ""
    uid: str = ""

    @property
    def is_bank_card(self) -> bool:
        """Whether it can pay."""
        return self.card != ""


def find(name: str) -> SandboxCard:
    """The sandbox card of this name. Raises UnknownCard."""
    try:
        return card(name)
    except KeyError:
        raise UnknownCard(f"there is no test card {name!r}") from None


def brand(test_card: SandboxCard) -> str:
    """The brand as a terminal prints it."""
    return _BRANDS.get(test_card.brand, test_card.brand.upper())


def masked(test_card: SandboxCard) -> str:
    """The card number as it may be shown."""
    return mask(test_card.pan)


def aid(test_card: SandboxCard) -> str:
    """The application identifier on the chip, hex."""
    return chip_card(test_card).aid.hex().upper()


def token(test_card: SandboxCard, cipher: PanCipher) -> str:
    """The terminal's name for the card: always the same, and no way back to the number."""
    return cipher.match(test_card.pan)[:TOKEN_LENGTH].upper()


def tap(tx: Transaction, test_card: SandboxCard, terms: TapTerms) -> CardData:
    """One tap with its cryptogram; the chip's counter moves on in the same commit."""
    counter = 1
    if not test_card.counter_stuck:
        counter = count(tx, f"taps of {test_card.name}", most=_MOST_TAPS)
    return CardData(
        pan=test_card.pan,
        expiry=test_card.expiry,
        sequence=test_card.sequence,
        chip_data=tap_chip_data(chip_card(test_card), terms, counter=counter),
    )


class Reader:
    """The contactless field: a medium is taken only while the terminal looks for one."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._wanted: asyncio.Future[Medium] | None = None

    @property
    def reading(self) -> bool:
        """Whether a card held here now would be taken."""
        return self._wanted is not None and not self._wanted.done()

    async def read(self, within_s: float) -> Medium | None:
        """Look for a medium; None when nobody came."""
        wanted: asyncio.Future[Medium] = asyncio.get_running_loop().create_future()
        self._wanted = wanted
        self._bell.ring()
        try:
            async with asyncio.timeout(within_s):
                return await wanted
        except TimeoutError:
            return None
        finally:
            self._wanted = None

    async def present(self, medium: Medium, within_s: float) -> bool:
        """Hold a medium to the field until it is taken, at most so long; whether it was."""
        return await self._bell.until(lambda: self._taken(medium), within_s)

    def _taken(self, medium: Medium) -> bool:
        if self._wanted is None or self._wanted.done():
            return False
        self._wanted.set_result(medium)
        return True
