"""The listening end: partners dial, sign on and send requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from tapwatt.rails.iso8583 import Message, Spec
from tapwatt.rails.link.line import CLOSE_TIMEOUT_S, Line, counting_stans, steady_clock
from tapwatt.rails.messages import HOUSE
from tapwatt.rails.partner import Handler, HostObserver, HostWitness, Partner, failure_text
from tapwatt.rails.protocol import (
    Connection,
    ConnectionLimits,
    Event,
    LinkDown,
    MessageRejected,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    Role,
    SignedOn,
    UnmatchedReceived,
    accept_anybody,
)
from tapwatt.traces import Direction, Mark


def see_nothing(_direction: Direction, _message: Message, _mark: Mark = Mark.NONE, /) -> None:
    """The witness that looks away."""


def ignore(_happened: str, /, **_details: object) -> None:
    """The observer that hears nothing."""


class _Partnership:
    """The server's side of one line: its requests in work, at most so many at a time."""

    def __init__(
        self,
        line: Line,
        handle: Handler,
        observe: HostObserver,
        witness: HostWitness,
        concurrency: int,
    ) -> None:
        self._line, self._handle, self._observe = line, handle, observe
        self._witness = witness
        self._places = asyncio.Semaphore(concurrency)
        self._in_work: set[asyncio.Task[None]] = set()

    async def on_event(self, event: Event) -> None:
        match event:
            case RequestReceived(message):
                self._witness(Direction.RECEIVED, message)
                await self._places.acquire()
                task = asyncio.create_task(self._answer(message))
                self._in_work.add(task)
                task.add_done_callback(self._in_work.discard)
            case SignedOn():
                self._observe("signed_on", partner=self._partner())
            case MessageRejected(reason):
                self._observe("rejected", partner=self._partner(), reason=reason)
            case UnmatchedReceived(unmatched):
                self._observe("unmatched", partner=self._partner(), reason=unmatched.reason)
            case LinkDown(reason):
                self._observe("down", partner=self._partner(), reason=reason)
            case ResponseReceived() | RequestTimedOut():
                pass  # a server sends no requests of its own but its sign-off

    async def finish(self, within_s: float) -> None:
        """Let the requests in work end; those that do not are given up."""
        if self._in_work:
            _, late = await asyncio.wait(self._in_work, timeout=within_s)
            for task in late:
                task.cancel()

    def _partner(self) -> Partner:
        return Partner(self._line.address, self._line.connection.partner)

    async def _answer(self, message: Message) -> None:
        try:
            answer = await self._handle(message, self._partner())
            if answer is not None:
                self._line.connection.respond(answer)
                self._witness(Direction.SENT, answer)
                await self._line.flush()
        except Exception as error:  # whatever went wrong, silence is the one answer that promises nothing
            self._observe("handler_failed", partner=self._partner(), error=failure_text(error))
        finally:
            self._places.release()


class HostServer:
    """Listens for partners and hands their requests to `handle`, several at a time; answers may overtake
    each other.

    `handle` returns the answer, or None for silence. At most `concurrency` requests of one connection are in
    work; then reading pauses and the partner's socket fills up. More than `connections` partners at once
    are refused.
    """

    def __init__(
        self,
        handle: Handler,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        spec: Spec = HOUSE,
        now_ms: Callable[[], int] | None = None,
        limits: ConnectionLimits | None = None,
        accept_sign_on: Callable[[Message], str] = accept_anybody,
        concurrency: int = 64,
        connections: int = 256,
        observe: HostObserver = ignore,
        witness: HostWitness = see_nothing,
    ) -> None:
        self._handle, self._host, self.port, self._spec = handle, host, port, spec
        self._now_ms = now_ms or steady_clock()
        self._limits, self._accept_sign_on = limits, accept_sign_on
        self._concurrency, self._connections, self._observe = concurrency, connections, observe
        self._witness = witness
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], tuple[Line, _Partnership]] = {}

    async def start(self) -> None:
        """Listen; with port 0 a free one is taken and `port` says which."""
        self._server = await asyncio.start_server(self._accept, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, finish the requests in work (at most two seconds), sign off, close every line."""
        if self._server is None:
            return
        self._server.close()
        await asyncio.gather(*(self._hang_up(line, work) for line, work in self._serving.values()))
        if self._serving:
            _, late = await asyncio.wait(list(self._serving), timeout=CLOSE_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _hang_up(self, line: Line, work: _Partnership) -> None:
        await work.finish(CLOSE_TIMEOUT_S)
        line.connection.sign_off(self._now_ms())
        line.push()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._serving) >= self._connections:
            self._observe("refused", reason=f"{self._connections} partners are connected already")
            writer.close()
            return
        connection = Connection(
            spec=self._spec,
            role=Role.SERVER,
            stans=counting_stans(),
            now_ms=self._now_ms(),
            limits=self._limits,
            accept_sign_on=self._accept_sign_on,
        )
        line = Line(connection, reader, writer, self._now_ms)
        work = _Partnership(line, self._handle, self._observe, self._witness, self._concurrency)
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = (line, work)
        with contextlib.suppress(asyncio.CancelledError):  # stop() gave up on this line
            try:
                await line.run(work.on_event)
            finally:
                del self._serving[task]
                await work.finish(CLOSE_TIMEOUT_S)
