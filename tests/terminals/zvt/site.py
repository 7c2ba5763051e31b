"""A terminal on a loopback socket that serves as told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.terminals.zvt.wire import APPROVED

from tapwatt.terminals.zvt.events import Timings
from tapwatt.terminals.zvt.link import Dialogue, TerminalLink
from tapwatt.terminals.zvt.messages import Message

QUICK = Timings(acknowledgement_ms=800, answer_ms=1_500, frame_ms=800)
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def approve(dialogue: Dialogue) -> None:
    await dialogue.accept()
    await dialogue.intermediate(0x0A)
    await dialogue.status(APPROVED)
    await dialogue.complete()


async def eventually(check: Callable[[], bool]) -> None:
    """Wait until something holds, on a machine however busy."""
    async with asyncio.timeout(10):
        while not check():  # noqa: ASYNC110 (what is waited for belongs to the room, not to the test)
            await asyncio.sleep(0.01)


class Site:
    """A terminal that serves as told, and an ECR that dials it."""

    def __init__(self) -> None:
        self.terminal = TerminalLink(self._serve, timings=QUICK, observe=self._see)
        self.serve: Callable[[Dialogue], Awaitable[None]] = approve
        self.seen: list[str] = []
        self.failures: list[Exception] = []
        self.port = 0

    async def _serve(self, dialogue: Dialogue) -> None:
        try:
            await self.serve(dialogue)
        except Exception as error:
            self.failures.append(error)
            raise

    def _see(self, direction: str, message: Message) -> None:
        self.seen.append(f"{direction} {message.name}")
