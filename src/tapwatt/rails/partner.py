"""What a host sees of the party at the other end: how to ask it, and the two ways of getting no answer.

Hosts are written against this file; the sockets behind it (`link`) are put in by the programs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from tapwatt.rails.iso8583 import Message
from tapwatt.rails.iso8583.masking import scrub
from tapwatt.rails.mux import Unmatched
from tapwatt.traces import Direction, Mark


class NoAnswer(Exception):
    """The request was sent and no answer came: the outcome is unknown. Reverse or repeat, never guess."""


class NotConnected(Exception):
    """There is no signed-on line: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Who is at the other end of a server's line: its address, and field 33 of its sign-on."""

    address: str
    forwarder_id: str


class HostCaller(Protocol):
    """The next party, as `link.HostClient` is one."""

    @property
    def connected(self) -> bool:
        """Whether a request could be sent now."""

    async def request(self, message: Message, *, timeout_s: float) -> Message:
        """Ask and wait. NotConnected: nothing was sent. NoAnswer: it was, and the outcome is unknown."""


class HostObserver(Protocol):
    """Hears what happens on lines, for logs and counters. Messages print masked."""

    def __call__(self, happened: str, /, **details: object) -> None:
        """`happened`: signed_on, down, rejected, unmatched, handler_failed, refused or dial_failed."""


class HostWitness(Protocol):
    """Sees every payment message that passes a line, as it passes. It must not wait and cannot fail."""

    def __call__(self, direction: Direction, message: Message, mark: Mark = Mark.NONE, /) -> None:
        """AWAITED gives the question that stays without an answer."""


def failure_text(error: Exception) -> str:
    """An exception as it may be logged: kind, text with card numbers masked, and where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_name}, line {trace.tb_lineno})" if trace is not None else ""
    return f"{type(error).__name__}: {scrub(str(error))}{place}"


Handler = Callable[[Message, Partner], Awaitable[Message | None]]
LateHandler = Callable[[Unmatched], Awaitable[None]]
