"""The PyPI `ocpp` library as a station runs a whole 1.6 session against the real platform program."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, RegistrationStatus, RemoteStartStopStatus
from tests.programs.running import Running, running

from tapwatt.uplink.link import EdgeClient
from tapwatt.uplink.messages import (
    Accepted,
    CardKind,
    CardPresented,
    FromPlatform,
    Hello,
    Operate,
    OperationKind,
    Outcome,
    Result,
)

pytestmark = pytest.mark.programs


class Station(ChargePoint):  # type: ignore[misc]
    """A station of somebody else's making; it notes what it is told."""

    def __init__(self, station_id: str, connection: Any) -> None:
        super().__init__(station_id, connection)
        self.starts: asyncio.Queue[str] = asyncio.Queue()
        self.stops: asyncio.Queue[int] = asyncio.Queue()

    @on("RemoteStartTransaction")  # type: ignore[untyped-decorator]
    async def remote_start(self, id_tag: str, **more: Any) -> Any:
        self.starts.put_nowait(id_tag)
        return call_result.RemoteStartTransaction(status=RemoteStartStopStatus.accepted)

    @on("RemoteStopTransaction")  # type: ignore[untyped-decorator]
    async def remote_stop(self, transaction_id: int) -> Any:
        self.stops.put_nowait(transaction_id)
        return call_result.RemoteStopTransaction(status=RemoteStartStopStatus.accepted)


class Edge:
    """An edge whose terminal approves and does everything."""

    def __init__(self, url: str) -> None:
        self.operated: list[Operate] = []
        self._answers: set[asyncio.Task[Accepted]] = set()
        self.client = EdgeClient(url=url, edge_id="EDGE1", handler=self.handle, on_opened=self.opened)

    async def opened(self) -> None:
        await self.client.call(Hello(edge_id="EDGE1", software="test"))

    async def handle(self, message: FromPlatform) -> Accepted:
        if isinstance(message, Operate):
            self.operated.append(message)
            result = Result.APPROVED if message.kind is OperationKind.PREAUTHORISE else Result.DONE
            outcome = Outcome(
                key=message.key,
                kind=message.kind,
                terminal_id="T1",
                result=result,
                at_ms=0,
                amount_minor=message.amount_minor,
                receipt="0001",
                trace="000001",
                tid="52523535",
            )
            self._answers.add(asyncio.create_task(self.client.call(outcome)))
        return Accepted()


def now() -> str:
    return datetime.now(UTC).isoformat()


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Running]:
    async with running("serve", data=tmp_path) as program:
        yield program


@pytest.fixture
async def edge(platform: Running) -> AsyncIterator[Edge]:
    edge = Edge(f"ws://{platform.listeners['edge']}")
    await edge.client.start()
    await edge.client.wait_connected()
    yield edge
    await edge.client.stop()


async def eventually(read: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(10):
        while True:
            value = await read()
            if wanted(value):
                return value
            await asyncio.sleep(0.05)


async def newest(platform: Running) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{platform.listeners['http']}/api/v1/sessions")
        sessions: list[dict[str, Any]] = answer.json()["sessions"]
        return sessions[0] if sessions else {"state": ""}


async def test_a_whole_session_with_remote_start_and_a_repeated_stop(platform: Running, edge: Edge) -> None:
    url = f"ws://{platform.listeners['ocpp']}/ocpp/CS1"
    async with websockets.connect(url, subprotocols=[websockets.Subprotocol("ocpp1.6")]) as socket:
        station = Station("CS1", socket)
        listening = asyncio.create_task(station.start())
        boot = await station.call(call.BootNotification(charge_point_model="X", charge_point_vendor="Other"))
        assert boot.status == RegistrationStatus.accepted
        assert boot.interval > 0
        await station.call(
            call.StatusNotification(
                connector_id=1,
                error_code=ChargePointErrorCode.no_error,
                status=ChargePointStatus.preparing,
            )
        )
        card = CardPresented(key="c1", terminal_id="T1", at_ms=0, kind=CardKind.BANK, token="t1")
        assert (await edge.client.call(card)).accepted
        id_tag = await asyncio.wait_for(station.starts.get(), 10)
        assert len(id_tag) <= 20
        started_at = now()
        started = await station.call(
            call.StartTransaction(connector_id=1, id_tag=id_tag, meter_start=5000, timestamp=started_at)
        )
        assert started.id_tag_info["status"] == "Accepted"
        await station.call(
            call.MeterValues(
                connector_id=1,
                transaction_id=started.transaction_id,
                meter_value=[
                    {
                        "timestamp": now(),
                        "sampledValue": [
                            {"value": "5.2", "unit": "kWh", "measurand": "Energy.Active.Import.Register"}
                        ],
                    }
                ],
            )
        )
        session = await eventually(lambda: newest(platform), lambda s: s["energy_wh"] == 200)
        async with httpx.AsyncClient() as client:
            path = f"/api/v1/sessions/{session['session_id']}/stop"
            assert (await client.post(f"http://{platform.listeners['http']}{path}")).status_code == 202
        assert await asyncio.wait_for(station.stops.get(), 10) == started.transaction_id
        for meter_stop in (5300, 9999):
            await station.call(
                call.StopTransaction(
                    transaction_id=started.transaction_id, meter_stop=meter_stop, timestamp=now()
                )
            )
        closed = await eventually(lambda: newest(platform), lambda s: s["state"] == "closed")
        # 0.300 kWh at 0.49 EUR plus 19 %: 0.17493.
        assert (closed["energy_wh"], closed["captured_minor"], closed["released_minor"]) == (300, 17, 2483)
        again = await station.call(
            call.StartTransaction(connector_id=1, id_tag=id_tag, meter_start=5000, timestamp=started_at)
        )
        assert again.transaction_id == started.transaction_id
        listening.cancel()
    kinds = [operation.kind for operation in edge.operated]
    assert kinds == [OperationKind.PREAUTHORISE, OperationKind.CAPTURE]


async def test_the_newest_socket_wins_and_the_old_ones_end_does_not_disturb_it(platform: Running) -> None:
    url = f"ws://{platform.listeners['ocpp']}/ocpp/CS1"
    protocols = [websockets.Subprotocol("ocpp1.6")]
    old = await websockets.connect(url, subprotocols=protocols)
    async with websockets.connect(url, subprotocols=protocols) as new:
        await asyncio.wait_for(old.wait_closed(), 5)
        station = Station("CS1", new)
        listening = asyncio.create_task(station.start())
        assert (await station.call(call.Heartbeat())).current_time
        listening.cancel()
