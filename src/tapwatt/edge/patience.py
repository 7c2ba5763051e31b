"""How long the edge waits for whom (design.md law 10)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds. `dialogue_s` is the longest silence of the terminal in a money dialogue, its wait for the card
    included."""

    dialogue_s: float = 75.0
    enquiry_s: float = 10.0
    read_s: int = 5
    redial_s: float = 0.5
    redial_most_s: float = 5.0
    again_s: float = 1.0
    again_most_s: float = 60.0
    """Between two attempts at a capture or release; doubles."""
    present_s: float = 10.0
    """A card is offered to the platform this long: presenting it is not money."""
    after_card_s: float = 5.0
    """After a card was accepted, its operation is waited for this long before the next read."""
    same_card_s: float = 2.0
    rest_s: float = 0.2
    not_ready_s: float = 10.0
    check_s: float = 600.0
    """Between two looks at the list of open holds."""
    stop_s: float = 3.0
