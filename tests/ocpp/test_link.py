"""A CSMS and stations on real loopback sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tapwatt.ocpp.commands import (
    Command,
    CommandAnswer,
    CommandAnswered,
    CommandStatus,
    GetConfiguration,
    Reset,
    StartRequested,
    StopRequested,
)
from tapwatt.ocpp.link import MessageGivenUp, StationClient, StationServer
from tapwatt.ocpp.mend import UnableToWrite
from tapwatt.ocpp.messages import (
    Acknowledged,
    Answer,
    BootAnswered,
    HeartbeatAnswered,
    HeartbeatSent,
    MeterReported,
    Reading,
    Received,
    Registration,
    StartAnswered,
    StationBooted,
    StationMessage,
    StopAnswered,
    TokenAnswered,
    TokenOffered,
    TokenStatus,
    TransactionStarted,
    TransactionStopped,
    Unreadable,
)
from tapwatt.ocpp.protocol import NotAllowedYet
from tapwatt.rpc.messages import CallFailed, NoAnswer, NotConnected

NOON_MS = 1_767_225_600_000
IDENTITY = StationBooted(vendor="Tapwatt", model="Sim")
START = TransactionStarted(evse_id=1, id_token="TW1", register_wh=0, at_ms=NOON_MS)
STOP = TransactionStopped(transaction_id="", register_wh=500, at_ms=NOON_MS)
METER = MeterReported(
    evse_id=1, transaction_id="", readings=(Reading(at_ms=NOON_MS, register_wh=250, power_w=11_000),)
)
ACCEPTED = TokenAnswered(status=TokenStatus.ACCEPTED)


class Csms:
    """A CSMS that accepts everybody and remembers what it got."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.online: list[str] = []
        self.fails_on: tuple[type[StationMessage], ...] = ()
        self.registration = Registration.ACCEPTED
        self.server = StationServer(
            handler=self.handle, on_opened=self.opened, on_closed=self.closed, ping_s=None
        )

    @property
    def messages(self) -> list[StationMessage]:
        return [each.message for each in self.received]

    async def opened(self, station_id: str) -> None:
        self.online.append(station_id)

    async def closed(self, station_id: str) -> None:
        self.online.remove(station_id)

    async def handle(self, received: Received) -> Answer:
        if isinstance(received.message, self.fails_on):
            raise RuntimeError("disk full")
        self.received.append(received)
        match received.message:
            case StationBooted():
                return BootAnswered(registration=self.registration, interval_s=300, now_ms=NOON_MS)
            case HeartbeatSent():
                return HeartbeatAnswered(now_ms=NOON_MS)
            case TokenOffered():
                return ACCEPTED
            case TransactionStarted():
                # The platform may send a command while it answers.
                await self.server.command(received.station_id, GetConfiguration())
                return StartAnswered(transaction_id="77", token=ACCEPTED)
            case TransactionStopped():
                return StopAnswered()
            case Unreadable(action="StartTransaction"):
                return StartAnswered(transaction_id="78", token=ACCEPTED)
        return Acknowledged()


class Station(StationClient):
    """A station that accepts every command and remembers it."""

    def __init__(self, url: str, **options: Any) -> None:
        self.commands: list[Command] = []
        options = {"backoff_s": 0.01, "ping_s": None, **options}
        super().__init__(url=url, station_id="S1", identity=IDENTITY, on_command=self.obey, **options)

    async def obey(self, command: Command) -> CommandAnswer:
        self.commands.append(command)
        if isinstance(command, GetConfiguration):
            raise RuntimeError("no configuration here")
        return CommandAnswered(status=CommandStatus.ACCEPTED)


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    csms = Csms()
    csms.port = await csms.server.start()  # type: ignore[attr-defined]
    csms.url = f"ws://127.0.0.1:{csms.port}/ocpp"  # type: ignore[attr-defined]
    yield csms
    await csms.server.stop()


@pytest.fixture
async def station(csms: Any) -> AsyncIterator[Station]:
    station = Station(csms.url)
    await station.start()
    yield station
    await station.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event of its own)
            await asyncio.sleep(0.005)


async def raw(csms: Any, station_id: str = "RAW") -> ClientConnection:
    return await connect(f"{csms.url}/{station_id}", subprotocols=[Subprotocol("ocpp1.6")], proxy=None)


async def ask(socket: ClientConnection, text: str) -> Any:
    await socket.send(text)
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def test_a_whole_transaction(csms: Any, station: Station) -> None:
    await station.wait_accepted()
    answer = await csms.server.command("S1", StartRequested(id_token="TW1", evse_id=1))
    assert answer == CommandAnswered(status=CommandStatus.ACCEPTED, raw="Accepted")
    assert await station.report(TokenOffered(id_token="TW1")) == ACCEPTED
    station.report(METER, transaction="mine")
    assert await station.report(STOP, transaction="mine") == StopAnswered()
    await csms.server.command("S1", StopRequested(transaction_id="77"))
    assert [type(each).__name__ for each in csms.messages] == [
        "StationBooted",
        "TokenOffered",
        "MeterReported",
        "TransactionStopped",
    ]
    assert station.commands[-1] == StopRequested(transaction_id="77")
    assert all(each.violations == () for each in csms.received)


async def test_a_failing_command_inside_a_handler_is_an_answer_not_a_deadlock(
    csms: Any, station: Station
) -> None:
    await station.wait_accepted()
    with pytest.raises(CallFailed, match="InternalError"):
        await csms.server.command("S1", GetConfiguration())
    # The same failure inside the handler of a start: no error frame, the line is cut, the start comes again.
    started = station.report(START, transaction="mine")
    await until(lambda: sum(isinstance(each, TransactionStarted) for each in csms.messages) >= 2)
    assert not started.done()


