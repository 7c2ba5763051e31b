"""ZVT over TCP or a serial line, the terminal's end: serves one ECR at a time, one dialogue after the other.

For the simulator, the docking kit and tests. A real device has one ECR; when a second connection comes, the
newest is right, since the older one is most often a half-open rest. terminals.md section 4.1.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from tapwatt.terminals.messages import Approved, CardRead, DayClosed, Declined
from tapwatt.terminals.zvt import answers
from tapwatt.terminals.zvt.events import (
    AbortRequested,
    Acknowledged,
    AnswerRefused,
    Broken,
    CommandReceived,
    EcrSilent,
    TerminalEvent,
    Timings,
)
from tapwatt.terminals.zvt.frames import DATA_LIMIT
from tapwatt.terminals.zvt.link.serial import SerialPort, SerialStream
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
from tapwatt.terminals.zvt.messages import Command, Given, Message, compose
from tapwatt.terminals.zvt.outcomes import EXTERNAL_COMMAND
from tapwatt.terminals.zvt.protocol import Terminal, TerminalPhase
from tapwatt.terminals.zvt.serial import SerialTimings

_OUT_OF_ORDER = 0xFF
_BUSY = 0x9C
_LAST_DIALOGUE_S = 1.0
ANEW_S = 0.1
"""A serial line that broke is begun anew after this."""


class DialogueEnded(Exception):
    """The ECR went away, fell silent or refused what was said: whatever was stated must be undone."""


class EcrGone(DialogueEnded):
    """The connection is closed."""


class EcrFellSilent(DialogueEnded):
    """No acknowledgement came in time."""


class EcrRefused(DialogueEnded):
    """The ECR answered with `84cc00`; `code` is its cc."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the ECR refused with {code:02X}")
        self.code = code


Serve = Callable[["Dialogue"], Awaitable[None]]


class Dialogue:
    """One command and what the terminal says about it. Every method that speaks returns when the ECR has
    acknowledged, and raises DialogueEnded when it does not. `abort_requested` is set when the ECR sends 06B0:
    end with `abort(by_ecr=True)`, or carry on. `gone` is set when the connection ends: nothing can be said
    any more."""

    def __init__(self, connection: _Connection, message: Message) -> None:
        self._connection = connection
        self.message = message
        self.abort_requested = asyncio.Event()
        self.gone = asyncio.Event()
        self._answer: asyncio.Future[None] | None = None

    async def accept(self) -> None:
        """Take the command on (`800000`)."""
        await self._connection.send(self._connection.terminal.accept())

    async def refuse(self, code: int) -> None:
        """Turn the command down (`84cc00`)."""
        await self._connection.send(self._connection.terminal.refuse(code))

    async def intermediate(self, code: int, text: str = "") -> None:
        """Say what is going on (04FF)."""
        await self.say(answers.intermediate_message(code, text))

    async def status(self, outcome: Approved | CardRead | DayClosed | Declined) -> None:
        """State a result (040F). For a partial reversal `amount_minor` is the part given back. Ends a read
        card."""
        await self.say(answers.status_message(outcome))

    async def complete(self, **values: Given) -> None:
        """End the dialogue well (060F); `values` by field name."""
        await self.say(compose(Command.COMPLETION, **values))

    async def abort(self, code: int = 0x6C, text: str = "", *, by_ecr: bool = False) -> None:
        """End the dialogue without success (061E)."""
        extended_code = EXTERNAL_COMMAND if by_ecr else ""
        await self.say(answers.abort_message(code, text, extended_code))

    async def say(self, message: Message) -> None:
        """Say any message (see `answers`)."""
        connection = self._connection
        data = connection.terminal.say(message, connection.now_ms())
        self._answer = asyncio.get_running_loop().create_future()
        await connection.send(data)
        await self._answer

    async def wind_up(self) -> None:
        """End the dialogue if its owner left it open (called by the link)."""
        await self._connection.wind_up(self)

    def answered(self, fault: DialogueEnded | None = None) -> None:
        """Tell the speaker what became of the message on the wire (called by the connection)."""
        if self._answer is None or self._answer.done():
            return
        if fault is None:
            self._answer.set_result(None)
        else:
            self._answer.set_exception(fault)


