"""ZVT over TCP or a serial line, the ECR's end: dials the terminal, runs one operation at a time, tells not
sent from unknown.

The only place where a socket meets the ECR's protocol; `terminal.py` beside it is its other end. terminals.md
sections 4.1 and 10.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tapwatt.terminals.address import Address, SerialAddress, TcpAddress
from tapwatt.terminals.messages import NotSent, Operation, Outcome, ResultKind, Unknown
from tapwatt.terminals.zvt.events import (
    AbortedByTerminal,
    Broken,
    Completed,
    EcrEvent,
    Intermediate,
    Printed,
    Refused,
    StatusReceived,
    TimedOut,
    Timings,
    Unexpected,
)
from tapwatt.terminals.zvt.frames import DATA_LIMIT
from tapwatt.terminals.zvt.link.serial import SerialStream, open_port
from tapwatt.terminals.zvt.link.sockets import (
    READ_SIZE,
    Clock,
    Observe,
    Reader,
    Witness,
    Writer,
    monotonic_ms,
    prepare,
)
from tapwatt.terminals.zvt.protocol import Ecr, EcrSettings, Phase
from tapwatt.terminals.zvt.serial import SerialTimings
from tapwatt.terminals.zvt.values import UnableToEncode

_QUEUE_LIMIT = 256
_CONNECT_S = 5.0

OnIntermediate = Callable[[Intermediate], None]
OnPrinted = Callable[[Printed], None]
OnUnexpected = Callable[[Unexpected], None]
OnStatus = Callable[[Outcome, bool], Awaitable[None]]


class ConnectionClosed(Exception):
    """The terminal's connection ended while something was awaited."""


