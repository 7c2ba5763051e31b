"""The sockets between stations and CSMS: OCPP-J 1.6 at `/ocpp/{stationId}`, thin over `rpc.link`."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import uuid4
from weakref import WeakKeyDictionary

from tapwatt.ocpp import v16
from tapwatt.ocpp.commands import Command, CommandAnswer
from tapwatt.ocpp.mend import UnableToRead
from tapwatt.ocpp.messages import Answer, Received, StationBooted, StationMessage
from tapwatt.ocpp.protocol import (
    CSMS_RULES,
    STATION_RULES,
    AnswerArrived,
    CsmsSide,
    GivenUp,
    Phase,
    Sending,
    StationEvent,
    StationSide,
)
from tapwatt.ocpp.schemas import classify
from tapwatt.rpc.link import Connection, RpcClient, RpcServer, Witness, see_nothing
from tapwatt.rpc.link.callbacks import Admit, admit_all
from tapwatt.rpc.messages import CallFailed, CallRefused, NoAnswer, NotConnected, RefusedDial

PATH: Final = "/ocpp/"

StationHandler = Callable[[Received], Awaitable[Answer]]
CommandHandler = Callable[[Command], Awaitable[CommandAnswer]]
StationNews = Callable[[str], Awaitable[None]]
EventHandler = Callable[[StationEvent], None]


class MessageGivenUp(Exception):
    """A station's message was not answered and will not be sent again."""


async def _ignore_station(station_id: str) -> None:
    return None


