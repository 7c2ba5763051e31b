"""A terminal between an ECR and a gateway that a test holds in its hands; and a CSMS for a station."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tapwatt.ocpp import messages as ocpp
from tapwatt.ocpp.link import StationServer
from tapwatt.programs.runtime import now_ms
from tapwatt.rails.iso8583 import Message
from tapwatt.rails.link import HostServer
from tapwatt.rails.messages import response
from tapwatt.rails.partner import Partner
from tapwatt.settings import Settings
from tapwatt.sim import books
from tapwatt.sim.bell import Bell
from tapwatt.sim.card import Medium
from tapwatt.sim.faults import Faults
from tapwatt.sim.site import Device, Site, build_device
from tapwatt.sim.station import Station
from tapwatt.sim.tables import CHARGE, METADATA
from tapwatt.store import Database, Transaction
from tapwatt.terminals.messages import Preauthorise, Register
from tapwatt.terminals.zvt.link import EcrLink

Answering = Callable[[Message], Message | None]


def says(code: str, *, amount_minor: int | None = None) -> Answering:
    """A gateway that always answers so."""

    def answer(request: Message) -> Message:
        approval = "A1B2C3" if code in ("00", "10") else None
        return response(request, code, approval_code=approval, amount_minor=amount_minor)

    return answer


def mute(_request: Message) -> None:
    """A gateway that has heard and says nothing."""


@dataclass(kw_only=True)
class Gateway:
    """Keeps every message; answers by the row of its type, else 00."""

    server: HostServer = field(init=False)
    heard: list[Message] = field(default_factory=list)
    answers: dict[str, Answering] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server = HostServer(self._handle)

    async def _handle(self, message: Message, _partner: Partner) -> Message | None:
        self.heard.append(message)
        return self.answers.get(message.mti, says("00"))(message)

    def of(self, mti: str) -> list[Message]:
        """The messages of a type."""
        return [message for message in self.heard if message.mti == mti]


@dataclass(kw_only=True)
class Bench:
    """One terminal on the bench, with its ECR."""

    site: Site
    device: Device
    ecr: EcrLink
    tasks: list[asyncio.Task[None]]

    async def close(self) -> None:
        """Cut the power: no goodbye in the rows."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.ecr.close()
        await self.device.link.close()
        await self.device.gateway.stop()
        await self.site.database.close()

    async def rows(self) -> list[dict[str, Any]]:
        """The terminal's payments, oldest first."""
        return list(reversed(await self.site.database.read(books.shown)))

    async def summary(self) -> dict[str, int]:
        """Open holds and waiting advices."""
        return await self.site.database.read(books.summary)

    async def tap_and_hold(self, card: str, *, amount_minor: int = 2500, reference: str = "R1") -> Any:
        """Present a card while a hold is asked for; the ECR's outcome."""
        asked = asyncio.create_task(
            self.ecr.run(Preauthorise(amount_minor=amount_minor, currency="EUR", reference=reference))
        )
        await self.device.reader.present(Medium(card=card), 5)
        return await asked


async def power_on(path: Path, gateway_port: int, **settings: Any) -> Bench:
    """A terminal on this database, registered with its ECR."""
    chosen = Settings.read(
        data=path,
        forward_first_retry_s=0.05,
        forward_longest_retry_s=0.2,
        scheme_timeout_s=0.1,
        acquirer_timeout_s=0.2,
        gateway_timeout_s=0.3,
        **{"terminal_timeout_s": 0.6, **settings},
    )
    database = await Database.open(chosen.database_url("site"), metadata=METADATA)
    site = Site(database=database, bell=Bell(), faults=Faults())
    device = build_device(site, chosen, gateway_port=gateway_port)
    await database.write(lambda tx: books.recover(tx, now_ms=now_ms()))
    await device.gateway.start()
    tasks = [asyncio.create_task(device.forwarder.run())]
    port = await device.link.listen()
    ecr = EcrLink(host="127.0.0.1", port=port)
    if gateway_port:
        await device.gateway.wait_connected(5)
    await ecr.run(Register())
    return Bench(site=site, device=device, ecr=ecr, tasks=tasks)