class EcrLink:
    """One terminal's connection. It dials when an operation needs it and keeps the connection until something
    breaks it.

    `observe("sent" | "received", message)` sees every whole message, secrets masked; `on_unexpected` gets
    late results.
    """

    def __init__(
        self,
        *,
        address: Address | None = None,
        host: str = "",
        port: int = 0,
        settings: EcrSettings | None = None,
        timings: Timings | None = None,
        serial_timings: SerialTimings | None = None,
        frame_limit: int = DATA_LIMIT,
        on_unexpected: OnUnexpected | None = None,
        observe: Observe | None = None,
        now_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        """`address` is where the terminal is; `host` and `port` are short for a TCP one."""
        self._address = address if address is not None else TcpAddress(host=host, port=port)
        self._serial_timings = serial_timings or SerialTimings()
        self._settings, self._frame_limit = settings, frame_limit
        self._timings = self._patient(timings or Timings())
        self._on_unexpected, self._observe, self._now_ms = on_unexpected, observe, now_ms
        self._turn = asyncio.Lock()
        self._connection: _Connection | None = None
        self._running = False

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        return self._connection is not None and self._connection.open

    @property
    def busy(self) -> bool:
        """Whether an operation runs."""
        return self._running

    async def connect(self) -> None:
        """Dial now instead of at the next operation. Raises OSError or TimeoutError when nobody answers."""
        if self.connected:
            return
        await self._drop()
        reader, writer = await self._dial()
        ecr = Ecr(settings=self._settings, timings=self._timings, frame_limit=self._frame_limit)
        self._connection = _Connection(ecr, reader, writer, self._on_unexpected, self._observe, self._now_ms)

    async def _dial(self) -> tuple[Reader, Writer]:
        match self._address:
            case SerialAddress() as address:
                stream = SerialStream(open_port(address), timings=self._serial_timings)
                return stream, stream
            case TcpAddress(host=host, port=port):
                async with asyncio.timeout(_CONNECT_S):
                    reader, writer = await asyncio.open_connection(host, port)
                prepare(writer)
                return reader, writer

    def _patient(self, timings: Timings) -> Timings:
        """Over a serial line the command itself may take several attempts to arrive."""
        if isinstance(self._address, TcpAddress):
            return timings
        longest_ms = timings.acknowledgement_ms + self._serial_timings.longest_ms
        return replace(timings, acknowledgement_ms=longest_ms)

    async def run(
        self,
        operation: Operation,
        *,
        on_intermediate: OnIntermediate | None = None,
        on_status: OnStatus | None = None,
        on_printed: OnPrinted | None = None,
        answer_ms: int | None = None,
    ) -> Outcome:
        """Perform one operation and give its outcome; further callers wait their turn.

        `on_status(outcome, final)` is awaited before each result of the terminal (040F, 060F, 061E) is
        acknowledged: commit the terminal's keys there. What it raises comes out of here, the result stays
        unacknowledged and the connection is closed. NotSent: nothing reached the terminal, or it refused to
        begin. Unknown: ask `OpenAuthorisations`.
        """
        async with self._turn:
            self._running = True
            try:
                return await self._run(operation, on_intermediate, on_status, on_printed, answer_ms)
            finally:
                self._running = False

    async def abort(self) -> None:
        """Ask the terminal to stop the operation that runs; `run` still gives its outcome, which may be an
        approval."""
        if self._running and self._connection is not None:
            await self._connection.abort()

    async def close(self) -> None:
        """Close the connection; an operation that runs ends as unknown."""
        await self._drop()

    async def _run(
        self,
        operation: Operation,
        on_intermediate: OnIntermediate | None,
        on_status: OnStatus | None,
        on_printed: OnPrinted | None,
        answer_ms: int | None,
    ) -> Outcome:
        try:
            await self.connect()
            connection = self._connection
            assert connection is not None, "connect succeeded"
            await connection.settled()
            connection.begin(operation, answer_ms)
        except (OSError, TimeoutError, ConnectionClosed) as error:
            await self._drop()
            return NotSent(reason=f"the terminal cannot be reached: {error or 'no answer'}")
        except UnableToEncode as error:
            return NotSent(reason=str(error), kind=ResultKind.PROTOCOL)
        try:
            return await _dialogue(connection, on_intermediate, on_status, on_printed)
        except BaseException:
            await self._drop()
            raise
        finally:
            if not connection.open:
                await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close("closed by us")


async def _dialogue(
    connection: _Connection,
    on_intermediate: OnIntermediate | None,
    on_status: OnStatus | None,
    on_printed: OnPrinted | None,
) -> Outcome:
    """Follow one dialogue to its outcome."""
    while True:
        match await connection.next_event():
            case Intermediate() as shown if on_intermediate is not None:
                on_intermediate(shown)
            case Printed() as printed if on_printed is not None:
                on_printed(printed)
            case StatusReceived(outcome=outcome):
                await _keep(on_status, outcome, final=False)
                await connection.acknowledge()
            case Completed(outcome=outcome, message=None):
                return outcome
            case Completed(outcome=outcome) | AbortedByTerminal(outcome=outcome):
                await _keep(on_status, outcome, final=True)
                await connection.acknowledge()
                return outcome
            case Refused(outcome=refusal):
                return refusal
            case TimedOut(outcome=outcome):
                return outcome
            case Broken(reason=reason, outcome=cut):
                return cut or Unknown(reason=reason)


async def _keep(on_status: OnStatus | None, outcome: Outcome, *, final: bool) -> None:
    if on_status is not None:
        await on_status(outcome, final)


class _Connection:
    """One connection with its Ecr, a reading task and a timing task."""

    def __init__(
        self,
        ecr: Ecr,
        reader: Reader,
        writer: Writer,
        on_unexpected: OnUnexpected | None,
        observe: Observe | None,
        now_ms: Callable[[], int],
    ) -> None:
        self._ecr, self._reader, self._writer = ecr, reader, writer
        self._on_unexpected, self._now_ms = on_unexpected, now_ms
        self._witness = Witness(observe)
        self._events: asyncio.Queue[EcrEvent] = asyncio.Queue(_QUEUE_LIMIT)
        self._settled = asyncio.Event()
        self._settled.set()
        self._clock = Clock(due_ms=lambda: ecr.due_ms, tick=self._tick, now_ms=now_ms)
        self.open = True
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._clock.run()))

    async def settled(self) -> None:
        """Wait until a new operation may begin: an answer to a 06B0 may still be on its way."""
        await self._settled.wait()
        if not self.open:
            raise ConnectionClosed("the connection broke")

    def begin(self, operation: Operation, answer_ms: int | None) -> None:
        """Write the command. From its first byte on the terminal may have acted on it."""
        data = self._ecr.start(operation, self._now_ms(), answer_ms=answer_ms)
        if self._writer.is_closing():
            raise ConnectionClosed("the connection broke")
        while not self._events.empty():
            self._events.get_nowait()
        self._write(data)

    async def next_event(self) -> EcrEvent:
        """Give the next event of the dialogue."""
        return await self._events.get()

    async def acknowledge(self) -> None:
        """Answer the result that waits; harmless when the connection broke meanwhile."""
        if self._ecr.phase is Phase.HELD:
            self._write(self._ecr.acknowledge(self._now_ms()))
            self._handle(self._ecr.receive(b"", self._now_ms()))
            with contextlib.suppress(OSError):
                await self._writer.drain()

    async def abort(self) -> None:
        """Write a 06B0 if it may be sent now."""
        self._write(self._ecr.abort(self._now_ms()))
        self._settle()

    async def close(self, reason: str) -> None:
        """End both tasks and the socket."""
        self._break(reason)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._writer.wait_closed()

    async def _read(self) -> None:
        reason = "the terminal closed the connection"
        try:
            while self.open and (data := await self._reader.read(READ_SIZE)):
                self._witness.passed("received", data)
                self._handle(self._ecr.receive(data, self._now_ms()))
                # A terminal that sends without reading our answers is not read either.
                await self._writer.drain()
        except OSError as error:
            reason = f"the connection broke: {error}"
        finally:
            self._break(reason)

    def _tick(self) -> None:
        self._handle(self._ecr.tick(self._now_ms()))

    def _handle(self, events: list[EcrEvent]) -> None:
        self._write(self._ecr.data_to_send())
        for event in events:
            if isinstance(event, Unexpected):
                if self._on_unexpected is not None:
                    self._on_unexpected(event)
            elif self._events.full():
                self._break("the terminal says more than anybody can follow")
                return
            else:
                self._events.put_nowait(event)
        if self._ecr.phase is Phase.CLOSED:
            self._shut()
        self._settle()

    def _break(self, reason: str) -> None:
        if not self.open:
            return
        if self._events.full():
            self._events.get_nowait()
        for event in self._ecr.connection_lost(reason):
            self._events.put_nowait(event)
        self._shut()

    def _shut(self) -> None:
        self.open = False
        self._clock.stop()
        self._settled.set()
        self._writer.close()

    def _settle(self) -> None:
        waits_for_abort = self.open and self._ecr.phase is Phase.IDLE and not self._ecr.ready
        if waits_for_abort:
            self._settled.clear()
        else:
            self._settled.set()

    def _write(self, data: bytes) -> None:
        self._clock.changed()
        if not data or self._writer.is_closing():
            return
        self._writer.write(data)
        self._witness.passed("sent", data)
