"""What the scheme itself decides about a request: do both ends take part, and who has issued the card?

Pure. The scheme gives every authorisation its own identifier (field 63), which travels with the payment for
life (reference/rails.md 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from tapwatt.rails.iso8583 import Message
from tapwatt.rails.messages import ACQUIRER, PAN, life_cycle
from tapwatt.rails.mti import AUTHORISATION, first_of
from tapwatt.rails.relay_messages import SCHEME_TRANSACTION, Hop, Pass, Refuse, Verdict
from tapwatt.rails.responses import ResponseCode

PREFIXES = (8, 7, 6, 5, 4)
"""How many first digits of a card number a route may have, longest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A bank that takes part in the scheme."""

    id: str
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the scheme's tables say about a message. `issuer` stands behind the card's first digits."""

    acquirer: Member | None
    issuer: Member | None


def machine_id(message: Message) -> str:
    """Acquirers count for themselves: the life cycle is scoped by the one it comes from."""
    return f"{acquirer_id(message)}/{life_cycle(message)}"


def check(message: Message, facts: Facts, hop: Hop) -> Verdict:
    """Whether a request goes on, and to which issuer."""
    if facts.acquirer is None or not facts.acquirer.active:
        return Refuse(
            code=ResponseCode.NOT_PERMITTED_TO_TERMINAL,
            reason="the acquirer is no active member of the scheme",
        )
    if first_of(message.mti) != AUTHORISATION:
        return Pass(upstream="")
    if facts.issuer is None:
        return Refuse(code=ResponseCode.NO_SUCH_ISSUER, reason="no issuer has these first digits")
    if not facts.issuer.active:
        return Refuse(code=ResponseCode.NO_ROUTE, reason="the issuer takes no part at present")
    return Pass(upstream=facts.issuer.id, stamps={SCHEME_TRANSACTION: network_transaction(hop)})


def network_transaction(hop: Hop) -> str:
    """The scheme's identifier of a payment: the second and our trace number, which comes once a day."""
    return f"N{hop.now_ms // 1000:010d}T{hop.stan}"


def prefixes(message: Message) -> tuple[str, ...]:
    """The first digits by which a route is looked for, longest first."""
    pan = message.get(PAN)
    return tuple(pan[:length] for length in PREFIXES) if isinstance(pan, str) else ()


def acquirer_id(message: Message) -> str:
    """Field 32, "" where it is missing."""
    return str(message.get(ACQUIRER) or "")