class TerminalLink:
    """Listens as a terminal. `serve(dialogue)` is called for each command and has to accept or refuse it
    first; when it returns without a final message, or raises, the dialogue is ended with 061E FF for it. It
    is not cut when the ECR goes away, as a device is not; while it still works, commands on a new connection
    are answered 849C."""

    def __init__(
        self,
        serve: Serve,
        *,
        timings: Timings | None = None,
        frame_limit: int = DATA_LIMIT,
        on_connection: Callable[[bool], None] | None = None,
        observe: Observe | None = None,
        now_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        self._serve, self._timings, self._frame_limit = serve, timings, frame_limit
        self._on_connection, self._observe, self._now_ms = on_connection, observe, now_ms
        self._server: asyncio.Server | None = None
        self._connection: _Connection | None = None
        self._followers: set[asyncio.Task[None]] = set()
        self._working: asyncio.Task[None] | None = None
        self._attached: asyncio.Task[None] | None = None
        self._port: SerialPort | None = None

    @property
    def connected(self) -> bool:
        """Whether an ECR is connected."""
        return self._connection is not None and self._connection.open

    async def listen(self, *, host: str = "127.0.0.1", port: int = 0) -> int:
        """Begin to listen; give the port (0 = a free one)."""
        self._server = await asyncio.start_server(self._met, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def attach(self, port: SerialPort, *, timings: SerialTimings | None = None) -> None:
        """Serve the ECR at the other end of a serial line until `close`; a line that broke is begun anew."""
        self._port = port
        self._attached = asyncio.create_task(self._stay_on(port, timings))

    async def _stay_on(self, port: SerialPort, timings: SerialTimings | None) -> None:
        while port.open:
            stream = SerialStream(port, timings=timings, keep_port=True)
            await self._begin(stream, stream).ended()
            await asyncio.sleep(ANEW_S)

    async def disconnect(self) -> None:
        """Cut the ECR off, as a pulled cable or a restart of the device does."""
        if self._connection is not None:
            await self._connection.close()

    async def close(self) -> None:
        """Stop listening and cut the ECR off."""
        if self._server is not None:
            self._server.close()
        if self._attached is not None:
            self._attached.cancel()
            await asyncio.gather(self._attached, return_exceptions=True)
        await self.disconnect()
        if self._port is not None:
            self._port.close()
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
        await asyncio.gather(*self._followers, return_exceptions=True)

    def _work(self, dialogue: Dialogue) -> None:
        self._working = asyncio.create_task(_served(self._serve, dialogue, self._working))

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.disconnect()
        prepare(writer)
        self._begin(reader, writer)

    def _begin(self, reader: Reader, writer: Writer) -> _Connection:
        terminal = Terminal(timings=self._timings, frame_limit=self._frame_limit)
        connection = _Connection(terminal, reader, writer, self._work, Witness(self._observe), self._now_ms)
        self._connection = connection
        follower = asyncio.create_task(self._follow(connection))
        self._followers.add(follower)
        follower.add_done_callback(self._followers.discard)
        return connection

    async def _follow(self, connection: _Connection) -> None:
        if self._on_connection is not None:
            self._on_connection(True)
        await connection.ended()
        if self._on_connection is not None:
            self._on_connection(False)


class _Connection:
    """One ECR's connection: a reading task, a timing task, and one task for the dialogue that runs."""

    def __init__(
        self,
        terminal: Terminal,
        reader: Reader,
        writer: Writer,
        work: Callable[[Dialogue], None],
        witness: Witness,
        now_ms: Callable[[], int],
    ) -> None:
        self.terminal, self.now_ms = terminal, now_ms
        self._reader, self._writer, self._work, self._witness = reader, writer, work, witness
        self._dialogue: Dialogue | None = None
        self._over = asyncio.Event()
        self._clock = Clock(due_ms=lambda: terminal.due_ms, tick=self._tick, now_ms=now_ms)
        self.open = True
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._clock.run()))

    async def send(self, data: bytes) -> None:
        """Write bytes. Raises EcrGone when the connection is closed."""
        if not self.open:
            raise EcrGone("the ECR is gone")
        self._write(data)
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def ended(self) -> None:
        """Wait until the connection is closed."""
        await self._over.wait()

    async def close(self) -> None:
        """End the connection; a dialogue that runs hears of it."""
        self._shut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while self.open and (data := await self._reader.read(READ_SIZE)):
                self._witness.passed("received", data)
                self._handle(self.terminal.receive(data, self.now_ms()))
                await self._writer.drain()
        except OSError:
            pass
        finally:
            self._shut()

    def _tick(self) -> None:
        self._handle(self.terminal.tick(self.now_ms()))

    def _handle(self, events: list[TerminalEvent]) -> None:
        self._write(self.terminal.data_to_send())
        for event in events:
            match event:
                case CommandReceived(message=message):
                    self._dialogue = Dialogue(self, message)
                    self._work(self._dialogue)
                case AbortRequested(running=True) if self._dialogue is not None:
                    self._dialogue.abort_requested.set()
                case Acknowledged():
                    self._answered(None)
                case AnswerRefused(code=code):
                    self._answered(EcrRefused(code))
                case EcrSilent():
                    self._answered(EcrFellSilent("the ECR did not acknowledge"))
                case Broken():
                    self._shut()

    async def wind_up(self, dialogue: Dialogue) -> None:
        """End a dialogue its owner left open, so that the ECR does not wait for nothing."""
        if dialogue is not self._dialogue or not self.open:
            return
        with contextlib.suppress(DialogueEnded):
            if self.terminal.phase is TerminalPhase.ASKED:
                await self.send(self.terminal.refuse(_OUT_OF_ORDER))
            elif self.terminal.phase is TerminalPhase.SERVING:
                await self.send(self.terminal.say(answers.abort_message(_OUT_OF_ORDER), self.now_ms()))

    def _answered(self, fault: DialogueEnded | None) -> None:
        if self._dialogue is not None:
            self._dialogue.answered(fault)

    def _shut(self) -> None:
        if not self.open:
            return
        self.open = False
        self._clock.stop()
        self._over.set()
        self._writer.close()
        if self._dialogue is not None:
            self._dialogue.gone.set()
            self._dialogue.answered(EcrGone("the ECR is gone"))

    def _write(self, data: bytes) -> None:
        self._clock.changed()
        if data and not self._writer.is_closing():
            self._writer.write(data)
            self._witness.passed("sent", data)


async def _served(serve: Serve, dialogue: Dialogue, before: asyncio.Task[None] | None) -> None:
    """Have one dialogue served when the one before is through; a device does one thing at a time."""
    with contextlib.suppress(DialogueEnded):
        if before is not None and (await asyncio.wait([before], timeout=_LAST_DIALOGUE_S))[1]:
            await dialogue.refuse(_BUSY)
            await asyncio.wait([before])
            return
        try:
            await serve(dialogue)
        finally:
            await dialogue.wind_up()
