"""The one loop: event → decide → commit (transition, event, effects) → perform the effects → their answers.

Generic: it is given a machine and a performer, and knows nobody's states or effects (design.md laws 1, 4 and
5).
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from tapwatt.engine import steps
from tapwatt.engine.machine import E, F, Machine, Outgoing, Refusal, S, Step, TryAgain
from tapwatt.engine.outbox import Outbox
from tapwatt.engine.tables import MachineTables, own_tables
from tapwatt.store import Database, Transaction, UnableToStore, UnableToStoreDuplicate, UnableToStoreYet

T = TypeVar("T")

MOST_PERFORMING = 200
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
STOP_GRACE_S = 2.0
TIMERS_AT_ONCE = 100
TRIES_AMONG_NODES = 6
FIRST_GIVING_WAY_S = 0.01
"""Wait before a step is tried again because another node changed the same machine; doubles each time."""
UNSURE_FOR_S = 60.0
"""How long after a lost connection a COMMIT sent on it may still become durable."""
LONGEST_SLEEP_S = 5.0
"""The timer looks at least this often, so that a jump of the clock delays nobody for long."""

log = structlog.get_logger("tapwatt.engine")


class Stepper(Generic[S, E, F]):
    """Steps of one engine's machines inside somebody's transaction; announced and performed after its
    commit.
    """

    def __init__(self, engine: "Engine[S, E, F]", tx: Transaction) -> None:
        self._engine = engine
        self._tx = tx

    def step(self, machine_id: str, event: E, key: str | None = None) -> Step[S, E, F]:
        """Take a step; see `steps.step`."""
        return self._engine._step(self._tx, machine_id, event, key)

    def load(self, machine_id: str) -> S | None:
        """Read a machine's state as this transaction sees it."""
        return steps.load(self._tx, self._engine.tables, self._engine.machine, machine_id, claim=True)

    def find(self, name: str, value: str) -> str | None:
        """Find a machine's id by an index value, as this transaction sees it."""
        return steps.find(self._tx, self._engine.tables, name, value)


