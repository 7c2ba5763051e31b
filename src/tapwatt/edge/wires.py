"""What the edge needs of its two wires. Programs put `EcrLink` and `EdgeClient` in their place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from tapwatt.terminals.messages import Operation, Outcome
from tapwatt.uplink.messages import Accepted, FromEdge


class Shown(Protocol):
    """What the terminal says it is doing."""

    @property
    def code(self) -> int:
        """The protocol's number."""

    @property
    def text(self) -> str:
        """Words for a person."""


class TerminalLink(Protocol):
    """One terminal's connection; one operation at a time."""

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""

    async def connect(self) -> None:
        """Dial. Raises OSError or TimeoutError."""

    async def run(
        self,
        operation: Operation,
        *,
        on_intermediate: Callable[[Shown], None] | None = None,
        on_status: Callable[[Outcome, bool], Awaitable[None]] | None = None,
        answer_ms: int | None = None,
    ) -> Outcome:
        """Perform one operation. `on_status(outcome, final)` is awaited before a result is acknowledged."""

    async def abort(self) -> None:
        """Ask the terminal to stop what runs."""

    async def close(self) -> None:
        """Close the connection; what runs ends as unknown."""


class Platform(Protocol):
    """The platform, when it is there."""

    @property
    def connected(self) -> bool:
        """Whether it is there now."""

    async def wait_connected(self, timeout_s: float = 10.0) -> None:
        """Wait for it. Raises TimeoutError."""

    async def call(self, message: FromEdge, *, timeout_s: float = 30.0) -> Accepted:
        """Tell it. Raises CallFailed, NoAnswer (it may have it) or NotConnected (it does not)."""
