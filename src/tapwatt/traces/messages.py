"""One message as it passed one end of a wire, decoded and masked.

`link` is what a question and its answer, and the two ends of a wire, have in common: OCPP-J's message id, or
trace number, transmission time and terminal of ISO 8583 (fields 11, 7 and 41).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Direction(StrEnum):
    """Which way it went, seen from the program that keeps the trace."""

    SENT = "sent"
    RECEIVED = "received"
    AWAITED = "awaited"
    """Nothing went: an answer was waited for, and did not come."""


class Wire(StrEnum):
    """The protocol of a wire."""

    ISO8583 = "iso8583"
    ZVT = "zvt"
    OCPP = "ocpp"
    UPLINK = "uplink"


class Mark(StrEnum):
    """What makes a message worth a second look."""

    NONE = ""
    REPEAT = "repeat"
    UNANSWERED = "unanswered"
    LATE = "late"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A message on a wire. `fields` are masked; `reference` is the payment's, `life_cycle` the rails' own.

    `peer` is the party at the other end: its role on the rails, its identity on a WebSocket. `key` is the
    operation's between platform and edge.
    """

    at_ms: int
    direction: Direction
    wire: Wire
    peer: str
    name: str
    amount_minor: int | None = None
    currency: str = ""
    mark: Mark = Mark.NONE
    reference: str = ""
    life_cycle: str = ""
    key: str = ""
    link: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
