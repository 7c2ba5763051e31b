"""An edge in the test's own loop between a real terminal socket and a real platform socket."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.edge.device import Device

from tapwatt.edge import tables
from tapwatt.edge.agent import Agent
from tapwatt.edge.driver import Driver
from tapwatt.edge.journal import Journal
from tapwatt.edge.patience import Patience
from tapwatt.edge.tables import TerminalPlace
from tapwatt.edge.teller import Teller
from tapwatt.store import Database
from tapwatt.terminals.profiles import load_profile
from tapwatt.terminals.zvt.events import Timings
from tapwatt.terminals.zvt.link import EcrLink
from tapwatt.uplink.link import EdgeClient, EdgeServer
from tapwatt.uplink.messages import (
    Accepted,
    CardPresented,
    FromEdge,
    FromPlatform,
    Hello,
    Operate,
    OperationKind,
    Outcome,
    Result,
    TerminalReported,
)

QUICK = Patience(
    dialogue_s=1.0,
    enquiry_s=1.0,
    read_s=1,
    redial_s=0.05,
    redial_most_s=0.2,
    again_s=0.05,
    again_most_s=0.2,
    present_s=0.6,
    after_card_s=1.0,
    same_card_s=2.0,
    rest_s=0.02,
    not_ready_s=0.2,
    stop_s=0.5,
)
PROFILE = "ingenico-self-4000-zvt"


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class Counter:
    """Chance that is different every time and the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, length: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(length, "big")


class PlatformSide:
    """The platform's end of the uplink: remembers what it is told, says yes unless told otherwise."""

    def __init__(self) -> None:
        self.told: list[FromEdge] = []
        self.says: Callable[[FromEdge], Accepted] = lambda message: Accepted()
        self.port = 0
        self._server: EdgeServer | None = None

    async def start(self) -> None:
        """Listen, on the same port every time."""
        self._server = EdgeServer(handler=self._handle)
        self.port = await self._server.start(port=self.port)

    async def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def _handle(self, edge_id: str, message: FromEdge) -> Accepted:
        self.told.append(message)
        return self.says(message)

    async def call(self, message: FromPlatform) -> Accepted:
        """Tell the edge, as soon as it is there."""
        await until(lambda: self._server is not None and "EDGE1" in self._server.connected)
        assert self._server is not None
        return await self._server.call("EDGE1", message, timeout_s=5)

    def of(self, kind: type[Any]) -> list[Any]:
        """Everything of one kind it was told."""
        return [message for message in self.told if isinstance(message, kind)]

    def results(self, key: str) -> list[Result]:
        """What was told of an operation, in order."""
        return [message.result for message in self.of(Outcome) if message.key == key]

    async def outcome(self, key: str, result: Result | None = None, timeout_s: float = 8.0) -> Outcome:
        """Wait for an outcome of an operation."""
        found: list[Outcome] = []

        def here() -> bool:
            found[:] = [
                each for each in self.of(Outcome) if each.key == key and result in (None, each.result)
            ]
            return bool(found)

        await until(here, timeout_s=timeout_s, what=f"outcome {result} of {key}, told {self.results(key)}")
        return found[-1]

    def cards(self) -> list[CardPresented]:
        """The cards that were presented."""
        return self.of(CardPresented)

    def hellos(self) -> list[Hello]:
        """The greetings."""
        return self.of(Hello)

    def texts(self) -> list[str]:
        """What terminals were reported to say."""
        return [each.text for each in self.of(TerminalReported)]


class Edge:
    """The edge's parts, joined as the program joins them; `crash` leaves everything as it is."""

    def __init__(self, database: Path, *, terminal_port: int, platform_port: int, patience: Patience) -> None:
        self._path, self._patience = database, patience
        self._terminal_port, self._platform_port = terminal_port, platform_port

    async def start(self) -> None:
        """Start or start again."""
        self.database = await Database.open(f"sqlite:///{self._path}", metadata=tables.METADATA)
        self.client = EdgeClient(
            url=f"ws://127.0.0.1:{self._platform_port}",
            edge_id="EDGE1",
            handler=lambda message: self.agent.handle(message),
            on_opened=self._greet,
            backoff_s=0.05,
            backoff_max_s=0.2,
        )
        self.teller = Teller(self.client, timeout_s=2.0, again_s=0.05)
        self.journal = Journal(self.database, tell=self.teller.outcome, now_ms=now_ms)
        place = TerminalPlace(
            terminal_id="T1",
            operator_id="demo",
            profile=PROFILE,
            serial="TW4000-000001",
            currency="EUR",
            password="000000",
            host="127.0.0.1",
            port=self._terminal_port,
        )
        link = EcrLink(
            host="127.0.0.1",
            port=self._terminal_port,
            timings=Timings(acknowledgement_ms=1000, dialogue_ms=10_000),
        )
        self.driver = Driver(
            place,
            link=link,
            journal=self.journal,
            teller=self.teller,
            now_ms=now_ms,
            chance=Counter(),
            patience=self._patience,
        )
        self.agent = Agent(
            "EDGE1",
            software="test",
            journal=self.journal,
            drivers={"T1": self.driver},
            can=lambda terminal_id, operation: load_profile(PROFILE).can(operation),
        )
        await self.journal.start()
        self.task = self.driver.start()
        await self.client.start()

    async def stop(self) -> None:
        """Stop gracefully."""
        await self.driver.stop()
        await self.journal.stop()
        await self.teller.stop()
        await self.client.stop()
        await self.database.close()

    async def crash(self) -> None:
        """Stop as a crash does: nothing more is written about what is in the air."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.stop()

    async def _greet(self) -> None:
        self.teller.news(self.agent.hello())


class Site:
    """Device, edge and platform."""

    def __init__(self, device: Device, platform: PlatformSide, edge: Edge, path: Path) -> None:
        self.device, self.platform, self.edge, self.path = device, platform, edge, path

    async def approved(self, key: str = "S1.p1", amount_minor: int = 5000) -> Outcome:
        """A hold, from request to outcome."""
        await self.platform.call(preauthorise(key, amount_minor))
        return await self.platform.outcome(key, Result.APPROVED)


def preauthorise(key: str = "S1.p1", amount_minor: int = 5000, *, in_s: float = 60.0) -> Operate:
    """Ask for a hold."""
    return Operate(
        key=key,
        kind=OperationKind.PREAUTHORISE,
        terminal_id="T1",
        amount_minor=amount_minor,
        currency="EUR",
        deadline_ms=now_ms() + round(in_s * 1000),
        reference="REF000000001",
    )


def capture(hold: Outcome, amount_minor: int, key: str = "S1.p2") -> Operate:
    """Ask for a capture of a hold."""
    return Operate(
        key=key,
        kind=OperationKind.CAPTURE,
        terminal_id="T1",
        amount_minor=amount_minor,
        hold_minor=hold.amount_minor or 0,
        currency="EUR",
        deadline_ms=now_ms(),
        reference="REF000000001",
        receipt=hold.receipt,
        trace=hold.trace,
        tid=hold.tid,
    )


def release(receipt: str, amount_minor: int = 5000, key: str = "S1.p2") -> Operate:
    """Ask for a release."""
    return Operate(
        key=key,
        kind=OperationKind.RELEASE,
        terminal_id="T1",
        amount_minor=amount_minor,
        hold_minor=amount_minor,
        currency="EUR",
        deadline_ms=now_ms(),
        receipt=receipt,
    )


async def until(condition: Callable[[], bool], *, timeout_s: float = 8.0, what: str = "condition") -> None:
    """Wait until something is so."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, f"not in {timeout_s} s: {what}"
        await asyncio.sleep(0.01)
