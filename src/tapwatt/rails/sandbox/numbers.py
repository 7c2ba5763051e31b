"""Which card numbers are public test numbers, and so may be shown in clear (numbers.toml, cards.toml)."""

from __future__ import annotations

from functools import lru_cache

from tapwatt.rails.sandbox.data import sandbox_data


def is_test_pan(pan: str) -> bool:
    """Whether this number was published for testing: nobody's account stands behind it."""
    return pan in _published()


@lru_cache(maxsize=1)
def _published() -> frozenset[str]:
    cards = {card["pan"] for card in sandbox_data("cards")["card"]}
    return frozenset(sandbox_data("numbers")["pans"]) | cards