@asynccontextmanager
async def bench(path: Path, gateway: Gateway, **settings: Any) -> AsyncIterator[Bench]:
    """A terminal for the length of a test's block."""
    standing = await power_on(path, gateway.server.port, **settings)
    try:
        yield standing
    finally:
        await standing.close()


@asynccontextmanager
async def reading_late(
    patch: pytest.MonkeyPatch, database: Database, knock: Callable[[], None]
) -> AsyncIterator[None]:
    """Whoever reads gets his rows late, and is asked again and again to look: what happened meanwhile is not
    in them."""
    read = database.read

    async def late(query: Callable[[Transaction], Any]) -> Any:
        rows = await read(query)
        await asyncio.sleep(0.05)
        return rows

    async def knocking() -> None:
        while True:
            knock()
            await asyncio.sleep(0.002)

    patch.setattr(database, "read", late)
    knocks = asyncio.create_task(knocking())
    yield
    await asyncio.sleep(0.4)  # time enough to do something twice
    knocks.cancel()


async def until(condition: Callable[[], Any], *, within_s: float = 5.0) -> None:
    """Wait for a fact."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.01)


async def until_summary(standing: Bench, **wanted: int) -> None:
    """Wait until the terminal's books say so."""
    async with asyncio.timeout(5):
        while not wanted.items() <= (await standing.summary()).items():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# --- the station's other side


@dataclass(kw_only=True)
class Csms:
    """Keeps what a station says; answers as a CSMS that accepts everybody."""

    server: StationServer = field(init=False)
    heard: list[ocpp.Received] = field(default_factory=list)
    token: ocpp.TokenStatus = ocpp.TokenStatus.ACCEPTED
    deaf_to: set[str] = field(default_factory=set)
    transactions: int = 100

    def __post_init__(self) -> None:
        self.server = StationServer(handler=self._handle)

    async def _handle(self, received: ocpp.Received) -> ocpp.Answer:
        self.heard.append(received)
        if received.action in self.deaf_to:
            await asyncio.sleep(60)
        match received.message:
            case ocpp.StationBooted():
                return ocpp.BootAnswered(
                    registration=ocpp.Registration.ACCEPTED, interval_s=300, now_ms=now_ms()
                )
            case ocpp.HeartbeatSent():
                return ocpp.HeartbeatAnswered(now_ms=now_ms())
            case ocpp.TokenOffered():
                return ocpp.TokenAnswered(status=self.token)
            case ocpp.TransactionStarted():
                self.transactions += 1
                return ocpp.StartAnswered(
                    transaction_id=str(self.transactions), token=ocpp.TokenAnswered(status=self.token)
                )
            case ocpp.TransactionStopped():
                return ocpp.StopAnswered()
            case _:
                return ocpp.Acknowledged()

    def of(self, kind: type[Any]) -> list[Any]:
        """The messages of a kind."""
        return [each.message for each in self.heard if isinstance(each.message, kind)]

    def statuses(self, evse_id: int) -> list[str]:
        """The states a connector went through."""
        return [each.status for each in self.of(ocpp.StatusReported) if each.evse_id == evse_id]


@dataclass(kw_only=True)
class Post:
    """One station on the bench."""

    database: Database
    station: Station

    async def close(self) -> None:
        """Cut the power."""
        await self.station.stop()
        await self.database.close()


async def station_on(path: Path, port: int) -> Post:
    """A station on this database, dialling the CSMS at this port."""
    database = await Database.open(f"sqlite:///{path}/site.sqlite", metadata=METADATA)
    station = Station(
        database,
        url=f"ws://127.0.0.1:{port}/ocpp",
        station_id="CS1",
        evses=(1, 2),
        faults=Faults(),
        bell=Bell(),
        now_ms=now_ms,
    )
    await station.start()
    return Post(database=database, station=station)


def everything(path: Path) -> bytes:
    """Every byte at rest below a folder."""
    return b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())


def charges_of(tx: Any) -> list[Any]:
    """The station's charges."""
    return list(tx.run(select(CHARGE).order_by(CHARGE.c.id)))
