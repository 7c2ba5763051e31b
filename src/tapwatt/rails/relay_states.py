"""The life cycle of one payment as a host in the middle sees it: states, events and effects of `relay`.

Stored by the host's engine as JSON, so nothing here may hold a card number in clear, track data, chip data
or a PIN (design.md law 7; PCI DSS 3.3.1). Amounts are minor units, times epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class RelayStatus(StrEnum):
    """Where a life cycle stands at this host."""

    RECEIVED = "RECEIVED"  # asked the next party, no answer yet
    APPROVED = "APPROVED"  # a hold is open
    DECLINED = "DECLINED"
    REVERSING = "REVERSING"  # given back as far as we are concerned; the next party has not confirmed
    REVERSED = "REVERSED"
    COMPLETED = "COMPLETED"  # the final amount is taken, the rest released
    BLOCKED = "BLOCKED"  # its reversal or completion came first; a later authorisation is refused


OPEN_STATUSES = (RelayStatus.RECEIVED, RelayStatus.APPROVED, RelayStatus.REVERSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose payment it is: what the first message of a life cycle said, safe to store."""

    life_cycle: str
    reference: str = ""  # the merchant's own
    rrn: str
    stan: str  # of the party that asked us
    tid: str
    mid: str
    card: str = ""  # masked
    pan_sealed: str = ""
    pan_match: str = ""  # keyed hash
    amount_minor: int
    currency: str  # three digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The state of one life cycle."""

    identity: Identity
    status: RelayStatus
    original: dict[str, str] = field(default_factory=dict)  # the 0100 as passed on, without card data
    upstream: str = ""  # the party it was passed to
    authorised_minor: int = 0
    captured_minor: int = 0
    response_code: str = ""  # of the authorisation
    reason: str = ""
    approval_code: str = ""
    scheme_transaction: str = ""
    alarm: str = ""  # why an advice was parked; a person has to look


# --- events


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An authorisation request that this host's own checks let pass."""

    identity: Identity
    original: dict[str, str]
    upstream: str = ""
    scheme_transaction: str = ""  # where this host is the one that gives it
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An authorisation request that this host's own checks refuse."""

    identity: Identity
    code: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The next party said yes, to this amount."""

    amount_minor: int
    code: str
    approval_code: str = ""
    scheme_transaction: str = ""
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The next party said no."""

    code: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """The request went out, or may have, and no answer came that can be used: unknown."""

    reason: str
    stan: str  # for the reversal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """There was no line to the next party: the request never left."""

    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionReceived:
    """An advice of the final amount. `identity` is read from the advice itself; `stan` is ours for the next
    hop.
    """

    identity: Identity
    stan: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalReceived:
    """The party before takes its authorisation back."""

    identity: Identity
    stan: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionAccepted:
    """The next party took the completion over."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalAccepted:
    """The next party took the reversal over."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """The next party refused an advice for good, or too many attempts failed."""

    kind: str  # completion or reversal
    reason: str
    at_ms: int


RelayEvent = (
    Asked
    | Refused
    | Approved
    | Declined
    | Silent
    | NotSent
    | CompletionReceived
    | ReversalReceived
    | CompletionAccepted
    | ReversalAccepted
    | Parked
)
RELAY_EVENTS: tuple[type, ...] = RelayEvent.__args__


# --- effects


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """Ask the next party. Never sent twice: a repeat of this effect means that the outcome is unknown.

    The message itself is only in memory, for its card and chip data may not be stored.
    """

    stan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCompletion:
    """Tell the next party the final amount, until it answers."""

    amount_minor: int
    stan: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReversal:
    """Take the authorisation back at the next party, until it answers. `code` says why (field 39)."""

    code: str
    stan: str
    at_ms: int


RelayEffect = SendRequest | SendCompletion | SendReversal
RELAY_EFFECTS: tuple[type, ...] = (SendRequest, SendCompletion, SendReversal)