async def test_a_station_that_is_not_there_or_not_accepted(csms: Any, station: Station) -> None:
    with pytest.raises(NotConnected):
        await csms.server.command("S2", Reset())
    await station.wait_accepted()
    with pytest.raises(UnableToWrite):
        await csms.server.command("S1", StartRequested(id_token="x" * 21))
    csms.registration = Registration.REJECTED
    station.reboot()
    await until(lambda: len(csms.messages) >= 2)
    with pytest.raises(NotAllowedYet):
        await csms.server.command("S1", Reset())


async def test_billing_waits_off_line_and_comes_in_order(csms: Any, station: Station) -> None:
    await station.wait_accepted()
    await csms.server.stop()
    await until(lambda: not csms.online)
    stopped = station.report(STOP, transaction="mine")
    with pytest.raises(NotAllowedYet):
        station.report(TokenOffered(id_token="a"))
    await csms.server.start(port=csms.port)
    assert await asyncio.wait_for(stopped, 5) == StopAnswered()
    assert [type(each).__name__ for each in csms.messages[-2:]] == ["StationBooted", "TransactionStopped"]


async def test_a_cut_line_and_a_reconnect_without_a_boot(csms: Any) -> None:
    station = Station(csms.url, boot_on_reconnect=False)
    await station.start()
    await station.wait_accepted()
    await station.cut_line()
    assert await asyncio.wait_for(station.report(STOP, transaction="mine"), 5) == StopAnswered()
    assert [type(each).__name__ for each in csms.messages] == ["StationBooted", "TransactionStopped"]
    await station.stop()


async def test_what_the_platform_cannot_store_costs_the_line_not_the_message(
    csms: Any, station: Station
) -> None:
    await station.wait_accepted()
    csms.fails_on = (TransactionStopped,)
    stopped = station.report(STOP, transaction="mine")
    await until(lambda: len(csms.messages) >= 3)  # it boots again and again, each time with the stop
    assert not stopped.done()
    csms.fails_on = ()
    assert await asyncio.wait_for(stopped, 5) == StopAnswered()


async def test_a_refused_message_that_is_not_kept_is_given_up(csms: Any, station: Station) -> None:
    await station.wait_accepted()
    csms.fails_on = (TokenOffered,)
    with pytest.raises(MessageGivenUp, match="InternalError"):
        await station.report(TokenOffered(id_token="a"))


async def test_broken_billing_messages_are_kept_and_answered(csms: Any) -> None:
    socket = await raw(csms)
    whole = '[2,"1","StartTransaction",{"connectorId":1'
    assert await ask(socket, whole) == [
        3,
        "1",
        {"transactionId": 78, "idTagInfo": {"status": "Accepted"}},
    ]
    assert await ask(socket, '[2,2,"StopTransaction",{"meterStop":5}]') == [3, 2, {}]
    assert await ask(socket, '[2,"3","MeterValues",[]]') == [3, "3", {}]
    assert await ask(socket, '[2,"4","MeterValues"]') == [3, "4", {}]
    start, stop, *_ = csms.received
    assert start.message == Unreadable(
        action="StartTransaction", raw=whole.encode(), problem="payload is not JSON"
    )
    assert stop.message == Unreadable(
        action="StopTransaction", raw=b'{"meterStop":5}', problem="transactionId is missing"
    )
    assert "$.transactionId is missing" in stop.violations
    await socket.close()


async def test_a_repeated_stop_with_the_same_id_reaches_the_platform_once(csms: Any) -> None:
    socket = await raw(csms)
    text = '[2,"9","StopTransaction",{"transactionId":77,"meterStop":5,"timestamp":"2026-01-01T00:00:00Z"}]'
    assert await ask(socket, text) == await ask(socket, text) == [3, "9", {}]
    assert len(csms.received) == 1
    await socket.close()


async def test_everything_else_gets_the_protocols_own_error(csms: Any) -> None:
    socket = await raw(csms)
    for text, code, named in (
        ('[2,"1","Authorize",{}]', "OccurenceConstraintViolation", "idTag is missing"),
        ('[2,"2","Authorize",{"idTag":[]}]', "TypeConstraintViolation", "idTag is not text"),
        ('[2,"3","Authorize",5]', "FormationViolation", "not an object"),
        ('[2,"4","Heartbeat"]', "FormationViolation", "CALL of 3 elements"),
        ('[2,"5","Dance",{}]', "NotImplemented", "Dance is unknown"),
        ('[2,"6","GetDiagnostics",{}]', "NotSupported", "GetDiagnostics is not supported"),
        ('[2,"7","Reset",{"type":"Soft"}]', "NotSupported", "Reset is not supported"),
    ):
        kind, _, told, description, _ = await ask(socket, text)
        assert (kind, told) == (4, code)
        assert named in description
    await socket.close()


async def test_an_unreadable_answer_to_a_command_is_of_unknown_outcome(csms: Any) -> None:
    socket = await raw(csms)
    await ask(socket, '[2,"1","Heartbeat",{}]')
    asking = asyncio.create_task(csms.server.command("RAW", Reset()))
    question = json.loads(await socket.recv())
    await socket.send(json.dumps([3, question[1], {"verdict": "fine"}]))
    with pytest.raises(NoAnswer, match="status is missing"):
        await asking
    await socket.close()
