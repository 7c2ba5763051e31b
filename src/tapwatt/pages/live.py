"""Server-sent events: something changed, so whoever looks gets the changed pieces of the page."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

LOOKERS_MAX = 200
KEEP_ALIVE_S = 15.0
AT_MOST_EVERY_S = 0.25


class TooManyLookers(Exception):
    """No more live pages can be served now."""


class Live:
    """Tells open pages that something changed. `changed()` may be called as often as one likes."""

    def __init__(self) -> None:
        self._lookers: set[asyncio.Event] = set()

    def changed(self) -> None:
        """Wake every open page."""
        for looker in self._lookers:
            looker.set()

    async def fragments(self, draw: Callable[[], Awaitable[Mapping[str, str]]]) -> AsyncIterator[str]:
        """Pieces of a page by element id, drawn anew at each change; only what differs is sent.

        A slow reader misses intermediate states, never the newest. Raises TooManyLookers.
        """
        if len(self._lookers) >= LOOKERS_MAX:
            raise TooManyLookers(f"{LOOKERS_MAX} live pages are open")
        changed = asyncio.Event()
        changed.set()
        self._lookers.add(changed)
        shown: dict[str, str] = {}
        try:
            while True:
                if await _within(changed, KEEP_ALIVE_S):
                    changed.clear()
                    for element, html in (await draw()).items():
                        if shown.get(element) != html:
                            shown[element] = html
                            yield f"event: fragment\ndata: {json.dumps({'id': element, 'html': html})}\n\n"
                    await asyncio.sleep(AT_MOST_EVERY_S)
                else:
                    yield ": still here\n\n"
        finally:
            self._lookers.discard(changed)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
