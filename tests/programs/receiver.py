"""A receiver of webhooks on a socket, which answers as it is told and keeps what it was sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tests.web.serving import on_socket


@dataclass
class Receiver:
    """What came, and how to answer it."""

    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[], Response] = lambda: Response(status_code=204)
    waits: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.came.append((dict(request.headers), await request.body()))
        if self.waits is not None:
            await self.waits.wait()
        await self.answer()(scope, receive, send)

    @property
    def ids(self) -> list[str]:
        """The ids of what came, in order."""
        return [headers["webhook-id"] for headers, _ in self.came]


@contextlib.asynccontextmanager
async def receiving(receiver: Receiver) -> AsyncIterator[str]:
    """The receiver on a free port; yields its address."""
    async with on_socket(receiver, lambda: None) as url:
        yield url


async def until(true: Callable[[], bool], *, seconds: float = 8.0) -> None:
    """Wait until something has become true."""
    for _ in range(round(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("it has not become true")
