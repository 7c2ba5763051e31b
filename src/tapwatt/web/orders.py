"""Orders of money and prices on their way: carried out at once, or kept for a second person; written down in
the same commit either way."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tapwatt.core.effects import Effect
from tapwatt.core.session import Session
from tapwatt.engine import Engine, Stepper
from tapwatt.ocpp.commands import Command, CommandAnswer
from tapwatt.platform import approvals, audit
from tapwatt.platform.access import Who
from tapwatt.platform.approvals import Means, Order
from tapwatt.platform.receipts import TOKEN_BYTES
from tapwatt.platform.sessions import Event
from tapwatt.platform.station_commands import Send, UnableToCommand
from tapwatt.store import Database, Transaction
from tapwatt.web.gate import acting

Json = dict[str, Any]
Steps = Stepper[Session, Event, Effect]


class Waits(Exception):
    """The order is not carried out yet: it waits for a second person."""

    def __init__(self, approval: Json) -> None:
        super().__init__("the order waits for a second person")
        self.approval = approval


class NeedsTwo(Exception):
    """The order is not carried out: it needs a second person, who has not been asked yet."""


class _OnlyTried(Exception):
    """Undoes what was only tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The orders of one operator. Above `four_eyes_minor` an order of money needs two people."""

    database: Database
    engine: Engine[Session, Event, Effect]
    operator_id: str
    now_ms: Callable[[], int]
    chance: Callable[[int], bytes]
    four_eyes_minor: int

    async def give(self, order: Order, *, by: str) -> Any:
        """Carry an order out; see `approvals.perform`. Raises Waits when a second person is needed, and what
        the order's own room raises, waiting or not."""
        who = acting(self.operator_id, by)
        try:
            return await self._transact(lambda means: self._carry_out(means, who, order))
        except NeedsTwo:
            await self.try_out(who, order)
        raise Waits(await self._transact(lambda means: approvals.ask(means, who, order)))

    def within(self, tx: Transaction, stepper: Steps, who: Who, order: Order) -> Any:
        """The same inside somebody's transaction. Raises NeedsTwo in the place of Waits."""
        return self._carry_out(self._means(tx, stepper), who, order)

    def ask_within(self, tx: Transaction, stepper: Steps, who: Who, order: Order) -> Json:
        """Let an order that was tried out wait, inside somebody's transaction."""
        return approvals.ask(self._means(tx, stepper), who, order)

    def _carry_out(self, means: Means, who: Who, order: Order) -> Any:
        if who.via != "open" and self._needs_two(means, order):
            raise NeedsTwo
        done = approvals.perform(means, order, by=who.name)
        if done:
            told = {name: value for name, value in order.body.items() if name != "key"}
            audit.append(means.tx, who, order.kind.value, order.subject, at_ms=means.at_ms, **told)
        return done

    def _needs_two(self, means: Means, order: Order) -> bool:
        stake_minor = approvals.stake_minor(means, order)
        return stake_minor is None or stake_minor > self.four_eyes_minor

    async def try_out(self, who: Who, order: Order) -> None:
        """Try an order and undo it, so that what cannot be done is said before anybody waits."""

        def tried(means: Means) -> None:
            approvals.perform(means, order, by=who.name)
            raise _OnlyTried

        with contextlib.suppress(_OnlyTried):
            await self._transact(tried)

    async def listing(self) -> Json:
        """What waits and what was decided lately."""
        now_ms, owner = self.now_ms(), self.operator_id
        return await self.database.read(lambda tx: approvals.listing(tx, operator_id=owner, now_ms=now_ms))

    async def approve(self, approval_id: str) -> Json:
        """Approve an order and carry it out. Raises UnableToApprove and what the order's own room raises."""
        who = acting(self.operator_id, "operator")
        done: Json = await self._transact(lambda means: approvals.approve(means, who, approval_id))
        return done

    async def reject(self, approval_id: str, *, why: str) -> Json:
        """Reject an order. Raises UnableToApprove."""
        who = acting(self.operator_id, "operator")
        done: Json = await self._transact(lambda means: approvals.reject(means, who, approval_id, why=why))
        return done

    async def _transact(self, work: Callable[[Means], Any]) -> Any:
        return await self.engine.transact(lambda tx, stepper: work(self._means(tx, stepper)))

    def _means(self, tx: Transaction, stepper: Steps) -> Means:
        chance, at_ms = self.chance(TOKEN_BYTES), self.now_ms()
        return Means(tx=tx, stepper=stepper, operator_id=self.operator_id, chance=chance, at_ms=at_ms)


def written_down(send: Send, *, database: Database, operator_id: str, now_ms: Callable[[], int]) -> Send:
    """The way to stations, with each command in the audit log before it is sent, and its answer after. They
    stand in commits of their own: a station takes part in none."""

    async def sent(station_id: str, command: Command) -> CommandAnswer:
        who, name = acting(operator_id), type(command).__name__

        def note(outcome: str) -> Callable[[Transaction], None]:
            what = "station command"
            return lambda tx: audit.append(
                tx, who, what, station_id, at_ms=now_ms(), outcome=outcome, command=name
            )

        await database.write(note("sent"))
        try:
            answer = await send(station_id, command)
        except UnableToCommand as error:
            await database.write(note(type(error).__name__))
            raise
        await database.write(note("answered"))
        return answer

    return sent
