"""Server-sent events: something changed, so whoever looks gets the changed pieces of the page.

Everybody who looks at the same page shares one drawing, so a second looker costs no second query.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tapwatt.pages.reader import READER

LOOKERS_MAX = 200
KEEP_ALIVE_S = 15.0
AT_MOST_EVERY_S = 0.25
LOOK_AGAIN_S = 1.0
"""Not everything that a page shows announces itself: a station's socket, a terminal's screen."""
RETRY_MS, RETRY_WHEN_FULL_MS = 1_000, 30_000
"""How long a browser waits before it looks again, after a lost connection or when there was no place."""

Pieces = Mapping[str, str]
Draw = Callable[[], Awaitable[Pieces]]


@dataclass(slots=True)
class _Drawing:
    """The newest pieces of one page, for all who look at it."""

    draw: Draw
    lookers: int = 0
    pieces: Pieces = field(default_factory=dict)
    version: int = -1
    drawn_at_s: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Live:
    """Tells open pages that something changed. `changed()` may be called as often as one likes."""

    def __init__(
        self,
        *,
        most_lookers: int = LOOKERS_MAX,
        keep_alive_s: float = KEEP_ALIVE_S,
        at_most_every_s: float = AT_MOST_EVERY_S,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._most = most_lookers
        self._keep_alive_s = keep_alive_s
        self._at_most_every_s = at_most_every_s
        self._look_again_s = look_again_s
        self._lookers: set[asyncio.Event] = set()
        self._drawings: dict[str, _Drawing] = {}
        self._version = 0
        self._closed = False

    @property
    def lookers(self) -> int:
        """How many pages are open."""
        return len(self._lookers)

    def changed(self) -> None:
        """Wake every open page."""
        self._version += 1
        for looker in self._lookers:
            looker.set()

    def close(self) -> None:
        """End every stream: the program stops, and an open page must not hold it up."""
        self._closed = True
        self.changed()

    async def fragments(self, page: str, draw: Draw) -> AsyncIterator[str]:
        """Pieces of a page by element id, drawn anew at each change; only what differs is sent.

        `page` names what is drawn: the same name and language, the same drawing. A slow reader misses
        intermediate states, never the newest. One looker too many is told to come back later, and the stream
        ends.
        """
        if len(self._lookers) >= self._most:
            yield f"retry: {RETRY_WHEN_FULL_MS}\n{_event('full', f'{self._most} live pages are open')}"
            return
        wake = asyncio.Event()
        self._lookers.add(wake)
        page = f"{page} {READER.get().key}"
        drawing = self._drawings.setdefault(page, _Drawing(draw))
        drawing.lookers += 1
        try:
            async for piece in self._changes(drawing, wake):
                yield piece
        finally:
            self._lookers.discard(wake)
            drawing.lookers -= 1
            if not drawing.lookers:
                self._drawings.pop(page, None)

    async def _changes(self, drawing: _Drawing, wake: asyncio.Event) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        yield f"retry: {RETRY_MS}\n\n"
        shown: dict[str, str] = {}
        spoke_at_s = loop.time()
        while not self._closed:
            wake.clear()
            for element, html in (await self._drawn(drawing)).items():
                if shown.get(element) != html:
                    shown[element] = html
                    spoke_at_s = loop.time()
                    yield _event("fragment", {"id": element, "html": html})
            if loop.time() - spoke_at_s >= self._keep_alive_s:
                spoke_at_s = loop.time()
                yield ": still here\n\n"
            if not self._closed:
                await asyncio.sleep(self._at_most_every_s)
                await _within(wake, self._look_again_s)

    async def _drawn(self, drawing: _Drawing) -> Pieces:
        async with drawing.lock:
            now_s = asyncio.get_running_loop().time()
            if drawing.version != self._version or now_s - drawing.drawn_at_s >= self._look_again_s:
                version = self._version
                drawing.pieces = await drawing.draw()
                drawing.version, drawing.drawn_at_s = version, now_s
            return drawing.pieces


def _event(name: str, value: object) -> str:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n"


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
