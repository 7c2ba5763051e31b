"""Open pages that bring themselves up to date, for whoever may look: everybody with the same permissions
shares one drawing, each gets the forms of their own login, and the stream ends with the login."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import Request

from tapwatt.pages.live import Draw, Live, Pieces
from tapwatt.pages.stream import EventStream
from tapwatt.store import UnableToQueue, UnableToStore
from tapwatt.web.gate import CSRF, Gate, Known

LOOK_AGAIN_S = 2.0
"""A login that has ended keeps a page for so long at most."""
PLACE_OF_TOKEN = "the-token-of-this-login"
"""Stands in a shared drawing where each login's own token goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """The open pages of one operator's console."""

    live: Live
    gate: Gate

    async def at(self, request: Request, page: str, draw: Draw) -> EventStream:
        """The changes of a page, drawn anew as things happen; see `Live.fragments`."""
        known = await self.gate.know(request)
        return EventStream(self._events(known, page, draw), until=lambda: self._ended(known))

    async def _events(self, known: Known, page: str, draw: Draw) -> AsyncIterator[str]:
        async def shared() -> Pieces:
            before = CSRF.set(PLACE_OF_TOKEN if known.csrf else "")
            try:
                return await draw()
            finally:
                CSRF.reset(before)

        seen_by = ",".join(sorted(known.who.permissions)) + ("" if known.csrf else " open")
        async for event in self.live.fragments(f"{page} {seen_by}", shared):
            yield event.replace(PLACE_OF_TOKEN, known.csrf)

    async def _ended(self, known: Known) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                if not await self.gate.stands(known):
                    return
            except (UnableToStore, UnableToQueue):
                continue
