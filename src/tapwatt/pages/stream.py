"""A response that is a stream of server-sent events: it ends when the reader leaves, stalls, or we stop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import cast

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

STALLED_S = 30.0
"""Who has not taken a piece for so long looks no more; his place goes to somebody else."""

log = structlog.get_logger("tapwatt.pages")


class EventStream(Response):
    """Sends events as they come. A reader that stalls is dropped; his browser comes back when it wakes.
    `until` returns when the reader may look no longer."""

    def __init__(
        self,
        events: AsyncIterator[str],
        *,
        stalled_s: float = STALLED_S,
        until: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.body = b""
        self.raw_headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        self._events = events
        self._stalled_s = stalled_s
        self._until = until

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the events end or the reader is gone. A HEAD gets the headers only."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope.get("tapwatt.head"):
            await send({"type": "http.response.body", "body": b""})
            return
        sending = asyncio.create_task(self._send_all(send))
        over = asyncio.create_task(self._over())
        tasks = {sending, over, asyncio.create_task(_left(receive))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if over.done() and not over.cancelled():
            await send({"type": "http.response.body", "body": b""})

    async def _over(self) -> None:
        if self._until is None:
            await asyncio.Event().wait()
        else:
            await self._until()

    async def _send_all(self, send: Send) -> None:
        # A generator left in the middle keeps its place among the lookers until it is closed.
        events = cast(AsyncGenerator[str, None], self._events)
        try:
            async for event in events:
                async with asyncio.timeout(self._stalled_s):
                    await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except (OSError, TimeoutError):
            return
        except Exception as error:
            log.error("live page failed", error=type(error).__name__, reason=str(error))
            await send({"type": "http.response.body", "body": b""})
        finally:
            await events.aclose()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
