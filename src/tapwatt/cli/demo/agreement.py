"""Whether all parties of a visit state the same money. Pure: rows in, a verdict out."""

from collections.abc import Mapping
from dataclasses import dataclass

PARTIES = ("session", "terminal", "platform_ledger", "gateway", "acquirer", "issuer")
AMOUNTS = ("authorised_minor", "captured_minor", "released_minor")
NOTHING = (0, 0, 0)

Stated = dict[str, int] | None
"""What one party states, by amount; None where a payment does not pass it (a tag's account never meets the
rails)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One driver's stay as every party tells it."""

    session: str | None
    outcome: str
    currency: str
    parties: Mapping[str, Stated]

    @property
    def agree(self) -> bool:
        """Whether every party that has a say says the same, and the hold is wholly accounted for."""
        return not self.dissenters() and self.settled

    @property
    def settled(self) -> bool:
        """Whether everything that was authorised has been captured or released."""
        own = self.parties.get("session")
        return own is None or own["authorised_minor"] == own["captured_minor"] + own["released_minor"]

    def dissenters(self) -> list[str]:
        """The parties whose amounts differ from what most parties state.

        A hold that was given back whole before every party had heard of it is no difference: who never saw it
        states nothing, who saw it states it as released, and both say that nothing is held and nothing taken.
        """
        views = {
            party: tuple(stated[amount] for amount in AMOUNTS)
            for party, stated in self.parties.items()
            if stated is not None
        }
        seen = [view for view in views.values() if view != NOTHING]
        if not seen:
            return []
        common = max(seen, key=seen.count)
        given_back = common[1] == 0 and common[0] == common[2]
        return [
            party for party, view in views.items() if view != common and not (given_back and view == NOTHING)
        ]

    def as_json(self) -> dict[str, object]:
        """The visit in the form of the demo's JSON result."""
        own = self.parties.get("session") or dict.fromkeys(AMOUNTS, 0)
        return {
            "session": self.session,
            "outcome": self.outcome,
            "currency": self.currency,
            **{amount: own[amount] for amount in AMOUNTS},
            "parties": dict(self.parties),
            "agree": self.agree,
        }


def total(rows: list[dict[str, object]]) -> dict[str, int]:
    """What a party states over all its rows of one visit."""
    sums = dict.fromkeys(AMOUNTS, 0)
    for row in rows:
        for amount in AMOUNTS:
            value = row.get(amount, 0)
            if not isinstance(value, int):
                raise ValueError(f"{amount} is {value!r}, which is not an integer amount")
            sums[amount] += value
    return sums