def _ignore_event(event: StationEvent) -> None:
    return None


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class StationServer:
    """The CSMS's side. `handler(received)` stores first and then answers.

    A handler that fails on a billing message costs the connection, never an error frame: the station keeps
    the message and brings it again.
    """

    def __init__(
        self,
        *,
        handler: StationHandler,
        admit: Admit = admit_all,
        on_opened: StationNews = _ignore_station,
        on_closed: StationNews = _ignore_station,
        ping_s: float | None = 20.0,
        connections_max: int = 10_000,
        witness: Witness = see_nothing,
    ) -> None:
        """`on_closed` comes when a station is no longer there, not when a newer socket replaced an old."""
        self._handler = handler
        self._on_opened = on_opened
        self._on_closed = on_closed
        self._sides: WeakKeyDictionary[Connection, CsmsSide] = WeakKeyDictionary()
        self._server = RpcServer(
            prefix=PATH,
            subprotocols=[v16.SUBPROTOCOL],
            handler=self._handle,
            rules=CSMS_RULES,
            admit=admit,
            on_opened=self._opened,
            on_closed=self._closed,
            ping_s=ping_s,
            connections_max=connections_max,
            witness=witness,
        )

    async def start(
        self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen; returns the port."""
        return await self._server.start(host=host, port=port, tls=tls)

    async def stop(self) -> None:
        """Close everything."""
        await self._server.stop()

    @property
    def connected(self) -> tuple[str, ...]:
        """The stations that are there now."""
        return self._server.connected

    @property
    def refused(self) -> deque[RefusedDial]:
        """Who was turned away lately, and why."""
        return self._server.refused

    async def command(self, station_id: str, command: Command, *, timeout_s: float = 30.0) -> CommandAnswer:
        """Ask a station. Raises NotConnected (never sent), NoAnswer (it may act), CallFailed,
        NotAllowedYet (boot not accepted) or UnableToWrite (1.6 cannot say it)."""
        connection = self._server.connection(station_id)
        if connection is None:
            raise NotConnected(f"{station_id} is not connected")
        side = self._side(connection)
        action, payload = side.command(command)
        answer = await connection.call(action, payload, timeout_s=timeout_s)
        try:
            return side.answered(command, answer)
        except UnableToRead as problem:
            raise NoAnswer(f"unreadable answer: {problem}") from problem

    async def _handle(self, connection: Connection, action: str, payload: bytes) -> bytes:
        side = self._side(connection)
        message = side.read(action, payload)
        received = Received(
            station_id=connection.identity,
            message=message,
            action=action,
            raw=payload,
            violations=classify(action, payload),
        )
        return side.answer(message, await self._handler(received))

    def _side(self, connection: Connection) -> CsmsSide:
        return self._sides.setdefault(connection, CsmsSide())

    async def _opened(self, connection: Connection) -> None:
        await self._on_opened(connection.identity)

    async def _closed(self, connection: Connection, reason: str) -> None:
        await self._on_closed(connection.identity)


class StationClient:
    """A station that dials a CSMS for ever: boots, beats, brings its messages, takes commands."""

    def __init__(
        self,
        *,
        url: str,
        station_id: str,
        identity: StationBooted,
        on_command: CommandHandler,
        on_event: EventHandler = _ignore_event,
        side: StationSide | None = None,
        boot_on_reconnect: bool = True,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        backoff_s: float = 0.5,
        backoff_max_s: float = 30.0,
        ping_s: float | None = 20.0,
        now_ms: Callable[[], int] = _wall_ms,
    ) -> None:
        """`url` names the CSMS up to and including `/ocpp`, as in `ws://127.0.0.1:9000/ocpp`. `on_event`
        sees every answer and every message given up, the boot's too; it must be quick."""
        self.side = side or StationSide(identity=identity)
        self._on_command = on_command
        self._on_event = on_event
        self._boot_on_reconnect = boot_on_reconnect
        self._now_ms = now_ms
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._line: Connection | None = None
        self._wake = asyncio.Event()
        self._accepted = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None
        self._client = RpcClient(
            url=f"{url.rstrip('/')}/{station_id}",
            identity=station_id,
            subprotocols=[v16.SUBPROTOCOL],
            handler=self._handle,
            rules=STATION_RULES,
            password=password,
            tls=tls,
            on_opened=self._opened,
            on_closed=self._closed,
            backoff_s=backoff_s,
            backoff_max_s=backoff_max_s,
            ping_s=ping_s,
        )

    async def start(self) -> None:
        """Power on."""
        self._pumping = asyncio.create_task(self._pump())
        await self._client.start()

    async def stop(self) -> None:
        """Power off; messages not yet answered stay in `side` and go with it to the next client."""
        await self._client.stop()
        if self._pumping is not None:
            self._pumping.cancel()
            await asyncio.gather(self._pumping, return_exceptions=True)
        for answer in self._answers.values():
            answer.cancel()
        self._answers.clear()

    async def cut_line(self) -> None:
        """Close the socket as a broken cable would; the client dials again."""
        if self._line is not None:
            await self._line.close(1001, "line cut")

    def report(self, message: StationMessage, *, transaction: str | None = None) -> asyncio.Future[Answer]:
        """Send a message, now or when the line is back; the future ends with the CSMS's answer or with
        MessageGivenUp, and may be ignored. Raises NotAllowedYet, QueueFull, UnableToWrite at once."""
        ticket = self.side.report(message, transaction=transaction)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_seen)
        self._answers[ticket] = answer
        self._wake.set()
        return answer

    def reboot(self) -> None:
        """Boot again on the line there is."""
        self.side.reboot()
        self._accepted.clear()
        self._wake.set()

    def beat_every(self, interval_s: int) -> None:
        """Change the time between heartbeats; 0: none."""
        self.side.beat_every(interval_s * 1000, self._now_ms())
        self._wake.set()

    async def wait_accepted(self, timeout_s: float = 10.0) -> None:
        """Wait until the CSMS has accepted the boot; raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._accepted.wait()

    @property
    def last_problem(self) -> str:
        """Why the last dial or connection ended."""
        return self._client.last_problem

    async def _pump(self) -> None:
        while True:
            self._wake.clear()
            line = self._line
            sending = None if line is None else self.side.next_call(str(uuid4()), self._now_ms())
            if line is None or sending is None:
                await self._sleep()
            else:
                await self._send(line, sending)

    async def _send(self, line: Connection, sending: Sending) -> None:
        events: list[StationEvent] = []
        try:
            answer = await line.call(sending.action, sending.payload, message_id=sending.message_id)
        except (CallFailed, NoAnswer, NotConnected) as problem:
            if line.closed:
                self._lose(line)
            else:
                events = self.side.failed(str(problem), self._now_ms())
        else:
            if self._line is line:
                events = self.side.answered(answer, self._now_ms())
        self._tell(events)

    async def _sleep(self) -> None:
        due_ms = self.side.next_due_ms
        delay_s = None if due_ms is None else max(0, due_ms - self._now_ms()) / 1000
        try:
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _opened(self, connection: Connection) -> None:
        boot = self._boot_on_reconnect or not self.side.heartbeat_ms
        self._line = connection
        self.side.connected(self._now_ms(), boot=boot)
        if not boot:
            self._accepted.set()
        self._wake.set()

    async def _closed(self, connection: Connection, reason: str) -> None:
        self._lose(connection)

    def _lose(self, line: Connection) -> None:
        """Whoever notices first says so; the second time there is nothing left to lose."""
        if self._line is line:
            self._line = None
            self._accepted.clear()
            self._tell(self.side.disconnected(self._now_ms()))

    def _tell(self, events: list[StationEvent]) -> None:
        for event in events:
            answer = self._answers.pop(event.ticket, None)
            if answer is not None and not answer.done():
                match event:
                    case AnswerArrived():
                        answer.set_result(event.answer)
                    case GivenUp(reason=reason):
                        answer.set_exception(MessageGivenUp(reason))
            self._on_event(event)
        if self.side.phase is Phase.ACCEPTED:
            self._accepted.set()

    async def _handle(self, connection: Connection, action: str, payload: bytes) -> bytes:
        try:
            command = v16.decode_command(action, payload)
        except UnableToRead as problem:
            raise CallRefused(problem.fault, str(problem)) from problem
        return v16.encode_command_answer(command, await self._on_command(command))


def _seen(answer: asyncio.Future[Answer]) -> None:
    """A future nobody awaits must not complain about its exception."""
    if not answer.cancelled():
        answer.exception()
