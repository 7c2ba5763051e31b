"""A platform without wires: real database, engine and handlers; edges and stations are lists of what they
were told."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from tapwatt.core.effects import Effect, MoneyEffect, SendCost
from tapwatt.core.events import Limits
from tapwatt.core.hold import HoldPolicy
from tapwatt.core.session import Session
from tapwatt.engine import Engine
from tapwatt.ocpp import messages as ocpp
from tapwatt.platform import places, receipts, seed, views
from tapwatt.platform.performers import Performers
from tapwatt.platform.sessions import SESSIONS, Event, record
from tapwatt.platform.stations import Stations
from tapwatt.platform.tables import METADATA, SESSION
from tapwatt.platform.terminals import Terminals
from tapwatt.store import Database
from tapwatt.uplink import messages as uplink

TERMS = places.Terms(hold=HoldPolicy(amount_minor=2500, least_minor=100), limits=Limits())


UNDONE = select(func.count().label("n")).where(SESSION.effect.c.done_ms.is_(None))


@dataclass
class Wires:
    """What was asked of edges and stations, and how they answer."""

    operated: list[MoneyEffect] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    shown: list[tuple[str, ...]] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    readings: list[int] = field(default_factory=list)
    costs: list[SendCost] = field(default_factory=list)
    start_accepted: bool = True
    failure: Exception | None = None

    async def operate(self, effect: MoneyEffect, *, deadline_ms: int) -> None:
        if self.failure:
            raise self.failure
        self.operated.append(effect)

    async def ask(self, *, terminal_id: str, key: str) -> None:
        self.asked.append(key)

    async def show(self, *, terminal_id: str, lines: tuple[str, ...], seconds: int) -> None:
        self.shown.append(lines)

    async def start(self, *, station_id: str, evse_id: int, id_token: str) -> bool:
        if self.failure:
            raise self.failure
        self.started.append(id_token)
        return self.start_accepted

    async def stop(self, *, station_id: str, transaction_id: str) -> bool:
        self.stopped.append(transaction_id)
        return True

    async def read(self, *, station_id: str, evse_id: int) -> bool:
        self.readings.append(evse_id)
        return True

    async def show_cost(self, cost: SendCost) -> None:
        self.costs.append(cost)


class Site:
    """The platform under test, and short ways to say what stations and edges say."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.wires = Wires()
        self.clock = itertools.count(1_800_000_000_000, 1_000)
        self.chance = itertools.count(1)
        self.engine: Engine[Session, Event, Effect] = Engine(
            database,
            SESSIONS,
            perform=Performers(
                database=database,
                edges=self.wires,
                stations=self.wires,
                load=self.load,
                screen=self.screen,
                now_ms=self.now_ms,
                receipt_link=self.receipt_link,
            ),
            now_ms=self.now_ms,
            inline=partial(record, chance=self.random),
        )
        self.stations = Stations(
            engine=self.engine,
            terms=TERMS,
            open_admission=True,
            heartbeat_s=300,
            chance=self.random,
            now_ms=self.now_ms,
        )
        self.terminals = Terminals(engine=self.engine, terms=TERMS, chance=self.random, now_ms=self.now_ms)

    def now_ms(self) -> int:
        return next(self.clock)

    def random(self, length: int) -> bytes:
        return hashlib.sha512(b"%d" % next(self.chance)).digest()[:length]

    async def load(self, session_id: str) -> Session | None:
        return await self.engine.load(session_id)

    async def screen(self, terminal_id: str, lines: tuple[str, ...]) -> None:
        return None

    async def receipt_link(self, session_id: str) -> str | None:
        return await self.database.read(
            lambda tx: receipts.link_of(
                tx, operator_id="demo", session_id=session_id, public_url="http://127.0.0.1:8080"
            )
        )

    async def says(self, message: ocpp.StationMessage, station_id: str = "CS1") -> Any:
        received = ocpp.Received(
            station_id=station_id, message=message, action=type(message).__name__, raw=b"{}", violations=()
        )
        return await self.stations.handle(received)

    async def status(self, status: str, evse_id: int = 1, station_id: str = "CS1") -> None:
        message = ocpp.StatusReported(evse_id=evse_id, status=ocpp.ConnectorStatus(status))
        await self.says(message, station_id)

    async def tap(self, key: str = "card-1", token: str = "tok-1", **more: Any) -> uplink.Accepted:
        card = uplink.CardPresented(
            key=key,
            terminal_id="T1",
            at_ms=0,
            kind=more.pop("kind", uplink.CardKind.BANK),
            token=token,
            brand="visa",
            last_four="1111",
            **more,
        )
        return await self.terminals.handle("EDGE1", card)

    async def outcome(
        self, key: str, kind: str, result: str, edge_id: str = "EDGE1", **more: Any
    ) -> uplink.Accepted:
        message = uplink.Outcome(
            key=key,
            kind=uplink.OperationKind(kind),
            terminal_id="T1",
            result=uplink.Result(result),
            at_ms=0,
            **more,
        )
        return await self.terminals.handle(edge_id, message)

    async def quiet(self) -> None:
        """Wait until every effect has been performed; two seconds at most, for those that are tried again."""
        for _ in range(200):
            undone = await self.database.read(lambda tx: tx.one(UNDONE))
            if undone is not None and not undone.n:
                return
            await asyncio.sleep(0.01)

    async def sessions(self, operator_id: str = "demo") -> list[dict[str, Any]]:
        return await self.database.read(lambda tx: views.sessions(tx, operator_id=operator_id))

    async def page(self, session_id: str, operator_id: str = "demo") -> dict[str, Any] | None:
        return await self.database.read(
            lambda tx: views.session_page(tx, operator_id=operator_id, session_id=session_id)
        )


async def sown(database: Database) -> Site:
    """The sandbox and a second operator in an empty database."""
    data = seed.sandbox()
    data["operators"].append(OTHER_OPERATOR)
    await database.write(lambda tx: seed.sow(tx, data, now_ms=0))
    return Site(database)


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[Site]:
    database = await Database.open(database_url, metadata=METADATA)
    site = await sown(database)
    await site.engine.start()
    yield site
    await site.engine.stop()
    await database.close()


OTHER_OPERATOR: dict[str, Any] = {
    "operator_id": "other",
    "name": "Somebody Else",
    "tariffs": [{"tariff_id": "X", "currency": "EUR", "kwh_price": "1", "tax_rate_percent": "0"}],
    "stations": [
        {"station_id": "CS9", "name": "Theirs", "tariff_id": "X", "max_power_w": 50000, "evses": [1]}
    ],
    "terminals": [
        {
            "terminal_id": "T9",
            "edge_id": "EDGE9",
            "profile": "ingenico-self-4000-zvt",
            "serial": "S9",
            "tid": "99999999",
            "serves": [["CS9", 1]],
        }
    ],
}
