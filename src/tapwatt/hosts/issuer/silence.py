"""The sandbox's switch that makes the issuer fall silent: for tests and the demo, never for a real issuer.

While it is silent the issuer decides and holds as always, and its answers to authorisations do not leave;
completions and reversals are answered. With `late` the kept answers leave when the silence ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

MOST_S = 600


class Silence:
    """How long no answer to an authorisation leaves. `now_ms` is the wall clock."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._until_ms = 0
        self._late = False
        self._changed = asyncio.Event()

    @property
    def left_ms(self) -> int:
        """How much of the silence is left."""
        return max(0, self._until_ms - self._now_ms())

    def begin(self, seconds: float | None, *, late: bool) -> None:
        """Be silent from now on for so long; None ends it at once (and lets late answers go)."""
        self._until_ms = self._now_ms() + (0 if seconds is None else round(seconds * 1000))
        if seconds is not None:
            self._late = late
        self._changed.set()
        self._changed = asyncio.Event()

    async def lets_through(self) -> bool:
        """Whether an answer may leave: at once, after the silence (late), or never."""
        if not self.left_ms:
            return True
        if not self._late:
            return False
        while left_ms := self.left_ms:
            try:
                async with asyncio.timeout(left_ms / 1000):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return True
