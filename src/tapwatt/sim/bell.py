"""Waiting for something to become true in a world that rings when anything changes.

Every wait has an end: a driver who waits for ever is a demo that hangs (design.md law 10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

T = TypeVar("T")

LOOK_AT_LEAST_S: Final = 1.0
"""Facts that change without a ring (time, a socket) are looked at this often."""


class Bell:
    """Rung after every change; whoever waits looks again."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something has changed."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def heard(self, within_s: float) -> None:
        """Wait for one ring, or until the time is over."""
        rung = self._rung
        try:
            async with asyncio.timeout(within_s):
                await rung.wait()
        except TimeoutError:
            return

    async def until(self, fact: Callable[[], bool], within_s: float) -> bool:
        """Whether the fact became true in time."""

        async def found() -> bool | None:
            return fact() or None

        return await self.until_found(found, within_s) is not None

    async def until_found(self, query: Callable[[], Awaitable[T | None]], within_s: float) -> T | None:
        """The first answer of a query that is not None; None when the time is over."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + within_s
        while True:
            rung = self._rung
            answer = await query()
            left_s = end_s - loop.time()
            if answer is not None or left_s <= 0:
                return answer
            try:
                async with asyncio.timeout(min(left_s, LOOK_AT_LEAST_S)):
                    await rung.wait()
            except TimeoutError:
                continue
