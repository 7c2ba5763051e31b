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
        said = list(views.values())
        given_back = _most_said([view for view in said if _is_given_back(view)])
        common = _most_said(said)
        right = {NOTHING, given_back} if common in (NOTHING, given_back) else {common}
        return [party for party, view in views.items() if view not in right]

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


def _is_given_back(view: tuple[int, ...]) -> bool:
    authorised, captured, released = view
    return view != NOTHING and captured == 0 and authorised == released


def _most_said(views: list[tuple[int, ...]]) -> tuple[int, ...]:
    """What is said most often; between equals, whoever says that money moved."""
    return max(views, key=lambda view: (views.count(view), view != NOTHING), default=NOTHING)


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
