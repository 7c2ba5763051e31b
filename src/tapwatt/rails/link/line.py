"""One socket with its protocol state: a reader, a timer task, and the clock and trace numbers they use."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator

from tapwatt.rails.protocol import Connection, Event

CLOSE_TIMEOUT_S = 2.0
_READ_BYTES = 64 * 1024


def steady_clock() -> Callable[[], int]:
    """Epoch milliseconds that never go backwards: wall time at the start, then the monotonic clock."""
    offset_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000
    return lambda: time.monotonic_ns() // 1_000_000 + offset_ms


def counting_stans(start: int = 1) -> Iterator[str]:
    """Trace numbers from `start`, wrapping after 999999. For network messages; payments take durable ones."""
    for number in itertools.count(start - 1):
        yield f"{number % 999_999 + 1:06d}"


class Line:
    """One socket with its protocol state: a reader and a timer task."""

    def __init__(
        self,
        connection: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        now_ms: Callable[[], int],
    ) -> None:
        self.connection = connection
        self.address = str(writer.get_extra_info("peername"))
        self._reader, self._writer, self._now_ms = reader, writer, now_ms
        self._changed = asyncio.Event()
        self._sleeping_until_ms: int | None = None
        self._on_event: Callable[[Event], Awaitable[None]]

    async def run(self, on_event: Callable[[Event], Awaitable[None]]) -> None:
        """Until the line is down. The socket is closed when this returns, however it returns."""
        self._on_event = on_event
        timer = asyncio.create_task(self._keep_time())
        try:
            self.connection.open(self._now_ms())
            await self.flush()
            while not self.connection.closed:
                data = await self._read()
                now_ms = self._now_ms()
                events = self.connection.receive(data, now_ms=now_ms) if data else self.connection.ended()
                await self._publish(events)
                await self.flush()
        finally:
            timer.cancel()
            await self._publish(self.connection.ended())
            await self._close()

    def push(self) -> None:
        """Hand the socket what there is to send, without waiting for it to go out."""
        data = self.connection.data_to_send()
        if self._sleeps_too_long():
            self._changed.set()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    def _sleeps_too_long(self) -> bool:
        """Whether the timer must look again: the line is over, or something is due before it would wake."""
        due_ms, until_ms = self.connection.due_ms(), self._sleeping_until_ms
        return self.connection.closed or (due_ms is not None and (until_ms is None or due_ms < until_ms))

    async def flush(self) -> None:
        """Send, and wait while the partner takes nothing. A broken socket shows when reading."""
        self.push()
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(_READ_BYTES)
        except OSError:
            return b""

    async def _publish(self, events: list[Event]) -> None:
        for event in events:
            await self._on_event(event)
        self.push()

    async def _keep_time(self) -> None:
        """Time-outs happen even while the partner takes nothing, so this task never waits for the socket."""
        while not self.connection.closed:
            self._changed.clear()
            due_ms = self._sleeping_until_ms = self.connection.due_ms()
            wait_s = None if due_ms is None else max(due_ms - self._now_ms(), 0) / 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            await self._publish(self.connection.tick(self._now_ms()))
        self._writer.close()  # wakes the reader

    async def _close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()
