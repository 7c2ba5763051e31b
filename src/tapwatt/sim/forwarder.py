"""The terminal's store-and-forward: brings completions and reversals to the gateway until they are answered.

What comes next after each attempt is said by the pure rules of rails.forward; here rows move and messages go
out. An attempt is counted before it is made, so that after a kill the message goes out marked as a repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Executable, bindparam, select, update

from tapwatt.rails.forward import Again, Done, Park, RetryRules, next_step
from tapwatt.rails.iso8583.walk import UnableToEncode
from tapwatt.rails.messages import RESPONSE_CODE, repeat
from tapwatt.rails.mux import UnableToSend
from tapwatt.rails.partner import HostCaller, NoAnswer, NotConnected
from tapwatt.sim import books
from tapwatt.sim import card as cards
from tapwatt.sim.bell import Bell
from tapwatt.sim.books import AdviceState
from tapwatt.sim.rest import from_rest
from tapwatt.sim.tables import ADVICE
from tapwatt.store import Database, Row, Transaction

MOST_AT_ONCE: Final = 20
_NO_LINE_S: Final = 1.0
_LOOK_AGAIN_S: Final = 1.0
"""A repeat whose time has come rings no bell."""

_DUE: Executable = (
    select(ADVICE)
    .where(ADVICE.c.state == AdviceState.WAITING, ADVICE.c.due_ms <= bindparam("now_ms"))
    .order_by(ADVICE.c.due_ms, ADVICE.c.id)
    .limit(MOST_AT_ONCE)
)
_CHANGE: Executable = (
    update(ADVICE)
    .where(ADVICE.c.id == bindparam("advice_id"))
    .values({name: bindparam(f"new_{name}") for name in ("state", "attempts", "answer", "reason", "due_ms")})
)

log = structlog.get_logger("tapwatt.sim")


class Forwarder:
    """Sends what the terminal owes its gateway, oldest first, several life cycles at once."""

    def __init__(
        self,
        database: Database,
        gateway: HostCaller,
        *,
        bell: Bell,
        rules: RetryRules,
        timeout_s: float,
        chance: Callable[[], float],
        now_ms: Callable[[], int],
    ) -> None:
        """`chance` spreads repeats in time; `timeout_s` is waited for each answer."""
        self._database = database
        self._gateway = gateway
        self._bell = bell
        self._rules = rules
        self._timeout_s = timeout_s
        self._chance = chance
        self._now_ms = now_ms
        self._in_work: dict[int, asyncio.Task[None]] = {}
        self._over: set[int] = set()

    async def run(self) -> None:
        """For the program's life."""
        try:
            while True:
                if self._gateway.connected:
                    await self._begin_due()
                    await self._bell.heard(_LOOK_AGAIN_S)
                else:
                    await self._bell.heard(_NO_LINE_S)
        finally:
            for task in self._in_work.values():
                task.cancel()

    async def _begin_due(self) -> None:
        now_ms = self._now_ms()
        self._over.clear()
        for advice in await self._database.read(lambda tx: tx.run(_DUE, now_ms=now_ms)):
            # What ended while the rows were read is still among them as it was before.
            known = advice.id in self._in_work or advice.id in self._over
            if known or len(self._in_work) >= MOST_AT_ONCE:
                continue
            task = asyncio.create_task(self._send(advice))
            self._in_work[advice.id] = task
            task.add_done_callback(partial(self._ended, advice.id))

    def _ended(self, advice_id: int, task: asyncio.Task[None]) -> None:
        del self._in_work[advice_id]
        self._over.add(advice_id)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an advice could not be sent", advice=advice_id, reason=str(error))
        self._bell.ring()

    async def _send(self, advice: Row) -> None:
        message = from_rest(advice.message, cards.find(advice.card))
        attempts = advice.attempts + 1
        if advice.attempts:
            message = repeat(message)
        await self._database.write(partial(self._change, advice, attempts=attempts))
        answer: str | None = None
        try:
            answer = (await self._gateway.request(message, timeout_s=self._timeout_s)).text(RESPONSE_CODE)
        except NoAnswer:
            pass
        except NotConnected:
            # It did not leave: the next sending is still the first one.
            due_ms = self._now_ms() + self._rules.first_ms
            await self._database.write(partial(self._change, advice, attempts=advice.attempts, due_ms=due_ms))
            return
        except (UnableToSend, UnableToEncode, LookupError) as error:
            await self._database.write(
                partial(self._change, advice, attempts=attempts, state=AdviceState.PARKED, reason=str(error))
            )
            return
        verdict = next_step(
            mti=message.mti, attempts=attempts, answer=answer, jitter=self._chance(), rules=self._rules
        )
        await self._database.write(partial(self._conclude, advice, attempts, verdict))

    def _conclude(self, advice: Row, attempts: int, verdict: Done | Again | Park, tx: Transaction) -> None:
        now_ms = self._now_ms()
        match verdict:
            case Done(code=code):
                self._change(advice, tx, attempts=attempts, state=AdviceState.ANSWERED, answer=code)
                books.reversed_for_good(tx, advice.payment_id, now_ms=now_ms)
            case Again(after_ms=after_ms):
                self._change(advice, tx, attempts=attempts, due_ms=now_ms + after_ms)
            case Park(reason=reason):
                self._change(advice, tx, attempts=attempts, state=AdviceState.PARKED, reason=reason)

    def _change(
        self,
        advice: Row,
        tx: Transaction,
        *,
        attempts: int,
        state: AdviceState = AdviceState.WAITING,
        answer: str = "",
        reason: str = "",
        due_ms: int | None = None,
    ) -> None:
        tx.run(
            _CHANGE,
            advice_id=advice.id,
            new_state=state,
            new_attempts=attempts,
            new_answer=answer,
            new_reason=reason,
            new_due_ms=advice.due_ms if due_ms is None else due_ms,
        )
