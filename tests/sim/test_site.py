"""`tapwatt sim site` as a program: an edge and a CSMS of the test around it, driven over HTTP."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.sim.world import Csms, Gateway, until

from tapwatt.ocpp import messages as ocpp
from tapwatt.ocpp.commands import StartRequested
from tapwatt.terminals.messages import Approved, Capture, Preauthorise, Register
from tapwatt.terminals.zvt.link import EcrLink

pytestmark = pytest.mark.programs


class Program:
    """The running program and its HTTP side."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, int]) -> None:
        self.process, self.ports = process, ports
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports['forecourt']}", timeout=20)

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.client.get(path, params=query)
        answer.raise_for_status()
        return answer.json()

    async def do(self, **order: Any) -> Any:
        answer = await self.client.post("/api/v1/control", json=order)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def program(data: Path, *arguments: str, **ports: int) -> AsyncIterator[Program]:
    """`tapwatt …` until the block ends."""
    named = {f"TAPWATT_{name.upper()}_PORT": str(port) for name, port in ports.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tapwatt",
        *arguments,
        env={**os.environ, **named, "TAPWATT_DATA": str(data), "TAPWATT_FORECOURT_PORT": "0"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = ""
    async with asyncio.timeout(30):
        while " ready" not in (line := (await process.stderr.readline()).decode()):
            said += line
            assert line, said
    listening = {name: int(port) for name, port in re.findall(r"(\w+) 127\.0\.0\.1:(\d+)", line)}
    running = Program(process, listening)
    try:
        yield running
    finally:
        await running.client.aclose()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def test_a_visit_by_hand_and_what_the_site_says_of_it(
    gateway: Gateway, csms: tuple[Csms, int], tmp_path: Path
) -> None:
    office, port = csms
    wires = {"gateway": gateway.server.port, "ocpp": port, "terminal": 0}
    async with program(tmp_path, "sim", "site", "--visits", "0", "--run", "r", **wires) as site:
        ecr = EcrLink(host="127.0.0.1", port=site.ports["zvt"])
        await ecr.run(Register())
        await until(lambda: office.statuses(1))
        assert (await site.do(do="plug", evse_id=1, target_wh=100, handshake_ms=0))["done"]
        assert not (await site.do(do="plug", evse_id=1))["done"]
        asked = asyncio.create_task(ecr.run(Preauthorise(amount_minor=2500, currency="EUR", reference="REF")))
        assert (await site.do(do="tap", card="visa-good"))["done"]
        approval = await asked
        assert isinstance(approval, Approved)
        await office.server.command("CS1", StartRequested(id_token="TW-1", evse_id=1))
        await until(lambda: office.of(ocpp.TransactionStopped), within_s=10)
        assert (await site.get("/api/v1/summary"))["open_holds"] == 1
        await ecr.run(Capture(receipt=approval.receipt, hold_minor=2500, amount_minor=6, currency="EUR"))
        assert (await site.do(do="unplug", evse_id=1))["done"]
        (row,) = await site.get("/api/v1/transactions", reference="REF")
        assert (row["authorised_minor"], row["captured_minor"], row["released_minor"]) == (2500, 6, 2494)
        assert (row["card"], row["currency"], row["tid"]) == ("411111******1111", "EUR", "52523535")
        assert await site.get("/api/v1/transactions", reference="OTHER") == []
        state = await site.get("/api/v1/state")
        assert state["station"]["connected"]
        assert [each["status"] for each in state["station"]["connectors"]] == ["available"] * 2
        told = await site.get("/api/v1/visits", run="r")
        assert (told["done"], told["visits"]) == (True, [])
        assert (await site.get("/health"))["station"]
        await ecr.close()
    assert site.process.returncode == 0


async def test_orders_that_make_no_sense_get_a_sentence(gateway: Gateway, tmp_path: Path) -> None:
    wires = {"gateway": gateway.server.port, "ocpp": 1, "terminal": 0}
    async with program(tmp_path, "sim", "site", "--visits", "0", **wires) as site:
        for order in (
            {},
            {"do": "fly"},
            {"do": ["tap"]},
            {"do": "plug", "evse_id": 3},
            {"do": "plug", "evse_id": True},
            {"do": "tap", "card": "nobody's"},
            {"do": "tap", "card": 7},
            {"do": "tap", "card": "visa-good", "within_s": 1e9},
            {"do": "fault", "name": "earthquake"},
        ):
            answer = await site.client.post("/api/v1/control", json=order)
            assert answer.status_code == 400, order
            assert answer.json()["error"]
        assert (await site.client.get("/api/v1/visits", params={"run": "x"})).status_code == 400


async def test_a_killed_site_comes_back_with_its_reservation_and_its_register(
    gateway: Gateway, csms: tuple[Csms, int], tmp_path: Path
) -> None:
    office, port = csms
    wires = {"gateway": gateway.server.port, "ocpp": port, "terminal": 0}
    async with program(tmp_path, "sim", "site", "--visits", "0", **wires) as site:
        ecr = EcrLink(host="127.0.0.1", port=site.ports["zvt"])
        await ecr.run(Register())
        await until(lambda: office.statuses(1))
        await site.do(do="plug", evse_id=1, target_wh=50_000, handshake_ms=0)
        asked = asyncio.create_task(ecr.run(Preauthorise(amount_minor=2500, currency="EUR", reference="REF")))
        await site.do(do="tap", card="visa-good")
        await asked
        await office.server.command("CS1", StartRequested(id_token="TW-1", evse_id=1))
        await until(lambda: len(office.of(ocpp.MeterReported)) >= 2, within_s=10)
        site.process.kill()
        await site.process.wait()
        await ecr.close()
    async with program(tmp_path, "sim", "site", "--visits", "0", **wires) as again:
        await until(lambda: office.of(ocpp.TransactionStopped), within_s=10)
        stopped = office.of(ocpp.TransactionStopped)[0]
        assert (stopped.reason, stopped.transaction_id) == ("power_loss", "101")
        assert stopped.register_wh >= office.of(ocpp.MeterReported)[-1].readings[0].register_wh
        assert (await again.get("/api/v1/summary"))["open_holds"] == 1


async def test_a_station_and_a_terminal_alone(csms: tuple[Csms, int], tmp_path: Path) -> None:
    office, port = csms
    url = f"ws://127.0.0.1:{port}/ocpp"
    async with program(tmp_path, "sim", "station", "--url", url, "--id", "CS9") as station:
        await until(lambda: office.statuses(2))
        assert office.heard[0].station_id == "CS9"
        assert (await station.get("/api/v1/state"))["terminal"] is None
    listen = "tcp://127.0.0.1:0"
    async with program(tmp_path, "sim", "terminal", "--listen", listen, gateway=1) as terminal:
        ecr = EcrLink(host="127.0.0.1", port=terminal.ports["zvt"])
        assert (await ecr.run(Register())).ready  # type: ignore[union-attr]
        await ecr.close()
