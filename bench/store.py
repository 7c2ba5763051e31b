"""The store on a SQLite file with synchronous=FULL: durable transactions and engine steps a second.

One transaction is what the engine writes for a step: the state if its version is the expected one, the event,
one effect in the outbox, each caller in its own savepoint. The peer is what one would write by hand: the
sqlite3 driver, one commit a transaction.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.figures import Section, spread
from sqlalchemy import MetaData

from tapwatt.engine import Engine, Machine, machine_tables
from tapwatt.store import Database, Transaction, UnableToStore

ABOUT: Final = (
    "SQLite file, WAL, synchronous=FULL, a savepoint for each caller. A transaction: state changed if its "
    "version is the expected one, event added, effect added. A step of the engine also reads, decides and "
    "writes JSON, then performs the effect (here: nothing) and marks it done in a second commit. Wall "
    "time, median (p10–p90) over the rounds."
)
ROUNDS: Final = 7
ROUND_S: Final = 0.4
CALLERS: Final = (1, 32, 128)
MACHINES: Final = 128
FILL: Final = "x" * 600  # a session's state is about this long


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
            tx.run(TABLES.statements.create, id=f"row-{number}", created_ms=0, **_state(1))

    async def write(self, caller: int) -> None:
        """One transaction."""
        version = self._versions[caller]
        await self._database.write(lambda tx: self._step(tx, f"row-{caller}", version))
        self._versions[caller] = version + 1

    def _step(self, tx: Transaction, machine_id: str, version: int) -> None:
        after = version + 1
        if (
            tx.one(TABLES.statements.change, machine_id=machine_id, version_before=version, **_state(after))
            is None
        ):
            raise UnableToStore("somebody else wrote this row")
        tx.run(TABLES.statements.add_event, **_event(machine_id, after))
        tx.one(TABLES.statements.add_effect, **_effect(machine_id, after))


def _state(version: int) -> dict[str, object]:
    return {
        "owner": "",
        "status": "counting",
        "version": version,
        "state": f'{{"number":{version},"filling":"{FILL}"}}',
        "due_ms": None,
        "updated_ms": version,
    }


def _event(machine_id: str, version: int) -> dict[str, object]:
    return {
        "machine_id": machine_id,
        "owner": "",
        "version": version,
        "kind": "Happened",
        "key": None,
        "body": '{"at_ms":1}',
        "status_before": "counting",
        "status_after": "counting",
        "effect_id": None,
        "at_ms": version,
    }


def _effect(machine_id: str, version: int) -> dict[str, object]:
    return {
        "machine_id": machine_id,
        "owner": "",
        "version": version,
        "seq": 0,
        "lane": "anybody",
        "kind": "Tell",
        "body": '{"number":1}',
        "due_ms": 1,
        "attempts": 0,
        "done_ms": version,
    }


class ByHand:
    """The peer: the driver, the same three statements, one commit a transaction."""

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._raw.execute(f"PRAGMA {pragma}").fetchall()
        self._statements = {
            "counter": (
                "UPDATE counter SET " + _columns(_state(1)) + " WHERE id = :id AND version = :version_before"
            ),
            "counter_event": _insert("counter_event", _event("", 1)),
            "counter_effect": _insert("counter_effect", _effect("", 1)),
        }
        self._raw.execute(
            _insert("counter", {**_state(1), "id": "hand", "created_ms": 0}),
            {**_state(1), "id": "hand", "created_ms": 0},
        )
        self._version = 1

    def write(self) -> None:
        """One transaction."""
        before, after = self._version, self._version + 1
        self._raw.execute("BEGIN IMMEDIATE")
        changed = self._raw.execute(
            self._statements["counter"], {**_state(after), "id": "hand", "version_before": before}
        )
        assert changed.rowcount == 1
        self._raw.execute(self._statements["counter_event"], _event("hand", after))
        self._raw.execute(self._statements["counter_effect"], _effect("hand", after))
        self._raw.execute("COMMIT")
        self._version = after

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()


def _columns(values: dict[str, object]) -> str:
    return ", ".join(f"{name} = :{name}" for name in values)


def _insert(table: str, values: dict[str, object]) -> str:
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f":{name}" for name in values)
    return f"INSERT INTO {table} ({names}) VALUES ({places})"


def measure() -> Section:
    """Transactions and steps a second of wall time at 1, 32 and 128 callers, by hand in turn."""
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(Path(folder)))
    by_hand = spread(found["by hand"]).median
    rows = []
    for name, rates in found.items():
        rate = spread(rates)
        rows.append((name, rate.text(0), f"{rate.median / by_hand:.1f} ×"))
    return Section(
        title="durable transactions a second",
        about=ABOUT,
        head=("", "a second", "against by hand"),
        rows=tuple(rows),
    )


async def measured(folder: Path) -> dict[str, list[float]]:
    """What each contender did a second, round by round."""
    databases = [
        await Database.open(f"sqlite:///{folder}/{name}.sqlite", metadata=METADATA)
        for name in ("store", "engine", "hand")
    ]
    rows = Rows(databases[0])
    await rows.fill()
    engine = Engine(databases[1], COUNTER, perform=_performed, now_ms=_now_ms)
    await engine.start()
    hand = ByHand(folder / "hand.sqlite")

    async def step(caller: int) -> None:
        await engine.handle(f"machine-{caller}", Happened(at_ms=_now_ms()))

    found: dict[str, list[float]] = {"by hand": []}
    try:
        for _ in range(ROUNDS):
            found["by hand"].append(_rate_by_hand(hand))
            for title, work in (("store", rows.write), ("engine steps", step)):
                for callers in CALLERS:
                    label = f"{title}, {callers} caller{'s' if callers > 1 else ''}"
                    found.setdefault(label, []).append(await _rate(work, callers))
    finally:
        hand.close()
        await engine.stop()
        for database in databases:
            await database.close()
    return dict(sorted(found.items(), key=lambda pair: pair[0] != "by hand"))


def _rate_by_hand(hand: ByHand) -> float:
    began, number = time.perf_counter(), 0
    while time.perf_counter() < began + ROUND_S:
        hand.write()
        number += 1
    return number / (time.perf_counter() - began)


async def _rate(work: Work, callers: int) -> float:
    began = time.perf_counter()

    async def call(caller: int) -> int:
        number = 0
        while time.perf_counter() < began + ROUND_S:
            await work(caller)
            number += 1
        return number

    numbers = await asyncio.gather(*map(call, range(callers)))
    return sum(numbers) / (time.perf_counter() - began)
