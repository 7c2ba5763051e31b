"""The platform's OCPP 1.6J listener: processor time a MeterValues costs through to its commit, and memory an
idle connection costs.

A real `tapwatt serve` with its SQLite file (synchronous=FULL). Twenty stations charge on an account's tag, so
that each message is evidence, a step of its session and an outbox in one commit. The stations' side is plain
JSON on websockets, and not weighed.
"""

import asyncio
import itertools
import json
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.figures import Section, percentile, spread
from bench.programs import Program, running
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

ABOUT: Final = (
    "`tapwatt serve` with {} stations charging, no TLS. Processor time of the whole platform a message, "
    "from socket to commit and answer, median (p10–p90) over the rounds. Memory: growth of the process's "
    "own pages while {} stations dial, boot and stay."
)
STATIONS: Final = 20
ROUNDS: Final = 5
ROUND_S: Final = 2.0
PACES: Final = {"as fast as answers come": 0.0, "each station five a second": 0.2}
IDLE: Final = 500
DIALLING: Final = 20
SETTLE_S: Final = 4.0
TAG: Final = "04A1B2C3D4E5F6"  # the sandbox's account with money on it
FIRST_WH: Final = 1_000_000
PORTS: Final = ("ocpp_port", "edge_port", "http_port")


class Station:
    """One station's end of a connection."""

    def __init__(self, socket: ClientConnection, name: str) -> None:
        self.name = name
        self._socket = socket
        self._numbers = itertools.count(1)
        self._register_wh = FIRST_WH
        self._transaction_id = 0

    async def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a CALL and wait for its answer; the platform's own CALLs are declined meanwhile."""
        number = f"{self.name}-{next(self._numbers)}"
        await self._socket.send(json.dumps([2, number, action, payload]))
        while True:
            frame = await self._frame()
            if frame is not None and frame[1] == number:
                assert frame[0] == 3, f"{action} was refused: {frame}"
                answer: dict[str, Any] = frame[2]
                return answer

    async def listen(self) -> None:
        """Stay idle."""
        while True:
            await self._frame()

    async def _frame(self) -> list[Any] | None:
        frame: list[Any] = json.loads(await self._socket.recv())
        if frame[0] != 2:
            return frame
        await self._socket.send(json.dumps([3, frame[1], {"status": "NotImplemented"}]))
        return None

    async def boot(self) -> None:
        """Boot and say that a connector is there."""
        boot = {"chargePointVendor": "Bench", "chargePointModel": "B1", "firmwareVersion": "1"}
        assert (await self.ask("BootNotification", boot))["status"] == "Accepted"
        await self.status("Available")

    async def status(self, status: str) -> None:
        """Say how the connector is."""
        said = {"connectorId": 1, "errorCode": "NoError", "status": status}
        await self.ask("StatusNotification", said)

    async def charge(self) -> None:
        """Begin to charge on the account's tag."""
        start = {"connectorId": 1, "idTag": TAG, "meterStart": FIRST_WH, "timestamp": _now()}
        answer = await self.ask("StartTransaction", start)
        assert answer["idTagInfo"]["status"] == "Accepted", answer
        self._transaction_id = answer["transactionId"]

    async def meter(self) -> float:
        """One MeterValues; the seconds until its answer."""
        self._register_wh += 1
        samples = [
            {"value": str(self._register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": "150000", "measurand": "Power.Active.Import", "unit": "W"},
            {"value": "55", "measurand": "SoC", "unit": "Percent"},
        ]
        began = time.perf_counter()
        await self.ask(
            "MeterValues",
            {
                "connectorId": 1,
                "transactionId": self._transaction_id,
                "meterValue": [{"timestamp": _now(), "sampledValue": samples}],
            },
        )
        return time.perf_counter() - began


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


async def dial(port: int, name: str) -> Station:
    """A station that has booted."""
    url = f"ws://127.0.0.1:{port}/ocpp/{name}"
    socket = await connect(url, subprotocols=[Subprotocol("ocpp1.6")], compression=None)
    station = Station(socket, name)
    await station.boot()
    return station


def measure() -> Section:
    """Rounds at two paces, then five hundred idle connections on a platform of their own."""
    ports: dict[str, object] = dict.fromkeys(PORTS, 0)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with running("platform", "serve", data=data, **ports) as platform:
            rows = asyncio.run(_metering(platform))
        _check_that_all_counted(data / "platform.sqlite")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with running("platform", "serve", data=data, **ports) as platform:
            idle_bytes = asyncio.run(_idling(platform))
    rows.append((f"memory of an idle connection, of {IDLE}", f"{idle_bytes / 1024:.1f} KB", "", "", ""))
    return Section(
        title="MeterValues and idle stations",
        about=ABOUT.format(STATIONS, IDLE),
        head=("", "processor ms each", "messages a second", "p50 ms", "p99 ms"),
        rows=tuple(rows),
    )


def _check_that_all_counted(database: Path) -> None:
    """A reading that moved no session would have been cheap."""
    raw = sqlite3.connect(database)
    row = raw.execute(
        "SELECT count(*), sum(verdict = '' AND session_id IS NOT NULL) FROM station_message "
        "WHERE action = 'MeterValues'"
    ).fetchone()
    raw.close()
    assert row[0] > 0
    assert row[0] == row[1], f"of {row[0]} readings {row[1]} moved a session"


async def _metering(platform: Program) -> list[tuple[str, ...]]:
    stations = [await dial(platform.ports["ocpp"], f"BENCH{number}") for number in range(STATIONS)]
    for station in stations:
        await station.charge()
    cpu_ms: dict[str, list[float]] = {pace: [] for pace in PACES}
    rates: dict[str, list[float]] = {pace: [] for pace in PACES}
    taken_ms: dict[str, list[float]] = {pace: [] for pace in PACES}
    for _ in range(ROUNDS):
        for pace, every_s in PACES.items():
            began, before_s = time.perf_counter(), platform.cpu_s()
            until = began + ROUND_S
            lists = await asyncio.gather(*(_meter(station, every_s, until) for station in stations))
            number = sum(map(len, lists))
            cpu_ms[pace].append((platform.cpu_s() - before_s) * 1000 / number)
            rates[pace].append(number / (time.perf_counter() - began))
            taken_ms[pace] += [taken_s * 1000 for taken in lists for taken_s in taken]
    return [
        (
            f"MeterValues, {pace}",
            spread(cpu_ms[pace]).text(2),
            spread(rates[pace]).text(0),
            f"{percentile(taken_ms[pace], 50):.1f}",
            f"{percentile(taken_ms[pace], 99):.1f}",
        )
        for pace in PACES
    ]


async def _meter(station: Station, every_s: float, until: float) -> list[float]:
    taken = []
    while (now := time.perf_counter()) < until:
        taken.append(await station.meter())
        await asyncio.sleep(max(0.0, now + every_s - time.perf_counter()))
    return taken


async def _idling(platform: Program) -> float:
    """Bytes of the platform for each of many stations that have booted and say nothing."""
    port = platform.ports["ocpp"]
    first = [await dial(port, f"FIRST{number}") for number in range(DIALLING)]
    listening = [asyncio.create_task(station.listen()) for station in first]
    await asyncio.sleep(SETTLE_S)
    before = platform.memory_bytes()
    for begin in range(0, IDLE, DIALLING):
        names = [f"IDLE{number}" for number in range(begin, begin + DIALLING)]
        stations = await asyncio.gather(*(dial(port, name) for name in names))
        listening += [asyncio.create_task(station.listen()) for station in stations]
    await asyncio.sleep(SETTLE_S)
    after = platform.memory_bytes()
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    return (after - before) / IDLE
