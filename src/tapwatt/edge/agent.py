"""The edge as a whole: answers the platform, each answer after its commit, and keeps the terminals' loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

import structlog

from tapwatt.edge import dialogue
from tapwatt.edge.decide import UnableToDecide
from tapwatt.edge.driver import Driver
from tapwatt.edge.journal import Journal
from tapwatt.edge.operation import DOUBTFUL, State
from tapwatt.uplink.messages import (
    Abort,
    Accepted,
    Ask,
    FromPlatform,
    Hello,
    Operate,
    ReadCards,
    Show,
)

MOST_LINES = 8
MOST_SECONDS = 255

log = structlog.get_logger("tapwatt.edge")


def no(reason: str) -> Accepted:
    """An answer that says why not."""
    return Accepted(accepted=False, reason=reason)


class Agent:
    """What the platform talks to."""

    def __init__(
        self,
        edge_id: str,
        *,
        software: str,
        journal: Journal,
        drivers: Mapping[str, Driver],
        can: Callable[[str, str], bool],
    ) -> None:
        """`drivers` by terminal id; `can(terminal_id, operation)` is what the terminal's profile says."""
        self.edge_id = edge_id
        self._software = software
        self._journal = journal
        self._drivers = drivers
        self._can = can

    def hello(self) -> Hello:
        """What is said first on each connection."""
        terminals = tuple(driver.report() for driver in self._drivers.values())
        return Hello(edge_id=self.edge_id, software=self._software, terminals=terminals)

    async def handle(self, message: FromPlatform) -> Accepted:
        """Answer one CALL of the platform."""
        match message:
            case Operate():
                return await self._operate(message)
            case Ask():
                return await self._ask(message)
            case Abort():
                return await self._abort(message)
            case Show():
                return self._show(message)
            case ReadCards():
                return self._read_cards(message)
            case _:
                assert_never(message)

    async def _operate(self, message: Operate) -> Accepted:
        driver = self._drivers.get(message.terminal_id)
        if driver is None:
            return no(f"there is no terminal {message.terminal_id} here")
        problem = dialogue.problem(message, can=lambda operation: self._can(message.terminal_id, operation))
        return await self._journal.ask(message, operator_id=driver.place.operator_id, problem=problem)

    async def _ask(self, message: Ask) -> Accepted:
        # A fence needs a terminal to be told about; where there are several, nobody knows which it was.
        only = next(iter(self._drivers)) if len(self._drivers) == 1 else ""
        operation = await self._journal.want(message.key, terminal_id=only)
        driver = self._drivers.get(operation.terminal_id)
        if driver is not None and operation.state in DOUBTFUL:
            driver.look_again()
        if operation.state is State.FENCED:
            log.warning("asked for an operation that never arrived", **operation.named)
        return Accepted()

    async def _abort(self, message: Abort) -> Accepted:
        driver = self._drivers.get(message.terminal_id)
        if driver is None:
            return no(f"there is no terminal {message.terminal_id} here")
        try:
            operation = await self._journal.take_back(message.key)
        except UnableToDecide as problem:
            return no(str(problem))
        if operation.state is State.ABORTED or await driver.abort(message.key):
            return Accepted()
        return no("it cannot be stopped any more")

    def _show(self, message: Show) -> Accepted:
        driver = self._drivers.get(message.terminal_id)
        if driver is None:
            return no(f"there is no terminal {message.terminal_id} here")
        if not 0 < len(message.lines) <= MOST_LINES:
            return no(f"a text has 1 to {MOST_LINES} lines")
        driver.show(message.lines, seconds=min(max(message.seconds, 0), MOST_SECONDS))
        return Accepted()

    def _read_cards(self, message: ReadCards) -> Accepted:
        driver = self._drivers.get(message.terminal_id)
        if driver is None:
            return no(f"there is no terminal {message.terminal_id} here")
        driver.read_cards(message.enabled)
        return Accepted()
