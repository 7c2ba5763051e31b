"""What both ends of a ZVT connection need: socket options, a clock for timeouts, and a witness of whole
messages."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from typing import Protocol

from tapwatt.terminals.zvt.codec import decode
from tapwatt.terminals.zvt.frames import Reassembler
from tapwatt.terminals.zvt.messages import Message

READ_SIZE = 4096
STILL_DUE_S = 0.1
"""What a tick could not settle, as a result that is still being stored, is looked at again after this."""

Observe = Callable[[str, Message], None]


class Reader(Protocol):
    """Where the bytes of a connection come from, whatever carries them."""

    async def read(self, n: int = -1, /) -> bytes:
        """Give bytes, b"" at the end. Raises OSError when the connection failed."""
        ...


class Writer(Protocol):
    """Where the bytes of a connection go."""

    def write(self, data: bytes, /) -> None:
        """Queue bytes."""

    async def drain(self) -> None:
        """Wait while too much is queued."""

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        ...

    def close(self) -> None:
        """End the connection."""

    async def wait_closed(self) -> None:
        """Wait for its end."""


def prepare(writer: asyncio.StreamWriter) -> None:
    """Have the kernel notice a dead peer within about a minute: idle ZVT connections are normal and
    silent."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def monotonic_ms() -> int:
    """Give milliseconds that only ever grow, for timeouts."""
    return time.monotonic_ns() // 1_000_000


class Clock:
    """Calls `tick` when a protocol's next moment has come, and sleeps until then: an idle line costs nothing.

    `changed` has to be called after everything that may move that moment.
    """

    def __init__(
        self, *, due_ms: Callable[[], int | None], tick: Callable[[], None], now_ms: Callable[[], int]
    ) -> None:
        """`due_ms` gives the next moment on the clock of `now_ms`, None when nothing is waited for."""
        self._due_ms, self._tick, self._now_ms = due_ms, tick, now_ms
        self._sleeping_until_ms: int | None = None
        self._woken = asyncio.Event()
        self._over = False

    def stop(self) -> None:
        """End `run`: the connection is over, and a task that waits for nothing must not be left behind."""
        self._over = True
        self._woken.set()

    def changed(self) -> None:
        """Look again if something is due before the sleep is over."""
        due_ms, until_ms = self._due_ms(), self._sleeping_until_ms
        if due_ms is not None and (until_ms is None or due_ms < until_ms):
            self._woken.set()

    async def run(self) -> None:
        """For the connection's life, until it is stopped."""
        while not self._over:
            self._woken.clear()
            due_ms = self._sleeping_until_ms = self._due_ms()
            wait_s = None if due_ms is None else (due_ms - self._now_ms()) / 1000
            if wait_s is not None and wait_s <= 0:
                self._tick()
                await asyncio.sleep(STILL_DUE_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()


class Witness:
    """Tells `observe("sent" | "received", message)` of every whole message that passes."""

    def __init__(self, observe: Observe | None) -> None:
        self._observe = observe
        self._streams = {"sent": Reassembler(), "received": Reassembler()}

    def passed(self, direction: str, data: bytes) -> None:
        """Take bytes of one direction."""
        if self._observe is None:
            return
        for frame in self._streams[direction].feed(data):
            self._observe(direction, decode(frame))