class Engine(Generic[S, E, F]):
    """Runs the machines of one kind on a database."""

    def __init__(
        self,
        database: Database,
        machine: Machine[S, E, F],
        *,
        perform: Callable[[str, F, bool], Awaitable[E | None]],
        now_ms: Callable[[], int],
        inline: steps.Inline | None = None,
        most_performing: int = MOST_PERFORMING,
    ) -> None:
        """`perform(machine_id, effect, repeated)` does the I/O and returns the next event or None.

        It may raise TryAgain; any other exception is logged and the effect tried again, 1 s to 60 s later.
        `now_ms` is the wall clock in epoch milliseconds, called from more than one thread.
        """
        self.machine = machine
        self.tables: MachineTables = own_tables(machine.name)
        self._database = database
        self._perform = perform
        self._now_ms = now_ms
        self._inline = inline
        self._outbox = Outbox(self._attempt, most_performing=most_performing, now_ms=now_ms)
        self._listeners: list[Callable[[Step[S, E, F]], None]] = []
        self._running = False
        self._held: list[Outgoing] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._sleeping_until_ms: int | None = None
        self._wake = asyncio.Event()
        self._unsure_until_s = 0.0
        self._started_ms, self._settled_s = 0, 0.0

    async def start(self, *, settle_s: float = 0.0) -> None:
        """Perform again every effect not known to be done, and start the timers.

        Timers of machines that are there already wait `settle_s`: while this program was away nobody could
        tell it anything, so that a deadline which has passed meanwhile says nothing yet of the other side.
        """
        self._held = []
        rows = await self._database.read(partial(steps.undone, tables=self.tables))
        recovered = {row.id for row in rows}
        rows += [outgoing for outgoing in self._held if outgoing.id not in recovered]
        self._held = None
        self._running = True
        self._started_ms = self._now_ms()
        self._settled_s = asyncio.get_running_loop().time() + settle_s
        for outgoing in rows:
            self._outbox.put(outgoing)
        self._timer = asyncio.create_task(self._watch_timers())

    async def stop(self, *, grace_s: float = STOP_GRACE_S) -> None:
        """Begin no more effects, let running ones end within a grace, cancel the rest: they stay to be
        repeated.
        """
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.gather(self._timer, return_exceptions=True)
        await self._outbox.close(grace_s=grace_s)

    async def handle(self, machine_id: str, event: E, *, key: str | None = None) -> Step[S, E, F]:
        """Take one durable step and return it after COMMIT; its effects are performed afterwards.

        The same (machine_id, key) again returns a Step with `repeated=True`, and nothing happens. Raises what
        decide raises, leaving everything as it was, and what `Database.write` raises.
        """
        return await self._write(lambda tx: self._step(tx, machine_id, event, key))

    async def transact(self, work: Callable[[Transaction, Stepper[S, E, F]], T]) -> T:
        """Do several steps, and any other rows, in one commit."""
        return await self._write(lambda tx: work(tx, self.stepper(tx)))

    def stepper(self, tx: Transaction) -> Stepper[S, E, F]:
        """Take steps inside a transaction begun elsewhere, such as another engine's."""
        return Stepper(self, tx)

    async def load(self, machine_id: str) -> S | None:
        """Read a machine's committed state, or None."""
        return await self._database.read(lambda tx: steps.load(tx, self.tables, self.machine, machine_id))

    async def find(self, name: str, value: str) -> str | None:
        """Find a machine's id by an index value, or None."""
        return await self._database.read(lambda tx: steps.find(tx, self.tables, name, value))

    def subscribe(self, listener: Callable[[Step[S, E, F]], None]) -> Callable[[], None]:
        """Call a listener on the loop after each COMMIT of a step, in commit order; returns how to stop
        that.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        """Write; do it again when another node was first, and look for what a lost answer may have stored."""
        for attempt in range(TRIES_AMONG_NODES):
            try:
                return await self._database.write(work)
            except UnableToStoreYet:
                if attempt + 1 == TRIES_AMONG_NODES:
                    raise
                await asyncio.sleep(FIRST_GIVING_WAY_S * 2**attempt)
            except UnableToStoreDuplicate:
                raise
            except UnableToStore:
                self._doubt()
                raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _doubt(self) -> None:
        """Believe neither that a lost commit is stored nor that it is not, and look soon."""
        self._unsure_until_s = asyncio.get_running_loop().time() + UNSURE_FOR_S
        if self._running and self._held is None:
            self._held = []
        self._wake.set()

    async def _look_again(self) -> None:
        """Put into the outbox what a COMMIT stored whose answer was lost with the connection.

        Looked for until no server can still be at that COMMIT; an effect performed twice says that it is
        repeated. What was committed since waits behind what is found: order is kept (ADR 0008).
        """
        rows = await self._database.read(partial(steps.undone, tables=self.tables))
        held, self._held = self._held or [], None
        if not self._running:
            return
        found = {outgoing.id: outgoing for outgoing in [*rows, *held]}
        for effect_id in sorted(found):
            self._outbox.put_back(found[effect_id])
        if asyncio.get_running_loop().time() > self._unsure_until_s:
            self._unsure_until_s = 0.0

    def _step(self, tx: Transaction, machine_id: str, event: E, key: str | None) -> Step[S, E, F]:
        taken = steps.step(
            tx, self.tables, self.machine, machine_id, event, key, self._now_ms(), inline=self._inline
        )
        self._announce_after_commit(tx, taken)
        return taken

    def _announce_after_commit(self, tx: Transaction, result: Step[S, E, F] | Refusal | None) -> None:
        """Let what was committed take effect; even when its caller has stopped waiting for it."""
        if isinstance(result, Refusal):
            tx.after_commit(partial(self._refused, result))
        elif result is not None and not result.repeated:
            tx.after_commit(partial(self._committed, result))

    def _refused(self, refusal: Refusal) -> None:
        log.error(
            "event refused",
            machine=self.machine.name,
            id=refusal.machine_id,
            kind=refusal.kind,
            reason=refusal.reason,
        )

    def _committed(self, taken: Step[S, E, F]) -> None:
        for outgoing in taken.waiting:
            if self._held is not None:
                self._held.append(outgoing)
            elif self._running:
                self._outbox.put(outgoing)
        due_ms = self.machine.due_ms(taken.state)
        if due_ms is not None and (self._sleeping_until_ms is None or due_ms < self._sleeping_until_ms):
            self._wake.set()
        for listener in tuple(self._listeners):
            try:
                listener(taken)
            except Exception:
                log.exception("listener failed", machine=self.machine.name, id=taken.machine_id)

    async def _attempt(self, outgoing: Outgoing) -> tuple[Outgoing, float] | None:
        """Perform an effect once; return None when it is done, else how it stays and for how many seconds."""
        try:
            effect = self.machine.effect(outgoing.kind, outgoing.body)
            answer = await self._perform(outgoing.machine_id, effect, outgoing.repeated)
            await self._write(lambda tx: self._finish(tx, outgoing, answer))
            return None
        except TryAgain as again:
            wait_s, reason = max(0.0, again.after_s), str(again)
        except Exception as error:
            wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(outgoing.attempts, 10))
            reason = f"{type(error).__name__}: {error}"
            log.exception(
                "effect failed",
                machine=self.machine.name,
                id=outgoing.machine_id,
                kind=outgoing.kind,
                again_s=wait_s,
            )
        return await self._stay(outgoing, wait_s, reason), wait_s

    def _finish(self, tx: Transaction, outgoing: Outgoing, answer: E | None) -> None:
        result = steps.finish(
            tx, self.tables, self.machine, outgoing, answer, self._now_ms(), inline=self._inline
        )
        self._announce_after_commit(tx, result)

    async def _stay(self, outgoing: Outgoing, wait_s: float, reason: str) -> Outgoing:
        """Note that an effect stays in the outbox. Memory holds it even when that note cannot be stored."""
        stays = steps.staying(outgoing, due_ms=self._now_ms() + round(wait_s * 1000))
        try:
            await self._database.write(lambda tx: steps.postpone(tx, self.tables, stays, reason))
        except Exception:
            log.exception("postponed effect not noted", machine=self.machine.name, id=outgoing.machine_id)
        return stays

    async def _watch_timers(self) -> None:
        while True:
            self._wake.clear()
            self._sleeping_until_ms = None
            try:
                sleep_s = await self._run_due_timers()
            except Exception:
                log.exception("timers failed", machine=self.machine.name)
                sleep_s = FIRST_WAIT_S
            try:
                # Not wait_for: before Python 3.12 it swallows a cancel that comes with the wake, and a stop
                # would wait for ever.
                async with asyncio.timeout(sleep_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _run_due_timers(self) -> float:
        """Wake the machines whose time has come; return the seconds until the next."""
        if self._unsure_until_s:
            await self._look_again()
        now_ms, settling_s = self._now_ms(), self._settled_s - asyncio.get_running_loop().time()
        made_ms = self._started_ms if settling_s > 0 else 0
        ids, earliest_ms = await self._database.read(
            lambda tx: steps.due(tx, self.tables, now_ms, made_ms=made_ms, most=TIMERS_AT_ONCE)
        )
        if ids:
            results = await asyncio.gather(*map(self._tick, ids), return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    raise result
            return 0.0
        self._sleeping_until_ms = earliest_ms
        sleep_s = LONGEST_SLEEP_S if settling_s <= 0 else min(settling_s, LONGEST_SLEEP_S)
        if earliest_ms is None:
            return sleep_s
        return min(sleep_s, max(0.001, (earliest_ms - now_ms) / 1000))

    async def _tick(self, machine_id: str) -> None:
        def tick(tx: Transaction) -> None:
            result: Any = steps.wake(
                tx, self.tables, self.machine, machine_id, self._now_ms(), inline=self._inline
            )
            self._announce_after_commit(tx, result)

        await self._write(tick)
