"""The store on both engines, each as durable as it can be: transactions and engine steps a second.

One transaction is what the engine writes for a step: the state if its version is the expected one, the event,
one effect in the outbox, each caller in its own savepoint. The peers are what one would write by hand
(`bench.by_hand`): the driver, one commit a transaction.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.by_hand import FILL, ByHand, PostgresByHand, SqliteByHand, effect, event, state
from bench.figures import Section, spread
from sqlalchemy import MetaData
from tests.postgres import Server

from tapwatt.engine import Engine, Machine, machine_tables
from tapwatt.store import Database, Transaction, UnableToStore

ABOUT: Final = (
    "SQLite: a file, WAL, synchronous=FULL. PostgreSQL: a server on the same machine and disk, dialled over "
    "a Unix socket, fsync and synchronous_commit on. A savepoint for each caller. A transaction: state "
    "changed if its version is the expected one, event added, effect added. A step of the engine also reads, "
    "decides and writes JSON, then performs the effect (here: nothing) and marks it done in a second commit. "
    "By hand: the database's own driver, one caller, one commit a transaction. Wall time, median (p10–p90) "
    "over the rounds."
)
ROUND_TRIPS: Final = (
    "There every statement is a round trip, and all but a caller's first have a savepoint of their own, so "
    "that a failed statement undoes itself alone, as in SQLite."
)
ROUNDS: Final = 7
ROUND_S: Final = 0.4
CALLERS: Final = (1, 32, 128)
MACHINES: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The state: how often something happened."""

    number: int
    filling: str = FILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """The event."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """The effect."""

    number: int


def decide(state: Counted | None, _event: Happened) -> tuple[Counted, tuple[Tell, ...]]:
    """Count, and tell somebody."""
    after = Counted(number=1) if state is None else replace(state, number=state.number + 1)
    return after, (Tell(number=after.number),)


METADATA: Final = MetaData()
TABLES: Final = machine_tables(METADATA, "counter")
COUNTER: Final[Machine[Counted, Happened, Tell]] = Machine(
    name="counter",
    decide=decide,
    state_type=Counted,
    events=(Happened,),
    effects=(Tell,),
    owner=lambda _state: "",
    status=lambda _state: "counting",
    lane=lambda _effect: "anybody",
)
Work = Callable[[int], Awaitable[object]]
"""One transaction of the caller of this number."""


async def _performed(_machine_id: str, _effect: Tell, _repeated: bool) -> None:
    return None


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Rows:
    """The engine's statements without the engine: what the store itself can do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._versions = [1] * MACHINES

    async def fill(self) -> None:
        """Make the machines."""
        await self._database.write(self._fill)

    def _fill(self, tx: Transaction) -> None:
        for number in range(MACHINES):
            tx.run(TABLES.statements.create, id=f"row-{number}", created_ms=0, **state(1))

    async def write(self, caller: int) -> None:
        """One transaction."""
        version = self._versions[caller]
        await self._database.write(lambda tx: self._step(tx, f"row-{caller}", version))
        self._versions[caller] = version + 1

    def _step(self, tx: Transaction, machine_id: str, version: int) -> None:
        after = version + 1
        if (
            tx.one(TABLES.statements.change, machine_id=machine_id, version_before=version, **state(after))
            is None
        ):
            raise UnableToStore("somebody else wrote this row")
        tx.run(TABLES.statements.add_event, **event(machine_id, after))
        tx.one(TABLES.statements.add_effect, **effect(machine_id, after))


def measure() -> Section:
    """Transactions and steps a second of wall time at 1, 32 and 128 callers, on both engines in turn."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(durable=True)
        try:
            version = server.version()
            found = asyncio.run(measured(Path(folder), server))
        finally:
            server.close()
    by_hand = {engine: statistics.median(found[engine]["by hand"]) for engine in found}
    return Section(
        title="durable transactions a second",
        about=ABOUT,
        head=("", *(word for engine in found for word in (engine, "against by hand"))),
        rows=tuple(
            (name, *(cell for engine in found for cell in _cells(found[engine][name], by_hand[engine])))
            for name in next(iter(found.values()))
        ),
        notes=(f"PostgreSQL {version}; server and callers share the cores. {ROUND_TRIPS}",),
    )


def _cells(rates: list[float], by_hand: float) -> tuple[str, str]:
    rate = spread(rates)
    return rate.text(0), f"{rate.median / by_hand:.1f} ×"


Contenders = dict[str, Callable[[], Awaitable[float]]]
"""Each runs for one round and says what it did a second."""


async def measured(folder: Path, server: Server) -> dict[str, dict[str, list[float]]]:
    """What each contender did a second on each engine, round by round; the engines take turns."""
    urls = [f"sqlite:///{folder}/{name}.sqlite" for name in ("store", "engine", "hand")]
    places = {"SQLite": urls, "PostgreSQL": [server.database() for _ in urls]}
    found: dict[str, dict[str, list[float]]] = {engine: {} for engine in places}
    async with (
        _contenders(places["SQLite"], lambda: SqliteByHand(folder / "hand.sqlite")) as sqlite,
        _contenders(places["PostgreSQL"], lambda: PostgresByHand(places["PostgreSQL"][2])) as postgres,
    ):
        for _ in range(ROUNDS):
            for name in sqlite:
                found["SQLite"].setdefault(name, []).append(await sqlite[name]())
                found["PostgreSQL"].setdefault(name, []).append(await postgres[name]())
    return found


@asynccontextmanager
async def _contenders(urls: list[str], by_hand: Callable[[], ByHand]) -> AsyncIterator[Contenders]:
    databases = [await Database.open(url, metadata=METADATA) for url in urls]
    rows = Rows(databases[0])
    await rows.fill()
    engine = Engine(databases[1], COUNTER, perform=_performed, now_ms=_now_ms)
    await engine.start()
    hand = by_hand()

    async def step(caller: int) -> None:
        await engine.handle(f"machine-{caller}", Happened(at_ms=_now_ms()))

    async def alone() -> float:
        return _rate_by_hand(hand)

    contenders: Contenders = {"by hand": alone}
    for title, work in (("store", rows.write), ("engine steps", step)):
        for callers in CALLERS:
            label = f"{title}, {callers} caller{'s' if callers > 1 else ''}"
            contenders[label] = partial(_rate, work, callers)
    try:
        yield contenders
    finally:
        hand.close()
        await engine.stop()
        for database in databases:
            await database.close()


def _rate_by_hand(hand: ByHand) -> float:
    began, number = time.perf_counter(), 0
    while not number or time.perf_counter() < began + ROUND_S:
        hand.write()
        number += 1
    return number / (time.perf_counter() - began)


async def _rate(work: Work, callers: int) -> float:
    began = time.perf_counter()

    async def call(caller: int) -> int:
        number = 0
        while not number or time.perf_counter() < began + ROUND_S:
            await work(caller)
            number += 1
        return number

    numbers = await asyncio.gather(*map(call, range(callers)))
    return sum(numbers) / (time.perf_counter() - began)
