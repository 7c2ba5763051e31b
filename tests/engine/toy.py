"""A toy machine, a jar that sends for things, and a performer a test can hold, fail and watch."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import MetaData, select

from tapwatt.engine import Engine, Machine, machine_tables
from tapwatt.store import Database

METADATA = MetaData()
TABLES = machine_tables(METADATA, "jar")


class NoRow(Exception):
    """The jar's table has no row for this."""


class Lid(StrEnum):
    OPEN = "open"
    SHUT = "shut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    text: str
    colours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    owner: str
    lid: Lid = Lid.OPEN
    label: Label | None = None
    contents: tuple[str, ...] = ()
    places: dict[str, int] | None = None
    wake_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    owner: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Send for things; each becomes one effect, in the lane of its first letter."""

    things: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    thing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shut:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    thing: str


def decide(jar: Jar | None, event: object) -> tuple[Jar, tuple[Fetch, ...]]:
    if jar is None:
        if isinstance(event, Made):
            return Jar(owner=event.owner, label=Label(text=event.label) if event.label else None), ()
        raise NoRow(f"no jar for {type(event).__name__}")
    if jar.lid is Lid.SHUT and not isinstance(event, Made):
        raise NoRow(f"shut for {type(event).__name__}")
    match event:
        case Made(label=label):
            return replace(jar, label=Label(text=label)), ()
        case Sent(things=things):
            return jar, tuple(Fetch(thing=thing) for thing in things)
        case Came(thing=thing):
            return replace(jar, contents=(*jar.contents, thing)), ()
        case Shut():
            return replace(jar, lid=Lid.SHUT), ()
        case WakeAt(at_ms=at_ms):
            return replace(jar, wake_ms=at_ms), ()
        case Ticked():
            return replace(jar, wake_ms=None, contents=(*jar.contents, "tick")), ()
        case Unlisted():
            return jar, ()
    raise NoRow(type(event).__name__)


JAR: Machine[Jar, Any, Fetch] = Machine(
    name="jar",
    decide=decide,
    state_type=Jar,
    events=(Made, Sent, Came, Shut, WakeAt, Ticked),
    effects=(Fetch,),
    owner=lambda jar: jar.owner,
    status=lambda jar: jar.lid.value,
    due_ms=lambda jar: jar.wake_ms,
    tick=lambda now_ms: Ticked(now_ms=now_ms),
    lane=lambda effect: effect.thing[0],
    index=lambda jar: {} if jar.label is None else {"label": jar.label.text},
)


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Performer:
    """Fetches things. `gates` hold a thing until opened; `failures` are raised, one a try."""

    def __init__(self, *, answers: bool = True) -> None:
        self.calls: list[tuple[str, str, bool]] = []
        self.fetched: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.failures: dict[str, list[BaseException]] = {}
        self.answers = answers

    async def __call__(self, machine_id: str, effect: Fetch, repeated: bool) -> Any:
        self.calls.append((machine_id, effect.thing, repeated))
        if effect.thing in self.gates:
            await self.gates[effect.thing].wait()
        if self.failures.get(effect.thing):
            raise self.failures[effect.thing].pop(0)
        self.fetched.append(effect.thing)
        return Came(thing=effect.thing) if self.answers else None

    def hold(self, thing: str) -> asyncio.Event:
        self.gates[thing] = asyncio.Event()
        return self.gates[thing]


async def until(condition: Callable[[], Any], *, within_s: float = 5.0) -> None:
    """Wait for a condition on the loop."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.002)


async def until_contents(engine: "Engine[Jar, Any, Fetch]", jar: str, *things: str) -> None:
    """Wait until a jar holds just these things, in this order."""
    async with asyncio.timeout(5):
        while (state := await engine.load(jar)) is None or state.contents != things:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def rows(database: Database, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Read columns of one of the jar's tables, in order of their ids."""
    found = getattr(TABLES, table)
    query = select(*(found.c[column] for column in columns)).order_by(found.c[next(iter(found.c.keys()))])
    return [tuple(row) for row in await database.read(lambda tx: tx.run(query))]
